package field_test

import (
	"errors"
	"math"
	"path/filepath"
	"testing"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/internal/testutil"
)

// TestMeasureRealPairs measures an estimate of zero motion against real ground truth. The expected figures were computed
// independently with OpenCV and NumPy; the README of the data has them.
func TestMeasureRealPairs(t *testing.T) {
	root := testutil.Require(t, "pairs")
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
		truth, err := flowfile.Read(filepath.Join(root, c.name))
		if err != nil {
			t.Fatal(err)
		}
		e, err := field.Measure(field.New(truth.Width, truth.Height), truth)
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
		{1e-4, 0, 0, 0, 0.005729577932}, // the arc cosine formula fails here
	} {
		if got := field.AngularError(float32(c.u), float32(c.v), float32(c.tu), float32(c.tv)); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("%v: %v", c, got)
		}
	}
}

func TestCompare(t *testing.T) {
	truth, estimate := field.New(3, 2), field.New(3, 2)
	truth.Vectors = []float32{0, 0, 100, 0, field.Unknown(), 0, 3, 4, 0, 0, 0, 0}
	estimate.Vectors = []float32{0, 1, 104, 0, field.Unknown(), 5, 3, 0, 0, 0, 0, 6}
	e, err := field.Measure(estimate, truth)
	if err != nil {
		t.Fatal(err)
	}
	want := field.Errors{Pixels: 5, EndpointSum: 1 + 4 + 4 + 0 + 6, AngularSum: e.AngularSum, Over1: 3, Over3: 3, Over5: 1, Outliers: 2}
	if e != want {
		t.Errorf("%+v, want %+v", e, want)
	}
	byRow, err := field.Compare(estimate, truth, 2, func(pixel int, _ float64) int { return pixel/3*2 - 1 })
	if err != nil || byRow[0].Pixels != 0 || byRow[1].Pixels != 3 || byRow[1].EndpointSum != 10 {
		t.Errorf("%+v, %v", byRow, err)
	}
	estimate.Vectors[1] = field.Unknown()
	e, err = field.Measure(estimate, truth)
	e.Add(e)
	if err != nil || e.Pixels != 8 || e.Unknown != 2 || e.EndpointSum != 28 || e.Density() != 80 {
		t.Errorf("one unknown estimate, added twice: %+v, density %v, %v", e, e.Density(), err)
	}
	estimate.Vectors[1] = float32(math.Inf(1))
	if _, err := field.Measure(estimate, truth); !errors.Is(err, field.ErrInfiniteFlow) {
		t.Errorf("an infinite estimate: %v", err)
	}
	if _, err := field.Measure(field.New(2, 3), truth); !errors.Is(err, field.ErrSizes) {
		t.Errorf("another size gave %v", err)
	}
}
