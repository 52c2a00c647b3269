package visualize

import (
	"math"
	"slices"

	"github.com/wwflow/wwflow/field"
)

// Scale finds one MaxFlow for a whole video from a few of its fields.
//
// Each field counts with the length that nearly all of its known vectors stay below. Where the field has a
// confidence c, which stands for an expected error of 1/c - 1 pixels, a length counts without that error,
// for what may be nothing at all does not set the scale, and nearly all is 99.8 %: a static camera's picture
// may hold no more than a walker or two. Where it has none it is 99 %, so that a few wild pixels do not wash
// out the picture. The scale is the greatest of these, but the second greatest where four fields or more were
// seen, for one of them may lie across a scene cut; it is then rounded up to a round number, and never below
// one pixel: a still scene stays white instead of showing its noise.
type Scale struct{ lengths []float64 }

// Add takes a field into account. Its lengths are multiplied by factor first, for a field that was estimated
// at another size: factor = 2 where that was half the size at which the video will be painted.
func (s *Scale) Add(f *field.Field, factor float64) {
	nearlyAll := 0.99
	if f.Confidence != nil {
		nearlyAll = 0.998
	}
	if l, ok := quantile(f, nearlyAll, true); ok {
		s.lengths = append(s.lengths, l*factor)
	}
}

// Pixels is the MaxFlow for the fields added so far; 1 where there is none.
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

// Length is the length in pixels that the share q (0 to 1) of the field's known vectors does not exceed;
// false where no vector is known. Large fields are sampled on a regular grid of at most about 130,000 pixels.
func Length(f *field.Field, q float64) (float64, bool) { return quantile(f, q, false) }

// quantile is Length, of lengths without their expected error where sure is asked for and known.
func quantile(f *field.Field, q float64, sure bool) (float64, bool) {
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
			if sure && f.Confidence != nil {
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

// roundUp is the next number of the series 1, 1.5, 2, 3, 4, 5, 6, 8, 10, 15 ... that is no less than x and 1.
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
