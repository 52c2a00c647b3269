package visualize

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
)

var update = flag.Bool("update", false, "rewrite the goldens in testdata from what the code paints now")

// chart is a field in which every direction and length occurs: twice the scale of 10 pixels at the left and
// right edge, with a square of unknown flow, confidence rising from left to right, and a picture of bars.
func chart(width, height int) *field.Field {
	f := field.New(width, height)
	f.Confidence = make([]float32, width*height)
	first := frame.New(width, height)
	first.Index, first.PTS, first.Duration, first.TimeBase = 7, 7007, 1001, frame.Rational{Num: 1, Den: 30000}
	for y := range height {
		for x := range width {
			i := y*width + x
			f.Vectors[2*i] = float32(40 * (float64(x) + 0.5 - float64(width)/2) / float64(width))
			f.Vectors[2*i+1] = float32(40 * (float64(y) + 0.5 - float64(height)/2) / float64(width))
			f.Confidence[i] = float32(x+1) / float32(width)
			if x < width/8 && y < height/8 {
				f.Vectors[2*i] = field.Unknown()
			}
			first.Pix[3*i], first.Pix[3*i+1], first.Pix[3*i+2] = uint8(255*x/width), uint8(x/16%2*255), uint8(255*y/height)
		}
	}
	f.Pair = &frame.Pair{First: first, Second: first}
	return f
}

func painter(t testing.TB, o Options) *Painter {
	t.Helper()
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestGoldens(t *testing.T) {
	for _, s := range Styles() {
		for name, legend := range map[string]bool{string(s): false, string(s) + "-legend": true} {
			t.Run(name, func(t *testing.T) {
				f := chart(320, 200)
				got, err := painter(t, Options{Style: s, MaxFlow: 10, Legend: legend}).Paint(f)
				if err != nil {
					t.Fatal(err)
				}
				first := f.Pair.First
				if got.Index != first.Index || got.PTS != first.PTS || got.Duration != first.Duration || got.TimeBase != first.TimeBase {
					t.Errorf("the picture has index %d and time %d+%d, not the first frame's", got.Index, got.PTS, got.Duration)
				}
				path := filepath.Join("testdata", name+".png")
				if *update {
					write := new(bytes.Buffer)
					if err := png.Encode(write, toImage(got)); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(path, write.Bytes(), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				file, err := os.Open(path)
				if err != nil {
					t.Fatalf("%v (go test -update writes it)", err)
				}
				defer file.Close()
				want, err := png.Decode(file)
				if err != nil {
					t.Fatal(err)
				}
				if want.Bounds() != image.Rect(0, 0, got.Width, got.Height) {
					t.Fatalf("size %dx%d, golden %v", got.Width, got.Height, want.Bounds())
				}
				for i := range got.Width * got.Height {
					c := color.RGBAModel.Convert(want.At(i%got.Width, i/got.Width)).(color.RGBA)
					if w := [3]uint8{c.R, c.G, c.B}; far(w, [3]uint8(got.Pix[3*i:])) > 1 {
						t.Fatalf("pixel %d,%d is %v, golden %v", i%got.Width, i/got.Width, got.Pix[3*i:3*i+3], w)
					}
				}
			})
		}
	}
}

func toImage(f *frame.Frame) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, f.Width, f.Height))
	for i := range f.Width * f.Height {
		m.Pix[4*i], m.Pix[4*i+1], m.Pix[4*i+2], m.Pix[4*i+3] = f.Pix[3*i], f.Pix[3*i+1], f.Pix[3*i+2], 255
	}
	return m
}

// far is the greatest difference of two colours in a channel.
func far(a, b [3]uint8) (d int) {
	for c := range a {
		d = max(d, int(a[c])-int(b[c]), int(b[c])-int(a[c]))
	}
	return d
}

