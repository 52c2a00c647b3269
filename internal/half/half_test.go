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

// TestBits stores every 16-bit number, and values between two.
func TestBits(t *testing.T) {
	for b := range 1 << 16 {
		v := From(uint16(b))
		if v != v {
			if got := Bits(v); got&0x7fff != 0x7e00 {
				t.Fatalf("NaN is %#x", got)
			}
		} else if got := Bits(v); got != uint16(b) {
			t.Fatalf("%v is %#x, want %#x", v, got, b)
		}
	}
	for v, want := range map[float32]float32{1.0004: 1, 1.0006: 1.0009765625, 70000: float32(math.Inf(1)), -1e-9: 0} {
		if got := From(Bits(v)); got != want {
			t.Errorf("%v is %v, want %v", v, got, want)
		}
	}
}
