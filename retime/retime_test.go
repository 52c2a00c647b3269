package retime

import (
	"testing"

	"github.com/wwflow/wwflow/consistency"
	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
)

// scene returns a pair in which a bright square of 12 pixels moves by (8, 0) over a dark, still ground, with its exact flow in
// both directions. square returns a frame with the square at a column.
func scene() (f *field.Field, square func(left int) *frame.Frame) {
	const w, h, side, top, left, shift = 48, 32, 12, 10, 8, 8
	square = func(left int) *frame.Frame {
		m := frame.New(w, h)
		for i := range w * h {
			x, y := i%w, i/w
			level := uint8(40 + 3*(x%5))
			if x >= left && x < left+side && y >= top && y < top+side {
				level = uint8(180 + 5*((x-left)%4))
			}
			m.Pix[3*i], m.Pix[3*i+1], m.Pix[3*i+2] = level, level, level
		}
		return m
	}
	f = field.New(w, h)
	back := field.New(w, h)
	for y := top; y < top+side; y++ {
		for x := left; x < left+side; x++ {
			f.Vectors[2*(y*w+x)] = shift
			back.Vectors[2*(y*w+x+shift)] = -shift
		}
	}
	f.Pair = &frame.Pair{First: square(left), Second: square(left + shift)}
	back.Pair = &frame.Pair{First: f.Pair.Second, Second: f.Pair.First}
	if err := consistency.Check(f, back, consistency.Default); err != nil {
		panic(err)
	}
	return f, square
}

// TestAt compares with the true frames between: the square is where it belongs, the ground that it covers and uncovers comes
// from the frame that shows it.
func TestAt(t *testing.T) {
	f, square := scene()
	p := New(f)
	for _, c := range []struct {
		t    float64
		left int
	}{{0.25, 10}, {0.5, 12}, {0.75, 14}} {
		got, err := p.At(c.t)
		if err != nil {
			t.Fatal(err)
		}
		want := square(c.left)
		worst := 0
		for i := range want.Pix {
			d := int(got.Pix[i]) - int(want.Pix[i])
			worst = max(worst, d, -d)
		}
		if worst > 6 {
			t.Errorf("at %v the frame differs by up to %d levels", c.t, worst)
		}
	}
}

func TestPossible(t *testing.T) {
	f, _ := scene()
	if !Possible(f) {
		t.Error("a pair with flow cannot be interpolated")
	}
	for i := range f.Visibility {
		f.Visibility[i] = field.Unchecked
	}
	if Possible(f) || Possible(field.New(2, 2)) {
		t.Error("a pair of unknown flow, or with one direction only, can be interpolated")
	}
}

// TestRepeatingPattern gives a still pattern of stripes a consistent flow of less than one period, which explains them badly: the stripes must stay.
func TestRepeatingPattern(t *testing.T) {
	const w, h, period = 64, 24, 8
	m := frame.New(w, h)
	for i := range m.Pix {
		m.Pix[i] = uint8(60 + 100*(i/3%w%period/4))
	}
	n := *m
	f, back := field.New(w, h), field.New(w, h)
	for i := range w * h {
		f.Vectors[2*i], back.Vectors[2*i] = period-2, -period+2
	}
	f.Pair, back.Pair = &frame.Pair{First: m, Second: &n}, &frame.Pair{First: &n, Second: m}
	if err := consistency.Check(f, back, consistency.Default); err != nil {
		t.Fatal(err)
	}
	got, err := New(f).At(0.5)
	if err != nil {
		t.Fatal(err)
	}
	for y := range h {
		for x := 16; x < w-16; x++ {
			if d := int(got.Pix[3*(y*w+x)]) - int(m.Pix[3*(y*w+x)]); d > 3 || d < -3 {
				t.Fatalf("pixel (%d, %d) differs by %d levels", x, y, d)
			}
		}
	}
}

func TestAverage(t *testing.T) {
	v := make([]float32, 20*9)
	for i := range v {
		v[i] = float32(i % 20)
	}
	average(v, 20, 9)
	if v[0] != 1.5 || v[10] != 10 || v[19] != 17.5 || v[8*20+10] != 10 {
		t.Errorf("the means are %v, %v, %v, %v", v[0], v[10], v[19], v[8*20+10])
	}
}
