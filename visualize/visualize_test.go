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
	"github.com/wwflow/wwflow/internal/testutil"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// chart returns a field with every direction and with lengths up to 20 pixels at the left and right edge, a square of
// unknown flow, confidence that rises from left to right, columns of each visibility, and a frame of coloured bars.
func chart(width, height int) *field.Field {
	f := field.New(width, height)
	f.Confidence = make([]float32, width*height)
	f.Visibility = make([]field.Visibility, width*height)
	first := frame.New(width, height)
	first.Index, first.PTS, first.Duration, first.TimeBase = 7, 7007, 1001, frame.Rational{Num: 1, Den: 30000}
	for y := range height {
		for x := range width {
			i := y*width + x
			f.Vectors[2*i] = float32(40 * (float64(x) + 0.5 - float64(width)/2) / float64(width))
			f.Vectors[2*i+1] = float32(40 * (float64(y) + 0.5 - float64(height)/2) / float64(width))
			f.Confidence[i] = float32(x+1) / float32(width)
			f.Visibility[i] = field.Visibility(8 * x / width % 4)
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
		for name, o := range map[string]Options{string(s): {}, string(s) + "-legend": {Legend: true}, string(s) + "-gray": {Gray: true}} {
			if o.Gray && s != Overlay && s != Arrows {
				continue
			}
			t.Run(name, func(t *testing.T) {
				f := chart(320, 200)
				o.Style, o.MaxFlow = s, 10
				got, err := painter(t, o).Paint(f)
				if err != nil {
					t.Fatal(err)
				}
				first := f.Pair.First
				if got.Index != first.Index || got.PTS != first.PTS || got.Duration != first.Duration || got.TimeBase != first.TimeBase {
					t.Errorf("the picture has index %d and time %d+%d instead of the first frame's", got.Index, got.PTS, got.Duration)
				}
				path := filepath.Join("testdata", name+".png")
				if *update {
					var b bytes.Buffer
					if err := png.Encode(&b, got.Image()); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
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
					if w := [3]uint8{c.R, c.G, c.B}; difference(w, [3]uint8(got.Pix[3*i:])) > 1 {
						t.Fatalf("pixel %d,%d is %v, golden %v", i%got.Width, i/got.Width, got.Pix[3*i:3*i+3], w)
					}
				}
			})
		}
	}
}

// difference returns the largest difference between two colours in a channel.
func difference(a, b [3]uint8) (d int) {
	for c := range a {
		d = max(d, int(a[c])-int(b[c]), int(b[c])-int(a[c]))
	}
	return d
}

// TestGray paints still and unknown flow over a frame of one colour, which must stay visible unless Gray is set.
func TestGray(t *testing.T) {
	f := field.New(200, 200)
	for x := range 100 {
		f.Vectors[2*x] = field.Unknown() // the left half of the first row
	}
	first := frame.New(200, 200)
	colour := [3]uint8{200, 100, 40}
	for i := 0; i < len(first.Pix); i += 3 {
		copy(first.Pix[i:], colour[:])
	}
	f.Pair = &frame.Pair{First: first, Second: first}
	const luma = 117
	for _, c := range []struct {
		style          Style
		gray           bool
		still, unknown [3]uint8
	}{
		{Overlay, false, colour, [3]uint8{100, 50, 20}},
		{Overlay, true, [3]uint8{64 + luma*191/255, 64 + luma*191/255, 64 + luma*191/255}, [3]uint8{luma / 2, luma / 2, luma / 2}},
		{Arrows, false, [3]uint8{100, 50, 20}, [3]uint8{100, 50, 20}},
		{Arrows, true, [3]uint8{luma / 2, luma / 2, luma / 2}, [3]uint8{luma / 2, luma / 2, luma / 2}},
	} {
		got, err := painter(t, Options{Style: c.style, Gray: c.gray, MaxFlow: 4}).Paint(f)
		if err != nil {
			t.Fatal(err)
		}
		if still := [3]uint8(got.Pix[3*199:]); difference(still, c.still) > 1 {
			t.Errorf("%s, gray %v: still flow is %v, want %v", c.style, c.gray, still, c.still)
		}
		if unknown := [3]uint8(got.Pix); difference(unknown, c.unknown) > 1 {
			t.Errorf("%s, gray %v: unknown flow is %v, want %v", c.style, c.gray, unknown, c.unknown)
		}
	}
}

// TestLegendSize checks that the legend covers little of the picture, that its text grows with the picture, and that only
// a tiny picture has none.
func TestLegendSize(t *testing.T) {
	for _, s := range Styles() {
		p := painter(t, Options{Style: s, MaxFlow: 10, Legend: true})
		for _, c := range []struct{ width, height, em int }{
			{30, 20, 0}, {213, 120, 9}, {120, 213, 9}, {320, 200, 9}, {540, 960, 16}, {1920, 1080, 31}, {3840, 2160, 63},
		} {
			width, height := p.Size(c.width, c.height)
			l := p.legendFor(width, height)
			if p.LegendFits(width, height) != (c.em > 0) {
				t.Errorf("%s, %dx%d: LegendFits is %v", s, c.width, c.height, c.em == 0)
			}
			if c.em == 0 || l.panel == nil {
				continue
			}
			if l.em != c.em {
				t.Errorf("%s, %dx%d: the text is %d pixels high, want %d", s, c.width, c.height, l.em, c.em)
			}
			size := l.panel.Rect.Size()
			if area := float64(size.X*size.Y) / float64(c.width*c.height); area > 0.1 || 3*size.X > c.width && c.width > 120 || 2*size.X > c.width || 2*size.Y > c.height {
				t.Errorf("%s, %dx%d: the legend of %v covers %.0f %%", s, c.width, c.height, size, 100*area)
			}
		}
	}
}

// TestWheel compares colours with those of the published wheel.
func TestWheel(t *testing.T) {
	for _, c := range []struct {
		name string
		u, v float64
		want [3]uint8
	}{
		{"still", 0, 0, [3]uint8{255, 255, 255}},
		{"right is red", 1, 0, [3]uint8{255, 0, 0}},
		{"half the length is half the saturation", 0.5, 0, [3]uint8{255, 128, 128}},
		{"longer than the scale is darker", 1.5, 0, [3]uint8{191, 0, 0}},
		{"yellow at 15 of 55 steps", math.Cos(15 * 2 * math.Pi / 55), math.Sin(15 * 2 * math.Pi / 55), [3]uint8{255, 255, 0}},
		{"cyan at 25 of 55 steps", math.Cos(25 * 2 * math.Pi / 55), math.Sin(25 * 2 * math.Pi / 55), [3]uint8{0, 255, 255}},
		{"unknown is black", math.NaN(), 0, [3]uint8{}},
		{"infinite is unknown", 0, math.Inf(-1), [3]uint8{}},
	} {
		got := wheelColour(c.u, c.v)
		var fast [3]uint8
		wheelRow(fast[:], []float32{float32(c.u * 8), float32(c.v * 8)}, 1.0/8)
		if difference(got, c.want) > 1 || difference(fast, c.want) > 1 {
			t.Errorf("%s: formula %v, table %v, want %v", c.name, got, fast, c.want)
		}
	}
}

// TestNoSeam goes around the wheel in small steps. The colour must not jump, especially at flow to the right.
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

// TestErrorBound compares the tables with the formula, on a fine polar grid and on extreme numbers.
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
	names, _ := filepath.Glob(filepath.Join(testutil.Require(t, "pairs"), "*", "*", "flow.flo"))
	if len(names) == 0 {
		t.Fatal("the real pairs have no flow.flo")
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

// compare fails if a channel differs from the formula by more than one level.
func compare(t *testing.T, u, v float32, maxFlow float64) {
	t.Helper()
	x, y := float64(u)/maxFlow, float64(v)/maxFlow
	if math.Abs(math.Hypot(x, y)-1) < 1e-5 {
		return // at length MaxFlow rounding decides between full and darkened colour
	}
	var got [3]uint8
	wheelRow(got[:], []float32{u, v}, float32(1/maxFlow))
	if want := wheelColour(x, y); difference(got, want) > 1 {
		t.Fatalf("flow (%g, %g) at scale %g: table %v, formula %v", u, v, maxFlow, got, want)
	}
}

// TestKnownFlowIsNotBlack checks that no known flow has the colour of unknown flow.
func TestKnownFlowIsNotBlack(t *testing.T) {
	for i, c := range directions {
		low := uint64(255)
		for k := range 3 {
			low = min(low, (c>>(lane*k)&(1<<lane-1))/4)
		}
		if low > 64 {
			t.Fatalf("entry %d is nearly black", i)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, bad := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		if _, err := New(Options{MaxFlow: bad}); err == nil {
			t.Errorf("MaxFlow %v was accepted", bad)
		}
	}
	if _, err := New(Options{Style: "rainbow", MaxFlow: 1}); !errors.Is(err, ErrStyle) {
		t.Errorf("an unknown style gave %v", err)
	}
	bare := field.New(20, 20)
	for _, s := range []Style{Overlay, SideBySide, Arrows} {
		if _, err := painter(t, Options{Style: s, MaxFlow: 1}).Paint(bare); !errors.Is(err, ErrNoFrame) {
			t.Errorf("%s without a frame gave %v", s, err)
		}
	}
	if _, err := painter(t, Options{Style: Confidence, MaxFlow: 1}).Paint(bare); !errors.Is(err, ErrNoConfidence) {
		t.Errorf("a field without confidence gave %v", err)
	}
	if _, err := painter(t, Options{MaxFlow: 1, Legend: true}).Paint(bare); err != nil {
		t.Errorf("a legend on a tiny picture gave %v", err)
	}
}

// TestTinyPictures paints fields that are smaller than an arrow cell, a legend or the number of threads.
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
	unconfident := uniform(90) // with an expected error of 85 pixels
	unconfident.Confidence = slices.Repeat([]float32{1.0 / 86}, unconfident.Width*unconfident.Height)
	walker := uniform(0.1) // flow of 6 pixels on 6 of 1,200 pixels
	walker.Confidence = slices.Repeat([]float32{1.0 / 1.5}, walker.Width*walker.Height)
	for i := range 6 {
		walker.Vectors[2*i] = 6
	}
	wrong := uniform(7)
	for i := range 10 {
		wrong.Vectors[2*i] = 1e6
	}
	for _, c := range []struct {
		name   string
		fields []*field.Field
		factor float64
		want   float64
	}{
		{"no fields", nil, 1, 1},
		{"still, with noise", []*field.Field{uniform(0.02), uniform(0.3)}, 1, 1},
		{"the largest of few", []*field.Field{uniform(2), uniform(-4.2), uniform(1)}, 1, 5},
		{"the second largest of many", []*field.Field{uniform(2), uniform(900), uniform(1), uniform(2.5)}, 1, 3},
		{"estimated at half size", []*field.Field{uniform(3)}, 2, 6},
		{"unknown flow is ignored", []*field.Field{unknown, uniform(3)}, 1, 3},
		{"a few wrong pixels are ignored", []*field.Field{wrong}, 1, 8},
		{"the expected error is subtracted", []*field.Field{unconfident}, 1, 5},
		{"a small moving object", []*field.Field{walker}, 1, 6},
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
