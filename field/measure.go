package field

import (
	"errors"
	"fmt"
	"math"
)

var (
	// ErrSizes is returned where two fields, or a field and a mask, differ in size.
	ErrSizes = errors.New("the sizes differ")
	// ErrInfiniteFlow is returned where the truth is known and the estimate is infinite.
	ErrInfiniteFlow = errors.New("the estimate is infinite where the truth is known")
)

// EndpointError is the length of the difference of two vectors, in pixels.
func EndpointError(u, v, trueU, trueV float32) float64 {
	du, dv := float64(u)-float64(trueU), float64(v)-float64(trueV)
	return math.Sqrt(du*du + dv*dv)
}

// AngularError is the angle in degrees between (u, v, 1) and (trueU, trueV, 1), as Barron, Fleet and Beauchemin define
// it (Performance of optical flow techniques, 1994).
func AngularError(u, v, trueU, trueV float32) float64 {
	a, b, c, d := float64(u), float64(v), float64(trueU), float64(trueV)
	// The same angle as the arc cosine of the normalised product, without its loss of digits at small angles.
	cross := math.Sqrt((a*d-b*c)*(a*d-b*c) + (a-c)*(a-c) + (b-d)*(b-d))
	return math.Atan2(cross, a*c+b*d+1) * 180 / math.Pi
}

// Outlier is KITTI's rule: the error is more than 3 pixels and more than 5 % of the true length, both in pixels.
func Outlier(epe, trueLength float64) bool { return epe > 3 && epe > 0.05*trueLength }

// Errors sums what a set of pixels has in errors. Sums of several fields are added up, so that figures are
// pooled over pixels. The zero value is that of no pixels, whose figures are NaN.
type Errors struct {
	Pixels              int64   // pixels whose truth and estimate are known
	Unknown             int64   // pixels whose truth alone is known; they are in no other sum
	Length              float64 // sum of endpoint errors, pixels
	Angle               float64 // sum of angular errors, degrees
	Over1, Over3, Over5 int64   // pixels whose endpoint error is more than 1, 3, 5
	Outliers            int64   // pixels that are outliers by KITTI's rule
}

// Add adds the pixels of another set.
func (e *Errors) Add(o Errors) {
	e.Pixels += o.Pixels
	e.Unknown += o.Unknown
	e.Length += o.Length
	e.Angle += o.Angle
	e.Over1 += o.Over1
	e.Over3 += o.Over3
	e.Over5 += o.Over5
	e.Outliers += o.Outliers
}

// EPE is the mean endpoint error in pixels.
func (e Errors) EPE() float64 { return e.Length / float64(e.Pixels) }

// AAE is the mean angular error in degrees.
func (e Errors) AAE() float64 { return e.Angle / float64(e.Pixels) }

// Percent is 100 times the share of count in the pixels.
func (e Errors) Percent(count int64) float64 { return 100 * float64(count) / float64(e.Pixels) }

// Fl is the share of outliers by KITTI's rule, in percent.
func (e Errors) Fl() float64 { return e.Percent(e.Outliers) }

// Density is the share of the pixels whose estimate is known, in percent.
func (e Errors) Density() float64 { return 100 * float64(e.Pixels) / float64(e.Pixels+e.Unknown) }

// Compare measures an estimate against the truth, over the pixels where the truth is known and class, which tells a
// pixel's class from its number y*Width+x and its true length in pixels, is in [0, classes). A nil class puts all
// pixels into class 0. Pixels whose estimate is unknown are counted in Unknown alone: a caller must report the density,
// because to leave out difficult pixels makes an estimate look good. The errors are ErrSizes and ErrInfiniteFlow.
func Compare(estimate, truth *Field, classes int, class func(pixel int, trueLength float64) int) ([]Errors, error) {
	if estimate.Width != truth.Width || estimate.Height != truth.Height {
		return nil, fmt.Errorf("%w: the estimate is %dx%d, the truth %dx%d", ErrSizes, estimate.Width, estimate.Height, truth.Width, truth.Height)
	}
	sums := make([]Errors, classes)
	for i := 0; i < len(truth.Vectors); i += 2 {
		tu, tv := truth.Vectors[i], truth.Vectors[i+1]
		if !Known(tu, tv) {
			continue
		}
		length, c := math.Hypot(float64(tu), float64(tv)), 0
		if class != nil {
			if c = class(i/2, length); c < 0 || c >= classes {
				continue
			}
		}
		e := &sums[c]
		u, v := estimate.Vectors[i], estimate.Vectors[i+1]
		if !Known(u, v) {
			e.Unknown++
			continue
		}
		epe := EndpointError(u, v, tu, tv)
		if !(epe <= math.MaxFloat32) {
			return nil, fmt.Errorf("%w, in column %d, row %d", ErrInfiniteFlow, i/2%truth.Width, i/2/truth.Width)
		}
		e.Pixels++
		e.Length += epe
		e.Angle += AngularError(u, v, tu, tv)
		e.Over1 += count(epe > 1)
		e.Over3 += count(epe > 3)
		e.Over5 += count(epe > 5)
		e.Outliers += count(Outlier(epe, length))
	}
	return sums, nil
}

// Measure is Compare over all pixels where the truth is known.
func Measure(estimate, truth *Field) (Errors, error) {
	sums, err := Compare(estimate, truth, 1, nil)
	if err != nil {
		return Errors{}, err
	}
	return sums[0], nil
}

func count(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}
