package parallel

import (
	"slices"
	"sync"
	"testing"
)

// TestRanges checks that every index is in exactly one range.
func TestRanges(t *testing.T) {
	for _, c := range []struct{ n, threads int }{{0, 3}, {1, 3}, {7, 3}, {7, 1}, {100, 0}, {3, 7}} {
		var mu sync.Mutex
		var seen []int
		Ranges(c.n, c.threads, func(from, to int) {
			mu.Lock()
			defer mu.Unlock()
			for i := from; i < to; i++ {
				seen = append(seen, i)
			}
		})
		slices.Sort(seen)
		want := make([]int, 0, c.n)
		for i := range c.n {
			want = append(want, i)
		}
		if !slices.Equal(seen, want) {
			t.Errorf("%d indices on %d threads: %v", c.n, c.threads, seen)
		}
	}
}
