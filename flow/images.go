package flow

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/wwflow/wwflow/flow/internal/ort"
	"github.com/wwflow/wwflow/frame"
)

// Layout is the order of the dimensions of an image in a graph.
type Layout string

// The layouts.
const (
	NHWC Layout = "NHWC" // the channels of a pixel are neighbours
	NCHW Layout = "NCHW" // each channel is a plane
)

// Input says what images the graphs of a network take. The zero value stands for RGB, 0 to 255, at any size.
type Input struct {
	Layout   Layout     `json:"layout,omitempty"`   // empty = as the graph's shape says: the dimension of 3 has the channels
	Channels string     `json:"channels,omitempty"` // RGB or BGR; empty = RGB
	Range    [2]float64 `json:"range,omitzero"`     // the float values of black and white; zero = 0 and 255
	Multiple int        `json:"multiple,omitempty"` // frames are padded to sides that are multiples of it; 0 = 1
	Minimum  int        `json:"minimum,omitempty"`  // shortest side that the graph takes: smaller frames are padded
	Padding  string     `json:"padding,omitempty"`  // where: end (right and below) or center; empty = end
}

// Output says in which form the flow comes out of the graphs of a network.
type Output struct {
	Layout Layout `json:"layout,omitempty"` // empty = as the graph's shape says, or as the input's
}

// limit of the sizes in a card: no network pads more.
const maxMultiple = 4096

func (in Input) check() error {
	switch {
	case in.Layout != "" && in.Layout != NHWC && in.Layout != NCHW:
		return fmt.Errorf("input.layout is %q, want NHWC or NCHW", in.Layout)
	case in.Channels != "" && in.Channels != "RGB" && in.Channels != "BGR":
		return fmt.Errorf("input.channels is %q, want RGB or BGR", in.Channels)
	case in.Padding != "" && in.Padding != "end" && in.Padding != "center":
		return fmt.Errorf("input.padding is %q, want end or center", in.Padding)
	case in.Multiple < 0 || in.Multiple > maxMultiple || in.Minimum < 0 || in.Minimum > maxMultiple:
		return fmt.Errorf("input.multiple is %d and input.minimum %d, want 0 to %d", in.Multiple, in.Minimum, maxMultiple)
	case in.Range != [2]float64{} && in.Range[0] == in.Range[1]:
		return fmt.Errorf("input.range is %v, want two different numbers", in.Range)
	}
	return nil
}

// images turns frames into the input of a graph: its port, and what the card says about it.
type images struct {
	Input
	element       ort.ElementType
	width, height int // if the graph has a fixed size; else 0
}

// newImages combines the card with the shape of a graph's input.
func newImages(in Input, port ort.Port) (images, error) {
	i := images{Input: in, element: port.Type}
	if port.Type != ort.Uint8 && port.Type != ort.Float32 {
		return i, fmt.Errorf("is %s, want uint8 or float32", port.Type)
	}
	if port.Type == ort.Uint8 && in.Range != [2]float64{} && in.Range != [2]float64{0, 255} {
		return i, errors.New("is uint8, for which model.json must not state input.range")
	}
	var err error
	if i.Layout, err = layoutOf(in.Layout, port.Shape, 3); err != nil {
		return i, fmt.Errorf("%w: state input.layout in model.json", err)
	}
	if len(port.Shape) == 4 {
		i.height, i.width = int(port.Shape[1]), int(port.Shape[2])
		if i.Layout == NCHW {
			i.height, i.width = int(port.Shape[2]), int(port.Shape[3])
		}
		if i.width <= 0 || i.height <= 0 {
			if i.width > 0 || i.height > 0 {
				return i, fmt.Errorf("has the shape %v: either both sides or none may be fixed", port.Shape)
			}
			i.width, i.height = 0, 0
		}
	}
	return i, nil
}

