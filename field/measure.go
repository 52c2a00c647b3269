package field

import (
	"errors"
	"fmt"
	"math"
)

var (
	// ErrSizes is returned if two fields, or a field and a mask, differ in size.
	ErrSizes = errors.New("the sizes differ")
	// ErrInfiniteFlow is returned if the ground truth of a pixel is known and its estimate is infinite.
	ErrInfiniteFlow = errors.New("the estimate is infinite where the ground truth is known")
)

// EndpointError returns the length of the difference of two vectors, in pixels.
func EndpointError(u, v, trueU, trueV float32) float64 {
	du, dv := float64(u)-float64(trueU), float64(v)-float64(trueV)
	return math.Sqrt(du*du + dv*dv)
}

// AngularError returns the angle in degrees between (u, v, 1) and (trueU, trueV, 1), as defined by Barron, Fleet and
// Beauchemin (Performance of optical flow techniques, 1994).
func AngularError(u, v, trueU, trueV float32) float64 {
	a, b, c, d := float64(u), float64(v), float64(trueU), float64(trueV)
	// atan2 keeps the precision that the arc cosine of the normalised product loses at small angles.
	cross := math.Sqrt((a*d-b*c)*(a*d-b*c) + (a-c)*(a-c) + (b-d)*(b-d))
	return math.Atan2(cross, a*c+b*d+1) * 180 / math.Pi
}

// Outlier reports whether an endpoint error counts as an outlier by KITTI's definition: it is more than 3 pixels and more
// than 5 % of the true length. Both are in pixels.
func Outlier(epe, trueLength float64) bool { return epe > 3 && epe > 0.05*trueLength }

// Errors accumulates the errors of a set of pixels, of one field or several. The zero value is the empty set. Its mean
// errors and percentages are NaN.
type Errors struct {
	Pixels              int64   // pixels whose ground truth and estimate are known
	Unknown             int64   // pixels whose ground truth alone is known; they are in no other sum
	EndpointSum         float64 // sum of endpoint errors, in pixels
	AngularSum          float64 // sum of angular errors, in degrees
	Over1, Over3, Over5 int64   // number of pixels whose endpoint error exceeds 1, 3, 5 pixels
	Outliers            int64   // number of outliers by KITTI's definition
}

// Add adds the pixels of another set.
func (e *Errors) Add(o Errors) {
	e.Pixels += o.Pixels
	e.Unknown += o.Unknown
	e.EndpointSum += o.EndpointSum
	e.AngularSum += o.AngularSum
	e.Over1 += o.Over1
	e.Over3 += o.Over3
	e.Over5 += o.Over5
	e.Outliers += o.Outliers
}

// EPE returns the mean endpoint error in pixels.
func (e Errors) EPE() float64 { return e.EndpointSum / float64(e.Pixels) }

// AAE returns the mean angular error in degrees.
func (e Errors) AAE() float64 { return e.AngularSum / float64(e.Pixels) }

// Percent returns count as a percentage of the pixels, for example Percent(e.Over1).
func (e Errors) Percent(count int64) float64 { return 100 * float64(count) / float64(e.Pixels) }

// Fl returns the percentage of outliers by KITTI's definition.
func (e Errors) Fl() float64 { return e.Percent(e.Outliers) }

// Density returns the percentage of the pixels whose estimate is known.
func (e Errors) Density() float64 { return 100 * float64(e.Pixels) / float64(e.Pixels+e.Unknown) }

// Compare returns the errors of an estimate, one Errors for each class of pixels. Only pixels whose ground truth is known
// count. class maps a pixel, by its index y*Width+x and its true length in pixels, to a class in [0, classes); pixels
// with another result do not count. A nil class puts all pixels into class 0. Pixels whose estimate is unknown count in
// Unknown alone. A caller must report the density, because leaving out difficult pixels makes an estimate look good.
// The errors are ErrSizes and ErrInfiniteFlow.
func Compare(estimate, truth *Field, classes int, class func(pixel int, trueLength float64) int) ([]Errors, error) {
	if estimate.Width != truth.Width || estimate.Height != truth.Height {
		return nil, fmt.Errorf("%w: the estimate is %dx%d, the ground truth %dx%d", ErrSizes, estimate.Width, estimate.Height, truth.Width, truth.Height)
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
		e.EndpointSum += epe
		e.AngularSum += AngularError(u, v, tu, tv)
		e.Over1 += count(epe > 1)
		e.Over3 += count(epe > 3)
		e.Over5 += count(epe > 5)
		e.Outliers += count(Outlier(epe, length))
	}
	return sums, nil
}

// Measure returns the errors of an estimate over all pixels whose ground truth is known. See Compare.
func Measure(estimate, truth *Field) (Errors, error) {
	sums, err := Compare(estimate, truth, 1, nil)
	if err != nil {
		return Errors{}, err
	}
	return sums[0], nil
}

func count(condition bool) int64 {
	if condition {
		return 1
	}
	return 0
}
