package plot

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/stats"
)

// video returns 20 pairs of a camera that pans to the right, with a cut after frame 7.
func video() (pairs []stats.Pair) {
	for i := range 20 {
		at := func(i int) *frame.Frame {
			return &frame.Frame{Index: i, PTS: int64(i), TimeBase: frame.Rational{Num: 1, Den: 10}}
		}
		f := field.New(40, 30)
		f.Pair = &frame.Pair{First: at(i), Second: at(i + 1)}
		for k := 0; k < len(f.Vectors); k += 2 {
			f.Vectors[k] = -float32(i + 1)
		}
		pairs = append(pairs, stats.Measure(f, i == 7))
	}
	return pairs
}

func drawn(t *testing.T, format Format, pairs []stats.Pair) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Draw(&b, format, "a title", pairs); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestDrawSVG checks that a plot is well-formed, has its texts, and is the same each time.
func TestDrawSVG(t *testing.T) {
	svg := drawn(t, SVG, video())
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range []string{"a title", "mean (score)", "95th percentile", "cut", "time in seconds", "path of the camera", "begin", "left"} {
		if !strings.Contains(string(svg), ">"+s+"<") {
			t.Errorf("there is no text %q", s)
		}
	}
	if !bytes.Equal(svg, drawn(t, SVG, video())) {
		t.Error("the same pairs give another plot")
	}
	if bytes.Contains(drawn(t, SVG, video()[:7]), []byte(">cut<")) {
		t.Error("there is a cut in a video without one")
	}
}

// TestDrawPNG looks for the wedge to the left in its colour, cyan, and for none to the right.
func TestDrawPNG(t *testing.T) {
	picture, err := png.Decode(bytes.NewReader(drawn(t, PNG, video())))
	if err != nil || picture.Bounds().Dx() != 1600 || picture.Bounds().Dy() != 1200 {
		t.Fatalf("%v, %v", picture.Bounds(), err)
	}
	count := map[bool]int{} // of cyan pixels, by whether they are left of the rose's centre
	for y := range 1200 {
		for x := range 800 {
			r, g, b, _ := picture.At(x, y).RGBA()
			if r>>8 < 60 && g>>8 > 150 && b>>8 > 150 {
				count[x < 410]++
			}
		}
	}
	if count[true] < 1000 || count[false] > 100 {
		t.Errorf("%d cyan pixels on the left, %d on the right", count[true], count[false])
	}
}

// TestRuns checks that curves and paths are interrupted at a cut.
func TestRuns(t *testing.T) {
	list := runs(video(), scored)
	if len(list) != 2 || len(list[0]) != 7 || len(list[1]) != 12 || list[1][0].Frame != 8 {
		t.Errorf("%d parts", len(list))
	}
	if c := cuts(video()); len(c) != 1 || math.Abs(c[0]-0.75) > 1e-9 {
		t.Errorf("cuts at %v", c)
	}
}

// TestDrawFew draws what has hardly anything to draw.
func TestDrawFew(t *testing.T) {
	drawn(t, SVG, video()[:1])
	noCamera := video()[:1]
	noCamera[0].Camera, noCamera[0].Interval = nil, 0
	drawn(t, PNG, noCamera)
	if err := Draw(io.Discard, SVG, "", video()[7:8]); !errors.Is(err, ErrNothing) {
		t.Errorf("a cut alone: %v", err)
	}
}