// layoutOf returns the stated layout, or the one in which a shape has that number of channels.
func layoutOf(stated Layout, shape []int64, channels int64) (Layout, error) {
	if len(shape) != 0 && len(shape) != 4 {
		return "", fmt.Errorf("has %d dimensions, want 4", len(shape))
	}
	if len(shape) == 0 { // the graph leaves even the number of dimensions open
		shape = []int64{-1, -1, -1, -1}
	}
	at := map[Layout]int64{NHWC: shape[3], NCHW: shape[1]}
	switch {
	case stated != "" && at[stated] >= 0 && at[stated] != channels:
		return "", fmt.Errorf("has the shape %v, which is not %s with %d channels", shape, stated, channels)
	case stated != "":
		return stated, nil
	case at[NHWC] == channels && at[NCHW] != channels:
		return NHWC, nil
	case at[NCHW] == channels && at[NHWC] != channels:
		return NCHW, nil
	case at[NHWC] >= 0 && at[NCHW] >= 0 && at[NHWC] != channels:
		return "", fmt.Errorf("has the shape %v, which has no dimension of %d channels", shape, channels)
	}
	return "", fmt.Errorf("has the shape %v, which does not say where the channels are", shape)
}

// plane is the place of a frame in a padded image.
type plane struct {
	width, height int // of the padded image
	left, top     int // of the frame in it
}

// padded returns the image for a frame of this size.
func (i images) padded(width, height int) plane {
	if i.width > 0 {
		return plane{width: width, height: height} // resized to the fixed size
	}
	multiple := cmp.Or(i.Multiple, 1)
	side := func(n int) int {
		n = max(n, i.Minimum)
		return (n + multiple - 1) / multiple * multiple
	}
	p := plane{width: side(width), height: side(height)}
	if i.Padding == "center" {
		p.left, p.top = (p.width-width)/2, (p.height-height)/2
	}
	return p
}

// shape returns the dimensions of an image with that number of channels.
func (p plane) shape(l Layout, channels int64) []int64 {
	if l == NCHW {
		return []int64{1, channels, int64(p.height), int64(p.width)}
	}
	return []int64{1, int64(p.height), int64(p.width), channels}
}

// tensor returns a frame as an input for a session. Padding repeats the outermost pixels.
func (i images) tensor(s *ort.Session, f *frame.Frame) (*ort.Tensor, error) {
	p := i.padded(f.Width, f.Height)
	shape := p.shape(i.Layout, 3)
	if i.element == ort.Float32 {
		low, high := i.Range[0], i.Range[1]
		if i.Range == [2]float64{} {
			high = 255
		}
		return ort.NewInput(s, fill(i, p, f, func(v int) float32 { return float32(low + float64(v)*(high-low)/255) }), shape...)
	}
	if i.Layout == NHWC && i.Channels != "BGR" && p == (plane{width: f.Width, height: f.Height}) {
		return ort.NewInput(s, f.Pix, shape...)
	}
	return ort.NewInput(s, fill(i, p, f, func(v int) uint8 { return uint8(v) }), shape...)
}

// fill returns the values of a padded image.
func fill[T uint8 | float32](i images, p plane, f *frame.Frame, value func(level int) T) []T {
	var values [256]T
	for v := range values {
		values[v] = value(v)
	}
	to := make([]T, 3*p.width*p.height)
	pixelStride, channelStride := 3, 1
	if i.Layout == NCHW {
		pixelStride, channelStride = 1, p.width*p.height
	}
	order := [3]int{0, 1, 2}
	if i.Channels == "BGR" {
		slices.Reverse(order[:])
	}
	for y := range p.height {
		row := f.Pix[3*f.Width*min(max(y-p.top, 0), f.Height-1):]
		for x := range p.width {
			pixel := row[3*min(max(x-p.left, 0), f.Width-1):]
			at := (y*p.width + x) * pixelStride
			for c, from := range order {
				to[at+c*channelStride] = values[pixel[from]]
			}
		}
	}
	return to
}
