package flowfile

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/internal/half"
)

// NumPy's .npy: a signature, a version, a Python dictionary as text, and an array of height x width x 2. It is written as
// little-endian float32 (or float16, see NPY16). Float64 and big-endian numbers can also be read. Unknown flow is NaN.
const npySignature = "\x93NUMPY"

var (
	npyType  = regexp.MustCompile(`'descr':\s*'([<>])f([248])'`)
	npyOrder = regexp.MustCompile(`'fortran_order':\s*False`)
	npyShape = regexp.MustCompile(`'shape':\s*\(\s*(\d+),\s*(\d+),\s*2,?\s*\)`)
)

func readNPY(r io.Reader) (*field.Field, error) {
	head := make([]byte, 10)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, truncated(err)
	}
	if string(head[:6]) != npySignature || head[6] < 1 || head[6] > 3 {
		return nil, fmt.Errorf("%w: it does not begin with the signature of .npy", ErrFormat)
	}
	length := int64(binary.LittleEndian.Uint16(head[8:]))
	if head[6] > 1 {
		more := make([]byte, 2)
		if _, err := io.ReadFull(r, more); err != nil {
			return nil, truncated(err)
		}
		length |= int64(binary.LittleEndian.Uint16(more)) << 16
	}
	if length > 1<<16 {
		return nil, fmt.Errorf("%w: its header has %d bytes", ErrFormat, length)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, truncated(err)
	}
	kind, shape := npyType.FindSubmatch(text), npyShape.FindSubmatch(text)
	if kind == nil || shape == nil || !npyOrder.Match(text) {
		return nil, fmt.Errorf("%w: it must be an array of height x width x 2 floats in C order, but its header is %s", ErrFormat, strings.TrimSpace(string(text)))
	}
	height, err1 := strconv.ParseInt(string(shape[1]), 10, 32)
	width, err2 := strconv.ParseInt(string(shape[2]), 10, 32)
	if err1 != nil || err2 != nil {
		return nil, fmt.Errorf("%sx%s: %w", shape[2], shape[1], ErrTooLarge)
	}
	if err := checkSize(width, height); err != nil {
		return nil, err
	}
	var order binary.ByteOrder = binary.LittleEndian
	if string(kind[1]) == ">" {
		order = binary.BigEndian
	}
	f := &field.Field{Width: int(width), Height: int(height)}
	n := 2 * f.Width * f.Height
	var err error
	switch string(kind[2]) {
	case "2":
		f.Vectors, err = readNumbers(r, n, 2, func(b []byte) float32 { return half.From(order.Uint16(b)) })
	case "4":
		f.Vectors, err = readFloats(r, n, order)
	default:
		f.Vectors, err = readNumbers(r, n, 8, func(b []byte) float32 { return float32(math.Float64frombits(order.Uint64(b))) })
	}
	if err != nil {
		return nil, err
	}
	f.Vectors = completeUnknown(f.Vectors)
	return f, nil
}

// readNumbers is readFloats for numbers of another size in bytes.
func readNumbers(r io.Reader, n, size int, number func([]byte) float32) (out []float32, err error) {
	for len(out) < n {
		b := make([]byte, size*min(chunkBytes/size, n-len(out)))
		if _, err := io.ReadFull(r, b); err != nil {
			return nil, truncated(err)
		}
		for ; len(b) > 0; b = b[size:] {
			out = append(out, number(b))
		}
	}
	return out, atEnd(r)
}

func writeNPY(w io.Writer, f *field.Field) error {
	if err := writeNPYHeader(w, "<f4", f); err != nil {
		return err
	}
	return writeFloats(w, completeUnknown(f.Vectors))
}

// writeNPYHeader writes what is before the array.
func writeNPYHeader(w io.Writer, kind string, f *field.Field) error {
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%d, %d, 2), }", kind, f.Height, f.Width)
	// The format demands that a line feed ends the header and that the array starts at a multiple of 64 bytes.
	text += strings.Repeat(" ", 63-(10+len(text))%64) + "\n"
	head := binary.LittleEndian.AppendUint16([]byte(npySignature+"\x01\x00"), uint16(len(text)))
	_, err := w.Write(append(head, text...))
	return err
}
