package pairing

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/wwflow/wwflow/frame"
)

func TestPairs(t *testing.T) {
	for _, c := range []struct {
		frames, step int
		want         [][2]int
	}{
		{0, 1, nil},
		{1, 1, nil},
		{2, 1, [][2]int{{0, 1}}},
		{4, 1, [][2]int{{0, 1}, {1, 2}, {2, 3}}},
		{5, 3, [][2]int{{0, 3}, {1, 4}}},
		{3, 3, nil},
	} {
		t.Run(fmt.Sprintf("%d frames, step %d", c.frames, c.step), func(t *testing.T) {
			p, err := New(c.step)
			if err != nil {
				t.Fatal(err)
			}
			var got [][2]int
			for i := range c.frames {
				f := frame.New(4, 2)
				f.Index = i
				pair, err := p.Push(f)
				if err != nil {
					t.Fatal(err)
				}
				if pair != nil {
					got = append(got, [2]int{pair.First.Index, pair.Second.Index})
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("pairs %v, want %v", got, c.want)
			}
			if p.Count() != c.frames {
				t.Errorf("Count is %d, want %d", p.Count(), c.frames)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	for _, step := range []int{0, -2} {
		if _, err := New(step); !errors.Is(err, ErrStep) {
			t.Errorf("step %d: %v", step, err)
		}
	}
	p, _ := New(2)
	for range 3 {
		p.Push(frame.New(8, 8))
	}
	odd := frame.New(8, 6)
	odd.Index = 3
	_, err := p.Push(odd)
	var size *SizeError
	if !errors.Is(err, ErrSize) || !errors.As(err, &size) || size.Index != 3 || size.Height != 6 || size.FirstHeight != 8 {
		t.Fatalf("a frame of another size gave %v", err)
	}
	if pair, err := p.Push(frame.New(8, 8)); pair == nil || err != nil {
		t.Errorf("a good frame after the refused one gave %v, %v", pair, err)
	}
}

// scene returns a synthetic frame of smooth blobs. The seed selects blobs and colours, shift moves them to the left, and
// light is the brightness in percent.
func scene(seed, shift, light int) *frame.Frame {
	f := frame.New(320, 180)
	for y := range f.Height {
		for x := range f.Width {
			for c := range 3 {
				v := 128 + 100*math.Sin(float64((x+shift)*(seed+c+1))/90+float64(seed*c))*math.Cos(float64(y*(2*seed+c))/70)
				f.Pix[3*(y*f.Width+x)+c] = uint8(min(255, v*float64(light)/100))
			}
		}
	}
	return f
}

func TestCutScore(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b *frame.Frame
		cut  bool
	}{
		{"the same frame twice", scene(1, 0, 100), scene(1, 0, 100), false},
		{"motion", scene(1, 0, 100), scene(1, 12, 100), false},
		{"a flash", scene(1, 0, 60), scene(1, 0, 110), false},
		{"another scene", scene(1, 0, 100), scene(4, 0, 100), true},
		{"from black to a picture", frame.New(320, 180), scene(2, 0, 100), true},
		{"black to black", frame.New(8, 8), frame.New(8, 8), false},
	} {
		if got := CutScore(&frame.Pair{First: c.a, Second: c.b}); (got > CutThreshold) != c.cut {
			t.Errorf("%s scored %.3f (the threshold is %v)", c.name, got, CutThreshold)
		}
	}
}
