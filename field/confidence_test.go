package field_test

import (
	"testing"

	"github.com/wwflow/wwflow/field"
)

func TestMaskBelow(t *testing.T) {
	f := field.New(3, 1)
	f.Vectors = []float32{1, 2, 3, 4, 5, 6}
	f.MaskBelow(0.5)
	if u, v := f.At(0, 0); u != 1 || v != 2 || f.ShareBelow(0.5) != 0 {
		t.Errorf("a field without confidence was masked: (%g, %g), share %g", u, v, f.ShareBelow(0.5))
	}
	f.Confidence = []float32{0.4, 0.5, 0.9}
	for minConfidence, want := range map[float32]float64{0: 0, 0.4: 0, 0.5: 1. / 3, 0.6: 2. / 3, 1: 1} {
		if got := f.ShareBelow(minConfidence); got != want {
			t.Errorf("share below %g is %g, want %g", minConfidence, got, want)
		}
	}
	f.MaskBelow(0.5)
	for x, want := range []bool{false, true, true} {
		if u, v := f.At(x, 0); field.Known(u, v) != want || want && u != float32(2*x+1) {
			t.Errorf("pixel %d is (%g, %g)", x, u, v)
		}
	}
}
