package field_test

import (
	"testing"

	"github.com/wwflow/wwflow/field"
)

func TestDropUnsure(t *testing.T) {
	f := field.New(3, 1)
	f.Vectors = []float32{1, 2, 3, 4, 5, 6}
	f.DropUnsure(0.5) // says nothing of how sure it is
	f.Confidence = []float32{0.4, 0.5, 0.9}
	f.DropUnsure(0.5)
	for x, want := range []bool{false, true, true} {
		if u, v := f.At(x, 0); field.Known(u, v) != want || want && u != float32(2*x+1) {
			t.Errorf("pixel %d: (%g, %g)", x, u, v)
		}
	}
}
