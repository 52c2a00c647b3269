package flowfile

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"

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

func writeEXR(w io.Writer, f *field.Field) error {
	lines := exrLines[exrZIP]
	blocks, err := exrPack(completeUnknown(f.Vectors), f.Width, f.Height, lines)
	if err != nil {
		return err
	}
	h := exrHeader(f)
	at := uint64(len(h) + 8*len(blocks))
	for _, b := range blocks {
		h = binary.LittleEndian.AppendUint64(h, at)
		at += uint64(8 + len(b))
	}
	if _, err := w.Write(h); err != nil {
		return err
	}
	for i, b := range blocks {
		head := binary.LittleEndian.AppendUint32(nil, uint32(i*lines))
		head = binary.LittleEndian.AppendUint32(head, uint32(len(b)))
		if _, err := w.Write(append(head, b...)); err != nil {
			return err
		}
	}
	return nil
}

// exrHeader returns the bytes before the table of block offsets.
func exrHeader(f *field.Field) []byte {
	var h bytes.Buffer
	u32 := func(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }
	attribute := func(name, kind string, value []byte) {
		h.WriteString(name + "\x00" + kind + "\x00")
		h.Write(u32(uint32(len(value))))
		h.Write(value)
	}
	layer := ""
	if d := f.Direction(); d != field.UnknownDirection {
		layer = string(d) + "."
	}
	var channels []byte
	for _, c := range []struct { // the format demands alphabetical order
		name string
		kind uint32
	}{{"u", exrFloat}, {"v", exrFloat}, {"valid", exrHalf}} {
		channels = append(channels, layer+c.name+"\x00"...)
		for _, v := range []uint32{c.kind, 0, 1, 1} { // type, flags, no subsampling
			channels = append(channels, u32(v)...)
		}
	}
	one := u32(math.Float32bits(1))
	window := append(make([]byte, 8), append(u32(uint32(f.Width-1)), u32(uint32(f.Height-1))...)...)

	h.Write(u32(exrMagic))
	h.Write(u32(2)) // version 2, no flags: single-part scan lines
	attribute("channels", "chlist", append(channels, 0))
	attribute("compression", "compression", []byte{exrZIP})
	attribute("dataWindow", "box2i", window)
	attribute("displayWindow", "box2i", window)
	attribute(exrAxis, "string", []byte(exrDown))
	attribute(exrDirection, "string", []byte(f.Direction()))
	attribute(exrUnit, "string", []byte(exrPixels))
	attribute("lineOrder", "lineOrder", []byte{0})
	attribute("pixelAspectRatio", "float", one)
	attribute("screenWindowCenter", "v2f", make([]byte, 8))
	attribute("screenWindowWidth", "float", one)
	h.WriteByte(0)
	return h.Bytes()
}
