package viewer

import (
	"math"
	"slices"
	"testing"
	"time"
)

// TestCurve measures flow files whose flow is (k, -k/2) with one other pixel.
func TestCurve(t *testing.T) {
	v := newViewer(t, Sources{Paths: []string{writeFlows(t, t.TempDir(), 6, 32, 24)}, Input: clip})
	i := v.items[0]
	if err := i.open(v); err != nil {
		t.Fatal(err)
	}
	c := v.curve(i, i.results[0])
	for end := time.Now().Add(20 * time.Second); !c.Done && time.Now().Before(end); c = v.curve(i, i.results[0]) {
		time.Sleep(10 * time.Millisecond)
	}
	if !c.Done || len(c.Pairs) != 6 || len(c.Cuts) != 0 {
		t.Fatalf("the curve is %+v", c)
	}
	for k, p := range c.Pairs {
		want := (767*math.Hypot(float64(k), float64(k)/2) + math.Hypot(7.25, float64(k)/2)) / 768
		if p.Frame != k || p.Motion == nil || math.Abs(p.Length.Mean-want) > 1e-3 {
			t.Errorf("frame %d: %+v, want a mean length of %.4f", k, p, want)
		}
	}
}

func TestSpread(t *testing.T) {
	got := spread([]int{10, 11, 12, 13, 14, 15})
	if !slices.Equal(got, []int{10, 14, 12, 11, 15, 13}) {
		t.Errorf("the order is %v", got)
	}
	if got := spread(nil); len(got) != 0 {
		t.Errorf("the order of nothing is %v", got)
	}
	if got := spread([]int{7}); !slices.Equal(got, []int{7}) {
		t.Errorf("the order of one is %v", got)
	}
}
