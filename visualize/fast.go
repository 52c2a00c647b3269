package visualize

import (
	"math"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
)

// Painting without atan2. The rim's colour comes from a table over direction: the signs of u and v and
// which of them is longer choose one of eight octants, and shorter/longer, in 0..1, a place in it. The
// table holds the complement 255-c of the three channels, each in quarters of a level, in three lanes of
// 21 bits of one word, so that blending with white by length is one multiplication for all three:
//
//	colour = 255 - length * (255 - rim),   length in 1/2048
//
// Error bound: every channel is within one level of the formula. The real-valued result is off by at most
// 0.28 levels for direction (half a step of 1/1023 radian, where the steepest segment climbs 255/4 levels
// in 2*pi/55), 0.13 for the quarter level and 0.07 for the length's step; being less than one, it can move
// the rounded level by one at most. A test checks the bound on a grid and on real fields.
const (
	octant     = 1024       // places in an octant
	beyond     = 8 * octant // offset of the darkened colours, for flow beyond the scale's end
	lengthUnit = 2048       // the length that is the scale's end
	lane       = 21         // bits of a lane
	laneShift  = 13         // log2(4 * lengthUnit): from quarter levels times length to levels
	laneHalf   = 1 << (laneShift - 1) * (1 | 1<<lane | 1<<(2*lane))
)

var directions = func() *[2 * beyond]uint64 {
	t := new([2 * beyond]uint64)
	for i := range beyond {
		angle := math.Atan(float64(i%octant) / (octant - 1))
		key := i / octant
		if key&1 != 0 { // v is the longer one
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

const infinity = 0x7f800000 // bits of +Inf: NaN and Inf, without their sign, are no less

// wheelRow writes the wheel's colours of a row of vectors (u, v interleaved) to pix.
func wheelRow(pix []byte, vectors []float32, scale float32) {
	for len(vectors) >= 2 && len(pix) >= 3 {
		u, v := vectors[0], vectors[1]
		bu, bv := math.Float32bits(u), math.Float32bits(v)
		au, av := bu&^(1<<31), bv&^(1<<31)
		// Bits of positive floats are ordered as the floats are.
		long, short := max(au, av), min(au, av)
		if long >= infinity {
			pix[0], pix[1], pix[2] = 0, 0, 0
		} else {
			// The tiny addend keeps zero motion from 0/0 and changes nothing else.
			place := int(math.Float32frombits(short)/(math.Float32frombits(long)+1e-37)*(octant-1) + 0.5)
			place |= int(bu>>31<<1|bv>>31<<2) * octant
			if av > au {
				place |= octant
			}
			su, sv := u*scale, v*scale
			length := uint64(lengthUnit)
			if r := su*su + sv*sv; r <= 1 {
				length = uint64(float32(math.Sqrt(float64(r)))*lengthUnit + 0.5)
			} else {
				place |= beyond
			}
			c := directions[place&(2*beyond-1)]*length + laneHalf
			pix[0] = 255 - uint8(c>>laneShift)
			pix[1] = 255 - uint8(c>>(laneShift+lane))
			pix[2] = 255 - uint8(c>>(laneShift+2*lane))
		}
		vectors, pix = vectors[2:], pix[3:]
	}
}

func (p *Painter) flowRow(out *frame.Frame, f *field.Field, y int) {
	wheelRow(out.Pix[3*out.Width*y:3*out.Width*(y+1)], f.Vectors[2*f.Width*y:2*f.Width*(y+1)], p.scale)
}
