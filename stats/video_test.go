package stats

import (
	"math"
	"testing"
)

// TestSummary adds up pairs by hand: two with motion, a cut and one of unknown flow.
func TestSummary(t *testing.T) {
	s := Summary{}
	first, second := uniform(30, 40, 3, 4), uniform(30, 40, 0, 10) // 0.1 and 0.2 of the diagonal
	second.Pair.First.Index, second.Pair.Second.PTS = 9, 200       // 80 ms apart
	first.Confidence = make([]float32, 1200)
	for i := range first.Confidence {
		first.Confidence[i] = 0.75
	}
	for _, p := range []Pair{Measure(first, false), {Frame: 5, Cut: true}, {Frame: 6}, Measure(second, false)} {
		s.Add(p)
	}
	v := s.Video()
	if v.Pairs != 4 || v.Measured != 2 || v.Cuts != 1 || math.Abs(v.Seconds-0.12) > 1e-12 {
		t.Errorf("%+v", v)
	}
	if v.Length.Mean != 7.5 || math.Abs(v.Relative.Mean-0.15) > 1e-12 || v.Moving != 1 || *v.Confidence != 0.75 {
		t.Errorf("%+v", *v.Motion)
	}
	if math.Abs(v.Score-250) > 1e-9 || v.Class != Extreme { // 0.3 diagonals in 0.12 s
		t.Errorf("score %v, %s", v.Score, v.Class)
	}
	if v.Peak.Frame != 3 && v.Peak.Frame != 9 { // both 250 % per second
		t.Errorf("%+v", v.Peak)
	}
	// (3, 4) is in the bin of 45 degrees with a third of the length, (0, 10) in that of 90.
	if v.Direction.Degrees != 90 || math.Abs(v.Direction.Share-2./3) > 1e-9 || math.Abs(v.Directions[2]-1./3) > 1e-9 {
		t.Errorf("%+v %+v", v.Direction, v.Directions)
	}
	if c := v.Camera; math.Abs(c.Pan+1.5) > 1e-6 || math.Abs(c.Tilt-7) > 1e-6 || math.Abs(c.Zoom-1) > 1e-9 || math.Abs(v.Travel-7.5) > 1e-6 {
		t.Errorf("%+v, travel %v", *c, v.Travel)
	}
	if v := (&Summary{}).Video(); v.Motion != nil || v.Class != "" || v.Peak != nil {
		t.Errorf("no pairs give %+v", v)
	}
}

// TestZoomIsGeometric zooms in by 2 and out by 2: nothing in the mean.
func TestZoomIsGeometric(t *testing.T) {
	s := Summary{}
	for _, zoom := range []float64{2, 0.5} {
		s.Add(Pair{Motion: &Motion{Camera: &Camera{Zoom: zoom, Follow: zoom / 4}}})
	}
	if c := s.Video().Camera; math.Abs(c.Zoom-1) > 1e-12 || math.Abs(c.Follow-0.3125) > 1e-12 {
		t.Errorf("%+v", *c)
	}
}

func TestClasses(t *testing.T) {
	for _, c := range []struct {
		score, moving float64
		want          Class
	}{
		{0, 0, Static}, {1.99, 0.005, Static}, {0.1, 0.006, Low}, {2, 0, Low}, {4.99, 1, Low}, {5, 0, Medium}, {14.9, 1, Medium},
		{15, 1, High}, {49.9, 1, High}, {50, 0, Extreme}, {1e9, 1, Extreme},
	} {
		if got := classify(c.score, c.moving); got != c.want {
			t.Errorf("score %v, %v moving: %s, want %s", c.score, c.moving, got, c.want)
		}
	}
}
