package half

import (
	"math"
	"testing"
)

// TestRound tests all 16-bit numbers: each rounds to itself, the midpoint of two neighbours to the even one, and other
// values to the nearer one.
func TestRound(t *testing.T) {
	for b := uint16(0); b < 0x7c00; b++ {
		low, high := From(b), From(b+1)
		if b+1 == 0x7c00 {
			high = 65536 // the next number if there were no infinity
		}
		middle := low + (high-low)/2
		even := low
		if b&1 == 1 {
			even = high
		}
		for _, c := range []struct{ in, want float32 }{
			{low, low},
			{middle, even},
			{math.Nextafter32(middle, 0), low},
			{math.Nextafter32(middle, 1e9), high},
		} {
			if c.want == 65536 {
				c.want = float32(math.Inf(1))
			}
			if got := Round(c.in); got != c.want {
				t.Fatalf("Round(%v) = %v, want %v", c.in, got, c.want)
			}
			if got := Round(-c.in); got != -c.want {
				t.Fatalf("Round(%v) = %v, want %v", -c.in, got, -c.want)
			}
		}
	}
	if v := Round(float32(math.NaN())); v == v {
		t.Errorf("Round(NaN) = %v", v)
	}
}
