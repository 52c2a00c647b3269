// Package half converts between 16-bit and 32-bit IEEE 754 numbers.
package half

import "math"

// From is the value of a 16-bit number, exactly.
func From(b uint16) float32 {
	sign, exponent, fraction := uint32(b>>15)<<31, uint32(b>>10)&31, uint32(b)&1023
	switch {
	case exponent == 31:
		return math.Float32frombits(sign | 255<<23 | fraction<<13)
	case exponent != 0:
		return math.Float32frombits(sign | (exponent+112)<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | math.Float32bits(float32(fraction)/(1<<24)))
}

// Round is the 16-bit number nearest to v, as a 32-bit one; of two that are equally near, the one whose last
// bit is 0. What is too large becomes infinite.
func Round(v float32) float32 {
	b := math.Float32bits(v)
	switch magnitude := b &^ (1 << 31); {
	case magnitude >= 0x7f800000: // infinite, or no number
		return v
	case magnitude >= 0x477ff000: // 65520, from which on the nearest is beyond the largest, 65504
		return math.Float32frombits(b&(1<<31) | 0x7f800000)
	case magnitude < 0x38800000: // 2^-14: below it the steps are 2^-24, as those of float32 are from 0.5 to 1
		const shift = 0.5
		if b>>31 != 0 {
			return -((-v + shift) - shift)
		}
		return (v + shift) - shift
	}
	return math.Float32frombits((b + 0xfff + b>>13&1) &^ 0x1fff)
}
