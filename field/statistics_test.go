package field

import (
	"math"
	"testing"
)

func TestStatistics(t *testing.T) {
	f := New(103, 1)
	for i := range 100 {
		f.Vectors[2*i], f.Vectors[2*i+1] = float32(-3*(i+1)), float32(4*(i+1))
	}
	f.Vectors[200] = Unknown()
	f.Vectors[203] = float32(math.Inf(1))
	f.Vectors[204], f.Vectors[205] = -3*101, 4*101
	want := Statistics{
		Width: 103, Height: 1, Known: 102, Unknown: 1, Infinite: 1,
		U:      Distribution{-303, -153, -153, -6, -3},
		V:      Distribution{4, 204, 204, 400, 404},
		Length: Distribution{5, 255, 255, 500, 505},
	}
	if got := f.Statistics(); got != want {
		t.Errorf("%+v\nwant %+v", got, want)
	}
	if used := testing.AllocsPerRun(3, func() { f.Statistics() }); used > 1 {
		t.Errorf("Statistics makes %g allocations, want one buffer", used)
	}
	empty := New(1, 1)
	empty.Vectors[0] = Unknown()
	if got := (empty.Statistics()); got != (Statistics{Width: 1, Height: 1, Unknown: 1}) {
		t.Errorf("%+v", got)
	}
}
