package flowfile

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/wwflow/wwflow/field"
)

// Middlebury's .flo: the float 202021.25 (bytes "PIEH"), width and height as 32-bit integers, then u and v for each pixel,
// top row first, all little-endian. Components above 1e9 mean unknown flow. Middlebury's tools write 1e10.
const (
	floMagic   = 202021.25
	floLimit   = 1e9
	floUnknown = 1e10
)

func readFlo(r io.Reader) (*field.Field, error) {
	var h struct {
		Magic         float32
		Width, Height int32
	}
	if err := binary.Read(r, binary.LittleEndian, &h); err != nil {
		return nil, truncated(err)
	}
	if h.Magic != floMagic {
		return nil, fmt.Errorf("%w: it does not begin with PIEH, the signature of .flo", ErrFormat)
	}
	if err := checkSize(int64(h.Width), int64(h.Height)); err != nil {
		return nil, err
	}
	f := &field.Field{Width: int(h.Width), Height: int(h.Height)}
	var err error
	if f.Vectors, err = readFloats(r, 2*f.Width*f.Height, binary.LittleEndian); err != nil {
		return nil, err
	}
	for list := f.Vectors; len(list) >= 2; list = list[2:] {
		if !fitsFlo(list[0], list[1]) {
			list[0], list[1] = field.Unknown(), field.Unknown()
		}
	}
	return f, nil
}

// fitsFlo reports whether the vector counts as known in a .flo file.
func fitsFlo(u, v float32) bool {
	// The bits of numbers without sign are in the order of the numbers, and those of NaN come last.
	const sign = 1 << 31
	limit := math.Float32bits(floLimit)
	return math.Float32bits(u)&^sign <= limit && math.Float32bits(v)&^sign <= limit
}

func writeFlo(w io.Writer, f *field.Field) error {
	out := make([]float32, len(f.Vectors))
	for i := 0; i < len(out); i += 2 {
		u, v := f.Vectors[i], f.Vectors[i+1]
		switch {
		case !field.Known(u, v):
			u, v = floUnknown, floUnknown
		case !fitsFlo(u, v):
			return rangeError(f, Flo, i)
		}
		out[i], out[i+1] = u, v
	}
	header := binary.LittleEndian.AppendUint32(nil, math.Float32bits(floMagic))
	header = binary.LittleEndian.AppendUint32(header, uint32(f.Width))
	header = binary.LittleEndian.AppendUint32(header, uint32(f.Height))
	if _, err := w.Write(header); err != nil {
		return err
	}
	return writeFloats(w, out)
}

// rangeError describes the vector that starts at f.Vectors[i].
func rangeError(f *field.Field, format Format, i int) error {
	return &RangeError{format, i / 2 % f.Width, i / 2 / f.Width, f.Vectors[i], f.Vectors[i+1]}
}
