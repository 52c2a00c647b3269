// Package field holds a flow field, the file formats that store one, and the measures that compare two.
//
// A flow field gives every pixel of a first frame its displacement to a second frame, in pixels of that
// frame: u to the right, v downwards. Unknown flow is NaN in both components, in memory and whatever a
// file format writes for it: it is never zero.
//
// It is data: it imports only frame, so that painting a field does not drag in the network that made it.
package field

import (
	"fmt"
	"math"

	"github.com/wwflow/wwflow/frame"
)

// Field is the flow from Pair.First to Pair.Second.
type Field struct {
	Pair          *frame.Pair // the frames it belongs to; nil for a field read from a file
	Width, Height int         // pixels
	Vectors       []float32   // 2*Width*Height: u, v interleaved, row-major, pixels; NaN = unknown
	Confidence    []float32   // Width*Height, in (0, 1], 1 = sure; nil where the source gives none
}

// New returns a field of zero motion without confidence. It panics unless both sides are positive.
func New(width, height int) *Field {
	if width <= 0 || height <= 0 {
		panic(fmt.Sprintf("field: size %dx%d", width, height))
	}
	return &Field{Width: width, Height: height, Vectors: make([]float32, 2*width*height)}
}

// At is the vector (u, v) of the pixel in column x of row y.
func (f *Field) At(x, y int) (u, v float32) {
	i := 2 * (y*f.Width + x)
	return f.Vectors[i], f.Vectors[i+1]
}

// Known says whether the flow (u, v) is known, that is, neither component is NaN.
func Known(u, v float32) bool { return u == u && v == v }

// Unknown is what an unknown component holds.
func Unknown() float32 { return float32(math.NaN()) }

// Direction says which of the pair's frames the field starts from: "forward" from the earlier frame, "backward" from
// the later one, "unknown" for a field without a pair.
func (f *Field) Direction() string {
	switch p := f.Pair; {
	case p == nil || p.First == nil || p.Second == nil:
		return "unknown"
	case p.Second.Index > p.First.Index || p.Second.Index == p.First.Index && p.Second.PTS >= p.First.PTS:
		return "forward"
	default:
		return "backward"
	}
}
