package field

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// TestMeasureRealPairs measures a still estimate against real ground truth. The figures wanted were worked out
// elsewhere with OpenCV and NumPy; the data's README has them.
func TestMeasureRealPairs(t *testing.T) {
	root := filepath.Join("..", "..", "shared", "data", "pairs")
	if _, err := os.Stat(root); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("the real pairs aren't there: %v", err)
	}
	for _, c := range []struct {
		name         string
		epe, px1, fl float64
	}{
		{"middlebury/Dimetrodon/flow.flo", 2.058, 97.5, 13.4},
		{"mbstereo/Teddy/flow.flo", 26.638, 97.3, 97.3},
		{"sintel/alley_1_0001/flow.flo", 2.803, 100, 30.1},
		{"chairs/0/flow.flo", 6.053, 99.9, 25.2},
		{"kitti12/000045/flow.png", 10.654, 94.7, 78.9},
		{"kitti15/000002/flow.png", 12.860, 99.7, 88.4},
	} {
		truth, err := ReadFile(filepath.Join(root, c.name))
		if err != nil {
			t.Fatal(err)
		}
		e, err := Measure(New(truth.Width, truth.Height), truth)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(e.EPE()-c.epe) > 0.0006 || math.Abs(e.Percent(e.Over1)-c.px1) > 0.06 || math.Abs(e.Fl()-c.fl) > 0.06 {
			t.Errorf("%s: EPE %.4f, 1px %.2f, Fl %.2f; want %v %v %v", c.name, e.EPE(), e.Percent(e.Over1), e.Fl(), c.epe, c.px1, c.fl)
		}
	}
}

func TestAngularError(t *testing.T) {
	for _, c := range []struct{ u, v, tu, tv, want float64 }{
		{0, 0, 0, 0, 0}, {1, 0, 0, 0, 45}, {3, -4, 3, -4, 0}, {1, 0, -1, 0, 90}, {0, 0, 0, 2, 63.43494882292201},
		{1e-4, 0, 0, 0, 0.005729577932}, // too small for the arc cosine of a rounded product
	} {
		if got := AngularError(float32(c.u), float32(c.v), float32(c.tu), float32(c.tv)); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("%v: %v", c, got)
		}
	}
}

func TestCompare(t *testing.T) {
	truth, estimate := New(3, 2), New(3, 2)
	truth.Vectors = []float32{0, 0, 100, 0, Unknown(), 0, 3, 4, 0, 0, 0, 0}
	estimate.Vectors = []float32{0, 1, 104, 0, Unknown(), 5, 3, 0, 0, 0, 0, 6}
	e, err := Measure(estimate, truth)
	if err != nil {
		t.Fatal(err)
	}
	want := Errors{Pixels: 5, Length: 1 + 4 + 4 + 0 + 6, Angle: e.Angle, Over1: 3, Over3: 3, Over5: 1, Outliers: 2}
	if e != want {
		t.Errorf("%+v, want %+v", e, want)
	}
	byRow, err := Compare(estimate, truth, 2, func(pixel int, _ float64) int { return pixel/3*2 - 1 })
	if err != nil || byRow[0].Pixels != 0 || byRow[1].Pixels != 3 || byRow[1].Length != 10 {
		t.Errorf("%+v, %v", byRow, err)
	}
	estimate.Vectors[1] = Unknown()
	if _, err := Measure(estimate, truth); !errors.Is(err, ErrUnknownFlow) {
		t.Errorf("an unknown estimate: %v", err)
	}
	if _, err := Measure(New(2, 3), truth); !errors.Is(err, ErrSizes) {
		t.Errorf("another size: %v", err)
	}
}
