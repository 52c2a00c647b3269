package flowfile

import (
	"io"

	"github.com/wwflow/wwflow/field"
)

// OpenEXR for compositing programs: single-part scan lines with ZIP compression. Channels u and v hold 32-bit floats,
// NaN where flow is unknown. Channel valid holds 16-bit floats, 1 where flow is known and 0 where it is unknown. A layer
// name, "forward" or "backward", precedes the channel names if the direction of the field is known. Text attributes
// state the direction, the unit and the axes.
//
// Files without compression and with ZIPS can also be read, with 16-bit or 32-bit floats in channels u and v, x and y, or
// r and g. Channel valid is optional. If the header says that y points up, v is negated.
const (
	exrMagic     = 20000630
	exrDirection = "flowDirection"
	exrUnit      = "flowUnit"
	exrAxis      = "flowAxis"
	exrPixels    = "pixels of the data window, from this frame to the other"
	exrDown      = "x right, y down"
	exrUp        = "x right, y up"
)

// Values of the compression attribute, and the number of lines per block.
const (
	exrNone = 0
	exrZIPS = 2
	exrZIP  = 3
)

var exrLines = map[byte]int{exrNone: 1, exrZIPS: 1, exrZIP: 16}

// Values of a channel's type.
const (
	exrUint  = 0
	exrHalf  = 1
	exrFloat = 2
)

var exrBytes = map[uint32]int{exrUint: 4, exrHalf: 2, exrFloat: 4}

func writeEXR(w io.Writer, f *field.Field) error { return plainImage(f).write(w) }

// plainImage is the file of a field that is for no program in particular.
func plainImage(f *field.Field) *exrImage {
	vectors := completeUnknown(f.Vectors)
	layer := ""
	if d := f.Direction(); d != field.UnknownDirection {
		layer = string(d) + "."
	}
	m := &exrImage{width: f.Width, height: f.Height, text: map[string]string{exrAxis: exrDown, exrDirection: string(f.Direction()), exrUnit: exrPixels}}
	m.add(layer+"u", exrFloat, func(i int) float32 { return vectors[2*i] })
	m.add(layer+"v", exrFloat, func(i int) float32 { return vectors[2*i+1] })
	m.add(layer+"valid", exrHalf, func(i int) float32 { return one(field.Known(vectors[2*i], vectors[2*i+1])) })
	m.addVisibility(layer, f)
	return m
}

// one returns 1 for true.
func one(condition bool) float32 {
	if condition {
		return 1
	}
	return 0
}