// TestWheel holds a few colours of the published wheel, which do not come from this code.
func TestWheel(t *testing.T) {
	for _, c := range []struct {
		name string
		u, v float64
		want [3]uint8
	}{
		{"still", 0, 0, [3]uint8{255, 255, 255}},
		{"right is red", 1, 0, [3]uint8{255, 0, 0}},
		{"half as fast is half as strong", 0.5, 0, [3]uint8{255, 128, 128}},
		{"beyond the scale is darker", 1.5, 0, [3]uint8{191, 0, 0}},
		{"yellow is 15 of 55 steps on", math.Cos(15 * 2 * math.Pi / 55), math.Sin(15 * 2 * math.Pi / 55), [3]uint8{255, 255, 0}},
		{"cyan is 25 of 55 steps on", math.Cos(25 * 2 * math.Pi / 55), math.Sin(25 * 2 * math.Pi / 55), [3]uint8{0, 255, 255}},
		{"unknown is black", math.NaN(), 0, [3]uint8{}},
		{"infinite is unknown", 0, math.Inf(-1), [3]uint8{}},
	} {
		got := plain(c.u, c.v)
		var fast [3]uint8
		wheelRow(fast[:], []float32{float32(c.u * 8), float32(c.v * 8)}, 1.0/8)
		if far(got, c.want) > 1 || far(fast, c.want) > 1 {
			t.Errorf("%s: formula %v, table %v, want %v", c.name, got, fast, c.want)
		}
	}
}

// TestNoSeam turns once around in small steps: the colour must never jump, not at right-pointing flow either.
func TestNoSeam(t *testing.T) {
	const steps = 20000
	last := rim(2 * math.Pi * (steps - 1) / steps)
	for i := range steps {
		c := rim(2 * math.Pi * float64(i) / steps)
		for k := range c {
			if d := math.Abs(c[k] - last[k]); d > 0.2 { // 255/4 levels in 1/55 of a turn is 0.175 a step
				t.Fatalf("channel %d jumps by %.2f levels at %.4f of a turn", k, d, float64(i)/steps)
			}
		}
		last = c
	}
}

// TestErrorBound compares the tables with the formula: on a fine polar grid, on extreme numbers, and on the
// flow of the real pairs.
func TestErrorBound(t *testing.T) {
	for i := range 4001 {
		for j := range 60 {
			sin, cos := math.Sincos(2 * math.Pi * float64(i) / 4001)
			l := float64(j) / 40
			compare(t, float32(l*cos*13), float32(l*sin*13), 13)
		}
	}
	tiny := float32(math.SmallestNonzeroFloat32)
	for _, x := range []float32{0, tiny, -tiny, 1e-38, 1e-20, 1, -1, 1e20, math.MaxFloat32, float32(math.Inf(1)), field.Unknown()} {
		for _, y := range []float32{0, tiny, -1e-38, 1, -3, 1e20, -math.MaxFloat32, field.Unknown()} {
			compare(t, x, y, 3)
		}
	}
}

func TestErrorBoundOnRealFlow(t *testing.T) {
	names, _ := filepath.Glob(filepath.Join(realData(t), "pairs", "*", "*", "flow.flo"))
	if len(names) == 0 {
		t.Fatal("the real pairs hold no flow.flo")
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		vectors := make([]float32, (len(data)-12)/4)
		if _, err := binary.Decode(data[12:], binary.LittleEndian, vectors); err != nil {
			t.Fatal(name, err)
		}
		for i := 0; i+1 < len(vectors); i += 14 {
			compare(t, vectors[i], vectors[i+1], 5)
		}
	}
}

// compare fails where a channel is more than one level from the formula.
func compare(t *testing.T, u, v float32, maxFlow float64) {
	t.Helper()
	x, y := float64(u)/maxFlow, float64(v)/maxFlow
	if math.Abs(math.Hypot(x, y)-1) < 1e-5 {
		return // at the end of the scale rounding decides between full and darkened colour
	}
	var got [3]uint8
	wheelRow(got[:], []float32{u, v}, float32(1/maxFlow))
	if want := plain(x, y); far(got, want) > 1 {
		t.Fatalf("flow (%g, %g) at scale %g: table %v, formula %v", u, v, maxFlow, got, want)
	}
}

// realData is the folder of real material beside the repository; the test skips where there is none, and
// fails where CI=true.
func realData(t *testing.T) string {
	dir := filepath.Join("..", "..", "shared", "data")
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("the real material is missing: ", err)
		}
		t.Skip("no real material: ", err)
	}
	return dir
}

