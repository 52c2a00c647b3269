// Package warp moves the pixels of a frame along a flow field.
//
// Backward fetches: the pixel x of the result is what the frame shows at x + F(x), so that the second frame of a pair, warped
// backward by the flow from the first to the second one, looks like the first. Splat throws: the pixel x of the frame goes to
// x + F(x), where several pixels may meet, and no pixel may arrive.
package warp

import (
	"fmt"
	"math"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/parallel"
)

// Backward returns the frame as the flow sees it, and for each pixel whether it is known: its flow is, and leads into the
// frame. Other pixels are black. Between pixels it interpolates bilinearly. The error is field.ErrSizes.
func Backward(f *frame.Frame, flow *field.Field) (*frame.Frame, []bool, error) {
	if f.Width != flow.Width || f.Height != flow.Height {
		return nil, nil, sizeError(f, flow)
	}
	out, known := frame.New(f.Width, f.Height), make([]bool, f.Width*f.Height)
	parallel.Ranges(f.Height, 0, func(from, to int) {
		for i := from * f.Width; i < to*f.Width; i++ {
			u, v := flow.Vectors[2*i], flow.Vectors[2*i+1]
			x, y := float32(i%f.Width)+u, float32(i/f.Width)+v
			if !(x >= -0.5 && y >= -0.5 && x < float32(f.Width)-0.5 && y < float32(f.Height)-0.5) {
				continue // unknown, or out of the frame
			}
			known[i] = true
			sample(out.Pix[3*i:3*i+3], f, x, y)
		}
	})
	return out, known, nil
}

func sizeError(f *frame.Frame, flow *field.Field) error {
	return fmt.Errorf("%w: the picture is %dx%d, the flow %dx%d", field.ErrSizes, f.Width, f.Height, flow.Width, flow.Height)
}

// sample writes the colour of a frame between its pixels.
func sample(to []uint8, f *frame.Frame, x, y float32) {
	x, y = min(max(x, 0), float32(f.Width-1)), min(max(y, 0), float32(f.Height-1))
	x0, y0 := int(x), int(y)
	x1, y1 := min(x0+1, f.Width-1), min(y0+1, f.Height-1)
	wx, wy := x-float32(x0), y-float32(y0)
	for c := range to {
		at := func(x, y int) float32 { return float32(f.Pix[3*(y*f.Width+x)+c]) }
		above := at(x0, y0) + wx*(at(x1, y0)-at(x0, y0))
		below := at(x0, y1) + wx*(at(x1, y1)-at(x0, y1))
		to[c] = uint8(above + wy*(below-above) + 0.5)
	}
}

// Splat collects weighted colours that arrive at the pixels of an image (softmax splatting, Niklaus and Liu, CVPR 2020, for
// weights that are exponentials).
type Splat struct {
	Width, Height int
	Colour        []float32 // 3*Width*Height: sums of weight times colour, 0 to 255
	Weight        []float32 // Width*Height: sums of weights; 0 = nothing has arrived
	Coverage      []float32 // Width*Height: the same with weights of 1
}

// NewSplat returns an empty image.
func NewSplat(width, height int) *Splat {
	return &Splat{Width: width, Height: height, Colour: make([]float32, 3*width*height),
		Weight: make([]float32, width*height), Coverage: make([]float32, width*height)}
}

// Add lets the pixels of a frame go the share t, 0 to 1, of their way. weights has one for each pixel; nil = 1. A pixel is spread over the
// four pixels around the place where it arrives. Pixels of unknown flow, and what arrives out of the image, is lost. The error
// is field.ErrSizes.
func (s *Splat) Add(f *frame.Frame, flow *field.Field, t float32, weights []float32) error {
	if f.Width != s.Width || f.Height != s.Height || flow.Width != s.Width || flow.Height != s.Height {
		return sizeError(f, flow)
	}
	for i := range s.Width * s.Height {
		x, y := float32(i%s.Width)+t*flow.Vectors[2*i], float32(i/s.Width)+t*flow.Vectors[2*i+1]
		if !(x > -1 && y > -1 && x < float32(s.Width) && y < float32(s.Height)) {
			continue
		}
		w := float32(1)
		if weights != nil {
			w = weights[i]
		}
		s.spread(f.Pix[3*i:3*i+3:3*i+3], x, y, w)
	}
	return nil
}

// spread adds a colour at a place.
func (s *Splat) spread(colour []uint8, x, y, weight float32) {
	left, top := math.Floor(float64(x)), math.Floor(float64(y))
	x0, y0 := int(left), int(top)
	wx, wy := x-float32(left), y-float32(top)
	for k, w := range [4]float32{(1 - wx) * (1 - wy), wx * (1 - wy), (1 - wx) * wy, wx * wy} {
		px, py := x0+k&1, y0+k>>1
		if w == 0 || px < 0 || py < 0 || px >= s.Width || py >= s.Height {
			continue
		}
		at := py*s.Width + px
		s.Coverage[at] += w
		w *= weight
		s.Weight[at] += w
		for c, v := range colour {
			s.Colour[3*at+c] += w * float32(v)
		}
	}
}

// Frame returns the colours that have arrived, and for each pixel whether any has. Other pixels are black.
func (s *Splat) Frame() (*frame.Frame, []bool) {
	out, known := frame.New(s.Width, s.Height), make([]bool, s.Width*s.Height)
	for i, w := range s.Weight {
		if w <= 0 {
			continue
		}
		known[i] = true
		for c := range 3 {
			out.Pix[3*i+c] = uint8(min(s.Colour[3*i+c]/w+0.5, 255))
		}
	}
	return out, known
}
