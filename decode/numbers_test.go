package decode

import "testing"

// TestNumbers numbers frames around lost ones. The decoder may report a loss late; the time stamps of the packets tell
// its place.
func TestNumbers(t *testing.T) {
	all := []int64{0, 10, 20, 30, 40, 50}
	for name, c := range map[string]struct {
		times       []int64
		frames      []int64 // time stamps
		lost, index []int   // frames lost so far, and the expected number, for each frame
	}{
		"none lost":     {all, []int64{0, 10, 20}, []int{0, 0, 0}, []int{0, 1, 2}},
		"first lost":    {nil, []int64{10, 20}, []int{1, 1}, []int{1, 2}},
		"in time":       {all, []int64{0, 10, 30}, []int{0, 0, 1}, []int{0, 1, 3}},
		"early":         {all, []int64{0, 10, 30}, []int{0, 1, 1}, []int{0, 1, 3}},
		"two gaps":      {all, []int64{0, 20, 30, 50}, []int{0, 2, 2, 2}, []int{0, 2, 3, 5}},
		"unknown times": {nil, []int64{0, 10, 30}, []int{0, 1, 1}, []int{0, 2, 3}},
		"corrected":     {all, []int64{0, 11, 30}, []int{0, 1, 1}, []int{0, 2, 3}},
	} {
		n := numbers{times: c.times}
		for i, pts := range c.frames {
			if got := n.next(pts, c.lost[i]); got != c.index[i] {
				t.Errorf("%s: frame %d has number %d, want %d", name, i, got, c.index[i])
			}
		}
	}
}
