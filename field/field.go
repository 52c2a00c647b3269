// Package field defines a flow field, error measures that compare two fields, and statistics of one.
//
// A flow field gives every pixel of a first frame its displacement to a second frame, in pixels: u to the right, v
// downwards. Unknown flow is NaN in both components, never zero.
//
// It imports only package frame, so that code that handles fields does not depend on the network that computes them.
package field

import (
	"fmt"
	"math"

	"github.com/wwflow/wwflow/frame"
)

// Field is the flow from Pair.First to Pair.Second. The presentation time of a field is that of Pair.First.
type Field struct {
	Pair          *frame.Pair // nil for a field read from a file
	Width, Height int         // pixels
	Vectors       []float32   // 2*Width*Height: u, v interleaved, row-major, in pixels; NaN = unknown
	Confidence    []float32   // Width*Height: 1/(1 + expected endpoint error in pixels), in (0, 1]; nil = not available

	// Package consistency sets these where the flow was estimated in both directions.
	Reverse    *Field       // the flow from Pair.Second to Pair.First; nil = not estimated
	Visibility []Visibility // Width*Height; nil = not checked
}

// New returns a field of zero motion without confidence. It panics unless width and height are positive.
func New(width, height int) *Field {
	if width <= 0 || height <= 0 {
		panic(fmt.Sprintf("field: size %dx%d", width, height))
	}
	return &Field{Width: width, Height: height, Vectors: make([]float32, 2*width*height)}
}

// At returns the vector (u, v) of the pixel in column x and row y, in pixels.
func (f *Field) At(x, y int) (u, v float32) {
	i := 2 * (y*f.Width + x)
	return f.Vectors[i], f.Vectors[i+1]
}

// Known reports whether the flow (u, v) is known: neither component is NaN.
func Known(u, v float32) bool { return u == u && v == v }

// Unknown returns the value of an unknown component, NaN.
func Unknown() float32 { return float32(math.NaN()) }
