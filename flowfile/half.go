package flowfile

import (
	"encoding/binary"
	"io"
	"math"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/internal/half"
)

// NPY16 and EXR16 are NPY and EXR with 16-bit floats: half the size, in steps of 1/1024 of the length, such as 0.03 pixels at 50
// pixels. A file has the extension of the full format and is read as one, so no extension selects them.
const (
	NPY16 Format = "npy16"
	EXR16 Format = "exr16"
)

// variants are the formats that no extension selects.
var variants = []implementation{
	{NPY16, ".npy", "npy with 16-bit floats", readNPY, writeNPY16},
	{EXR16, ".exr", "exr with 16-bit channels", readEXR, writeEXR16},
}

// Variants returns the formats that are written by name only, see WriteAs.
func Variants() []Format { return []Format{NPY16, EXR16} }

func writeNPY16(w io.Writer, f *field.Field) error {
	if err := checkHalf(f, NPY16); err != nil {
		return err
	}
	if err := writeNPYHeader(w, "<f2", f); err != nil {
		return err
	}
	data := make([]byte, 0, 2*len(f.Vectors))
	for _, v := range completeUnknown(f.Vectors) {
		data = binary.LittleEndian.AppendUint16(data, half.Bits(v))
	}
	_, err := w.Write(data)
	return err
}

func writeEXR16(w io.Writer, f *field.Field) error {
	if err := checkHalf(f, EXR16); err != nil {
		return err
	}
	m := plainImage(f)
	for i := range m.planes {
		m.planes[i].kind = exrHalf
	}
	return m.write(w)
}

// checkHalf returns a RangeError for a vector that would become infinite.
func checkHalf(f *field.Field, format Format) error {
	for i, v := range f.Vectors {
		if math.IsInf(float64(half.Round(v)), 0) && !math.IsInf(float64(v), 0) {
			return rangeError(f, format, i&^1)
		}
	}
	return nil
}
