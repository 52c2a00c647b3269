package visualize

import "math"

// The wheel's colours without atan2. The colour of the rim comes from a table indexed by direction: the signs of u and v
// and which of them is larger select one of eight octants, and the ratio smaller/larger, 0 to 1, an entry in it. An entry
// holds the complements 255-c of the three channels in quarter levels, in three 21-bit lanes of a word, so that one
// multiplication blends all three with white:
//
//	colour = 255 - length * (255 - rim),   length in units of 1/2048
//
// Every channel is within one level of the exact formula. The error before rounding is at most 0.28 levels from direction
// (half a step of 1/1023 radian, where the steepest segment climbs 255/4 levels in 2*pi/55), 0.13 from the quarter levels
// and 0.07 from the length. The sum is below one, so rounding changes the level by at most one. TestErrorBound checks
// this.
const (
	octant     = 1024       // entries per octant
	beyond     = 8 * octant // offset of the darkened colours of flow longer than MaxFlow
	lengthUnit = 2048       // stands for MaxFlow
	lane       = 21         // bits per lane
	laneShift  = 13         // log2(4 * lengthUnit): from quarter levels times length to levels
	laneHalf   = 1 << (laneShift - 1) * (1 | 1<<lane | 1<<(2*lane))
)

var directions = func() *[2 * beyond]uint64 {
	t := new([2 * beyond]uint64)
	for i := range beyond {
		angle := math.Atan(float64(i%octant) / (octant - 1))
		key := i / octant
		if key&1 != 0 { // |v| > |u|
			angle = math.Pi/2 - angle
		}
		if key&2 != 0 { // u < 0
			angle = math.Pi - angle
		}
		if key&4 != 0 { // v < 0
			angle = -angle
		}
		for c, level := range rim(angle) {
			t[i] |= uint64(math.Round(4*(255-level))) << (lane * c)
			t[beyond+i] |= uint64(math.Round(4*(255-dark*level))) << (lane * c)
		}
	}
	return t
}()

const infinity = 0x7f800000 // bits of +Inf; those of NaN are greater

// wheelRow writes the colours of a row of vectors (u, v interleaved) to pix. scale is 1/MaxFlow.
func wheelRow(pix []byte, vectors []float32, scale float32) {
	for len(vectors) >= 2 && len(pix) >= 3 {
		u, v := vectors[0], vectors[1]
		bu, bv := math.Float32bits(u), math.Float32bits(v)
		au, av := bu&^(1<<31), bv&^(1<<31)
		// The bits of positive floats have the same order as the floats.
		long, short := max(au, av), min(au, av)
		if long >= infinity {
			pix[0], pix[1], pix[2] = 0, 0, 0
		} else {
			// The tiny addend prevents 0/0 for zero motion and changes nothing else.
			index := int(math.Float32frombits(short)/(math.Float32frombits(long)+1e-37)*(octant-1) + 0.5)
			index |= int(bu>>31<<1|bv>>31<<2) * octant
			if av > au {
				index |= octant
			}
			su, sv := u*scale, v*scale
			length := uint64(lengthUnit)
			if r := su*su + sv*sv; r <= 1 {
				length = uint64(float32(math.Sqrt(float64(r)))*lengthUnit + 0.5)
			} else {
				index |= beyond
			}
			c := directions[index&(2*beyond-1)]*length + laneHalf
			pix[0] = 255 - uint8(c>>laneShift)
			pix[1] = 255 - uint8(c>>(laneShift+lane))
			pix[2] = 255 - uint8(c>>(laneShift+2*lane))
		}
		vectors, pix = vectors[2:], pix[3:]
	}
}
