package spring

import (
	"fmt"
	"math"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/internal/half"
)

// The weighted area under the curve sums the weight (101-i)/100 of every threshold i/20, i = 1..100, that an error does
// not exceed. wauc[i] is 100 times the sum for an error in ((i-1)/20, i/20]: an integer, so that sums are exact.
var (
	wauc      [102]int64
	waucTotal = int64(100 * 101 / 2)
	waucLimit [102]float64
)

func init() {
	for i := 1; i <= 100; i++ {
		wauc[i] = int64((101 - i) * (102 - i) / 2)
		waucLimit[i] = float64(i) / 20
	}
}

// waucOf returns 100 times the sum of the weights of the thresholds that the error does not exceed.
func waucOf(epe float64) int64 {
	if epe > 5 {
		return 0
	}
	i := max(1, int(epe*20))
	for epe > waucLimit[i] { // at most twice: the product was rounded and truncated
		i++
	}
	for i > 1 && epe <= waucLimit[i-1] {
		i--
	}
	return wauc[i]
}

// The class of a pixel is a sum of these bits, which the maps give, and 16 times its speed (0, 1 or 2).
const (
	highDetail = 1 << iota
	unmatched
	nonRigid
	isSky
	speeds = 1 << iota
)

const classes = 3 * speeds

// score scores a flow. truth must have twice the width and height of the estimate; class holds the bits of the maps for
// each pixel of the estimate. If errs is not nil, it receives the error of each pixel, NaN where there is none.
func score(estimate, truth *field.Field, class []byte, float16 bool, errs []float32) (Tallies, error) {
	var sums [classes]Tally
	w, h := estimate.Width, estimate.Height
	for y := range h {
		above, below := truth.Vectors[8*w*y:][:4*w], truth.Vectors[8*w*y+4*w:][:4*w]
		row := estimate.Vectors[2*w*y:][:2*w]
		for x := range w {
			a, b := above[4*x:4*x+4], below[4*x:4*x+4]
			samples := [8]float32{a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3]}
			if s := a[0] + a[1] + a[2] + a[3] + b[0] + b[1] + b[2] + b[3]; s != s && anyUnknown(&samples) {
				if errs != nil {
					errs[w*y+x] = field.Unknown()
				}
				continue
			}
			u, v := row[2*x], row[2*x+1]
			var p pixel
			if float16 {
				p = measure16(u, v, &samples)
			} else {
				p = measure(u, v, &samples)
			}
			sum := &sums[int(class[w*y+x])+speeds*p.speed]
			if !field.Known(u, v) {
				sum.Unknown++
				if errs != nil {
					errs[w*y+x] = field.Unknown()
				}
				continue
			}
			if !(p.epe <= math.MaxFloat64) {
				return Tallies{}, fmt.Errorf("%w: in column %d, row %d", field.ErrInfiniteFlow, x, y)
			}
			if errs != nil {
				errs[w*y+x] = float32(p.epe)
			}
			sum.Pixels++
			sum.Length += p.epe
			sum.WAUC += waucOf(p.epe)
			if p.epe > 1 {
				sum.Over1++
				if field.Outlier(p.epe, p.longest) {
					sum.Outliers++
				}
			}
		}
	}
	return subsets(&sums), nil
}

func anyUnknown(samples *[8]float32) bool {
	for _, v := range samples {
		if v != v {
			return true
		}
	}
	return false
}

// pixel holds the measurements of one pixel.
type pixel struct {
	epe     float64 // smallest error to one of the four samples, pixels
	longest float64 // length of the longest sample, pixels
	speed   int     // mean length of the samples: 0 = below 10 pixels, 1 = below 40, 2 = 40 or more
}

// measure computes in float64. The conversions prevent fused multiply-add, so that the figures are the same on every
// machine.
func measure(u, v float32, samples *[8]float32) pixel {
	du, dv := float64(u), float64(v)
	least := math.Inf(1)
	var squares [4]float64
	for i := range squares {
		a, b := float64(samples[2*i]), float64(samples[2*i+1])
		squares[i] = float64(a*a) + float64(b*b)
		a -= du
		b -= dv
		if d := float64(a*a) + float64(b*b); !(d >= least) {
			least = d
		}
	}
	return finish(least, &squares)
}

// measure16 computes as the server does: both flows are rounded to float16 and subtracted in float16; lengths are float64.
func measure16(u, v float32, samples *[8]float32) pixel {
	u, v = half.Round(u), half.Round(v)
	least := math.Inf(1)
	var squares [4]float64
	for i := range squares {
		a, b := half.Round(samples[2*i]), half.Round(samples[2*i+1])
		squares[i] = float64(float64(a)*float64(a)) + float64(float64(b)*float64(b))
		// To round the difference of two float16 numbers to float32 first does not change its float16 value.
		c, d := float64(half.Round(a-u)), float64(half.Round(b-v))
		if e := float64(c*c) + float64(d*d); !(e >= least) {
			least = e
		}
	}
	return finish(least, &squares)
}

// finish completes a pixel from the square of its error and the squared lengths of the samples.
func finish(least float64, squares *[4]float64) pixel {
	low, high := min(squares[0], squares[1], squares[2], squares[3]), max(squares[0], squares[1], squares[2], squares[3])
	p := pixel{epe: math.Sqrt(least), longest: math.Sqrt(high)}
	switch {
	case high < 100:
	case low >= 1600:
		p.speed = 2
	case low >= 100 && high < 1600:
		p.speed = 1
	default:
		mean := (math.Sqrt(squares[0]) + math.Sqrt(squares[1]) + math.Sqrt(squares[2]) + math.Sqrt(squares[3])) / 4
		if mean >= 40 {
			p.speed = 2
		} else if mean >= 10 {
			p.speed = 1
		}
	}
	return p
}
