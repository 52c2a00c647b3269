package visualize

import (
	"math"
	"slices"

	"github.com/wwflow/wwflow/field"
)

// Scale finds one MaxFlow for a whole video from a sample of its fields: the 99.8th percentile of the confident flow,
// ignoring the largest pair.
//
// The expected error of a vector, 1/c - 1 pixels for confidence c, is subtracted from its length, so that unconfident
// flow does not set the scale. Each field gives the 99.8th percentile of these lengths: with a static camera, a person
// may cover no more than 0.2 % of the picture. A field without confidence gives the 99th percentile of its lengths,
// because some of them may be wrong. The scale is the largest value, or the second largest of four or more, because one
// pair may lie across a scene cut. It is rounded up to a round number and is at least one pixel, so that a still scene
// is white instead of showing noise.
type Scale struct{ lengths []float64 }

// Add adds a field. Its lengths are multiplied by factor, for a field that was estimated at another size: factor is 2 if
// that was half the size of the painted video.
func (s *Scale) Add(f *field.Field, factor float64) {
	percentile := 0.99
	if f.Confidence != nil {
		percentile = 0.998
	}
	if l, ok := quantile(f, percentile, true); ok {
		s.lengths = append(s.lengths, l*factor)
	}
}

// Pixels returns the MaxFlow, in pixels, for the fields added so far. It is 1 if there are none.
func (s *Scale) Pixels() float64 {
	l := slices.Sorted(slices.Values(s.lengths))
	switch n := len(l); {
	case n == 0:
		return 1
	case n >= 4:
		return roundUp(l[n-2])
	default:
		return roundUp(l[n-1])
	}
}

// Length returns the q-quantile (q from 0 to 1) of the lengths of the known vectors in pixels, or false if no vector is
// known. Large fields are sampled on a regular grid of at most about 130,000 pixels.
func Length(f *field.Field, q float64) (float64, bool) { return quantile(f, q, false) }

// quantile is Length. With confident, it subtracts the expected error from each length if the field has a confidence.
func quantile(f *field.Field, q float64, confident bool) (float64, bool) {
	step := 1
	for f.Width*f.Height/(step*step) > 1<<17 {
		step++
	}
	var l []float64
	for y := step / 2; y < f.Height; y += step {
		for x := step / 2; x < f.Width; x += step {
			u, v := f.At(x, y)
			if !field.Known(u, v) {
				continue
			}
			length := math.Hypot(float64(u), float64(v))
			if confident && f.Confidence != nil {
				length = max(0, length-(1/float64(f.Confidence[y*f.Width+x])-1))
			}
			l = append(l, length)
		}
	}
	if len(l) == 0 {
		return 0, false
	}
	slices.Sort(l)
	return l[min(int(q*float64(len(l))), len(l)-1)], true
}

// roundUp returns the smallest number of the series 1, 1.5, 2, 3, 4, 5, 6, 8, 10, 15 ... that is at least x.
func roundUp(x float64) float64 {
	if !(x > 1) || math.IsInf(x, 0) {
		return 1
	}
	ten := math.Pow(10, math.Floor(math.Log10(x)))
	for _, s := range []float64{1, 1.5, 2, 3, 4, 5, 6, 8} {
		if x <= s*ten*(1+1e-9) {
			return s * ten
		}
	}
	return 10 * ten
}