// TestUnknownIsItsOwnColour: no known flow may look like unknown flow.
func TestUnknownIsItsOwnColour(t *testing.T) {
	for i, c := range directions {
		low := uint64(255)
		for k := range 3 {
			low = min(low, (c>>(lane*k)&(1<<lane-1))/4)
		}
		if low > 64 {
			t.Fatalf("direction %d is nearly black", i)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, bad := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		if _, err := New(Options{MaxFlow: bad}); err == nil {
			t.Errorf("a scale of %v was taken", bad)
		}
	}
	if _, err := New(Options{Style: "rainbow", MaxFlow: 1}); !errors.Is(err, ErrStyle) {
		t.Errorf("unknown style: %v", err)
	}
	bare := field.New(20, 20)
	for _, s := range []Style{Overlay, SideBySide, Arrows} {
		if _, err := painter(t, Options{Style: s, MaxFlow: 1}).Paint(bare); !errors.Is(err, ErrNoPicture) {
			t.Errorf("%s without a frame: %v", s, err)
		}
	}
	if _, err := painter(t, Options{Style: Confidence, MaxFlow: 1}).Paint(bare); !errors.Is(err, ErrNoConfidence) {
		t.Errorf("confidence without confidence: %v", err)
	}
	if _, err := painter(t, Options{MaxFlow: 1, Legend: true}).Paint(bare); err != nil {
		t.Errorf("a legend on a picture too small for it: %v", err)
	}
}

// TestTinyPictures paints fields of a few pixels, where no cell, legend or thread has room.
func TestTinyPictures(t *testing.T) {
	for _, s := range Styles() {
		for _, size := range [][2]int{{1, 1}, {1, 9}, {30, 3}} {
			f := chart(size[0], size[1])
			if _, err := painter(t, Options{Style: s, MaxFlow: 1, Legend: true, Threads: 8}).Paint(f); err != nil {
				t.Errorf("%s, %v: %v", s, size, err)
			}
		}
	}
}

func TestScale(t *testing.T) {
	uniform := func(u float32) *field.Field {
		f := field.New(40, 30)
		for i := 0; i < len(f.Vectors); i += 2 {
			f.Vectors[i] = u
		}
		return f
	}
	unknown := uniform(field.Unknown())
	unsure := uniform(90) // by 85 px
	unsure.Confidence = slices.Repeat([]float32{1.0 / 86}, unsure.Width*unsure.Height)
	walker := uniform(0.1) // of 6 px, on 6 of 1,200 pixels
	walker.Confidence = slices.Repeat([]float32{1.0 / 1.5}, walker.Width*walker.Height)
	for i := range 6 {
		walker.Vectors[2*i] = 6
	}
	wild := uniform(7)
	for i := range 10 {
		wild.Vectors[2*i] = 1e6
	}
	for _, c := range []struct {
		name   string
		fields []*field.Field
		factor float64
		want   float64
	}{
		{"nothing seen", nil, 1, 1},
		{"still, with noise", []*field.Field{uniform(0.02), uniform(0.3)}, 1, 1},
		{"the greatest of few", []*field.Field{uniform(2), uniform(-4.2), uniform(1)}, 1, 5},
		{"one of many may be wrong", []*field.Field{uniform(2), uniform(900), uniform(1), uniform(2.5)}, 1, 3},
		{"estimated at half size", []*field.Field{uniform(3)}, 2, 6},
		{"unknown counts for nothing", []*field.Field{unknown, uniform(3)}, 1, 3},
		{"a few wild pixels count for nothing", []*field.Field{wild}, 1, 8},
		{"lengths count without their expected error", []*field.Field{unsure}, 1, 5},
		{"something small moves before a static camera", []*field.Field{walker}, 1, 6},
		{"round numbers", []*field.Field{uniform(83)}, 1, 100},
	} {
		var s Scale
		for _, f := range c.fields {
			s.Add(f, c.factor)
		}
		if got := s.Pixels(); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: %v pixels, want %v", c.name, got, c.want)
		}
	}
}
