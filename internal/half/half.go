// Package half converts between 16-bit and 32-bit IEEE 754 floating-point numbers.
package half

import "math"

// From returns the value of a 16-bit number, which float32 represents exactly.
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

// Bits returns v rounded as by Round, as a 16-bit number. A NaN becomes the quiet NaN 0x7e00.
func Bits(v float32) uint16 {
	b := math.Float32bits(Round(v))
	sign, magnitude := uint16(b>>31)<<15, b&^(1<<31)
	switch {
	case magnitude > 0x7f800000:
		return 0x7e00
	case magnitude == 0x7f800000:
		return sign | 0x7c00
	case magnitude < 0x38800000: // subnormal: a multiple of 2^-24
		return sign | uint16(math.Float32frombits(magnitude)*(1<<24))
	}
	return sign | uint16((magnitude-112<<23)>>13)
}

// Round returns v rounded to the nearest 16-bit number, ties to even. Values that are too large become infinite.
func Round(v float32) float32 {
	b := math.Float32bits(v)
	switch magnitude := b &^ (1 << 31); {
	case magnitude >= 0x7f800000: // infinity or NaN
		return v
	case magnitude >= 0x477ff000: // 65520 and above round to infinity; the largest number is 65504
		return math.Float32frombits(b&(1<<31) | 0x7f800000)
	case magnitude < 0x38800000: // below 2^-14 the spacing is 2^-24, the spacing of float32 between 0.5 and 1
		const shift = 0.5
		if b>>31 != 0 {
			return -((-v + shift) - shift)
		}
		return (v + shift) - shift
	}
	return math.Float32frombits((b + 0xfff + b>>13&1) &^ 0x1fff)
}
