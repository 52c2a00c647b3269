// Package consistency compares the flow from a first frame to a second one with the flow back, which tells the pixels
// that are hidden in the second frame.
//
// A pixel x with the forward flow F(x) arrives at y = x + F(x). If it can be seen there, the backward flow B(y) leads
// back to x. The pixel is visible if
//
//	|F(x) + B(y)|² < Relative (|F(x)|² + |B(y)|²) + Absolute
//
// (Sundaram, Brox and Keutzer, Dense point trajectories by GPU-accelerated large displacement optical flow, ECCV 2010), and
// occluded otherwise. B(y) is interpolated bilinearly. A pixel whose y is out of the second frame is outside, not
// occluded: nothing is known about it. The frame covers the pixels' areas, from -1/2 to Width-1/2.
//
// A pixel in front of which something moves and a pixel whose flow is wrong look alike: both are occluded.
package consistency

import (
	"fmt"
	"math"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/internal/parallel"
)

// Thresholds of the check. The zero value stands for Default.
type Thresholds struct {
	Relative float64 // to the squared lengths of both flows
	Absolute float64 // in square pixels
}

// Default are the thresholds of Sundaram, Brox and Keutzer.
var Default = Thresholds{Relative: 0.01, Absolute: 0.5}

// OrDefault returns the thresholds, or Default for the zero value.
func (t Thresholds) OrDefault() Thresholds {
	if t == (Thresholds{}) {
		return Default
	}
	return t
}

// Check compares two fields of one pair in opposite directions and of one size. It sets Visibility of both, and makes each
// the Reverse of the other. If a field has no confidence it gets one from the check, see Confidence. The error is
// field.ErrSizes.
func Check(a, b *field.Field, t Thresholds) error {
	if a.Width != b.Width || a.Height != b.Height {
		return fmt.Errorf("%w: one direction is %dx%d, the other %dx%d", field.ErrSizes, a.Width, a.Height, b.Width, b.Height)
	}
	t = t.OrDefault()
	for _, side := range [][2]*field.Field{{a, b}, {b, a}} {
		f, reverse := side[0], side[1]
		f.Reverse = reverse
		f.Visibility = visibility(f, reverse, t)
		if f.Confidence == nil {
			f.Confidence = Confidence(f, reverse)
		}
	}
	return nil
}

func visibility(f, reverse *field.Field, t Thresholds) []field.Visibility {
	list := make([]field.Visibility, f.Width*f.Height)
	eachPixel(f, func(i int, x, y, u, v float32) {
		list[i] = field.Unchecked
		if !field.Known(u, v) {
			return
		}
		if outside(f, x+u, y+v) {
			list[i] = field.Outside
			return
		}
		bu, bv := At(reverse, x+u, y+v)
		if !field.Known(bu, bv) {
			return
		}
		list[i] = field.Occluded
		if square(u+bu, v+bv) < t.Relative*(square(u, v)+square(bu, bv))+t.Absolute {
			list[i] = field.Visible
		}
	})
	return list
}

// Confidence returns 1/(1 + d) for each pixel, where d is the distance in pixels from the pixel to the place to which forward
// and backward flow lead it back. It is 0 where the check says nothing: outside the second frame, and for unknown flow.
func Confidence(f, reverse *field.Field) []float32 {
	list := make([]float32, f.Width*f.Height)
	eachPixel(f, func(i int, x, y, u, v float32) {
		if !field.Known(u, v) || outside(f, x+u, y+v) {
			return
		}
		if bu, bv := At(reverse, x+u, y+v); field.Known(bu, bv) {
			list[i] = float32(1 / (1 + math.Sqrt(square(u+bu, v+bv))))
		}
	})
	return list
}

// eachPixel calls visit for each pixel, from several goroutines, with its index, its place and its flow.
func eachPixel(f *field.Field, visit func(i int, x, y, u, v float32)) {
	parallel.Ranges(f.Height, 0, func(from, to int) {
		for i := from * f.Width; i < to*f.Width; i++ {
			visit(i, float32(i%f.Width), float32(i/f.Width), f.Vectors[2*i], f.Vectors[2*i+1])
		}
	})
}

// outside reports whether a place is out of the frame.
func outside(f *field.Field, x, y float32) bool {
	return !(x >= -0.5 && y >= -0.5 && x < float32(f.Width)-0.5 && y < float32(f.Height)-0.5)
}

// At returns the flow of a field between its pixels, interpolated bilinearly; pixel centres are at whole numbers. Beyond the
// outermost centres it is that of the outermost pixels. It is unknown if a pixel that it depends on is.
func At(f *field.Field, x, y float32) (u, v float32) {
	x0, x1, wx := neighbours(x, f.Width)
	y0, y1, wy := neighbours(y, f.Height)
	mix := func(k int) float32 {
		at := func(x, y int) float32 { return f.Vectors[2*(y*f.Width+x)+k] }
		above := at(x0, y0) + wx*(at(x1, y0)-at(x0, y0))
		below := at(x0, y1) + wx*(at(x1, y1)-at(x0, y1))
		return above + wy*(below-above)
	}
	return mix(0), mix(1)
}

// neighbours returns the pixels of a row or column of n around a place, and the weight of the second. They are one pixel if
// the place is its centre, so that its neighbour does not count.
func neighbours(at float32, n int) (low, high int, weight float32) {
	at = min(max(at, 0), float32(n-1))
	low = int(at)
	weight = at - float32(low)
	if weight == 0 {
		return low, low, 0
	}
	return low, low + 1, weight
}

func square(x, y float32) float64 { return float64(x)*float64(x) + float64(y)*float64(y) }
