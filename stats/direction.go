package stats

import "math"

// Directions is a histogram of directions, weighted by length. Bin i is centred on i * 22.5 degrees, clockwise on the
// screen: 0 is to the right, 4 down, 8 to the left, 12 up.
type Directions [16]float64

// Dominant is the strongest direction of a histogram.
type Dominant struct {
	Degrees float64 `json:"degrees"` // centre of its bin, clockwise on the screen: 0 right, 90 down, 180 left, 270 up
	Share   float64 `json:"share"`   // of its bin
}

// dominant returns the strongest direction, of equal ones the first; nil for an empty histogram.
func (d *Directions) dominant() *Dominant {
	best := 0
	for i := range d {
		if d[i] > d[best] {
			best = i
		}
	}
	if d[best] == 0 {
		return nil
	}
	return &Dominant{360 * float64(best) / float64(len(d)), d[best]}
}

// shares returns the bins as shares of their sum; an empty histogram is all 0.
func (d Directions) shares() Directions {
	total := 0.0
	for _, x := range d {
		total += x
	}
	for i := range d {
		if total > 0 {
			d[i] /= total
		}
	}
	return d
}

// Tangents of the borders between the bins of a quadrant.
var tangents = [4]float32{tangent(11.25), tangent(33.75), tangent(56.25), tangent(78.75)}

func tangent(degrees float64) float32 { return float32(math.Tan(degrees * math.Pi / 180)) }

// bin returns the bin of a vector that is not zero. Comparing with the borders is several times as fast as an arc tangent.
func bin(u, v float32) int {
	a, b := max(u, -u), max(v, -v)
	k := 0 // in the quadrant of right and down: 0 is right, 4 down
	for _, t := range tangents {
		if b > t*a {
			k++
		}
	}
	if u < 0 {
		k = 8 - k
	}
	if v < 0 {
		k = 16 - k
	}
	return k & 15
}
