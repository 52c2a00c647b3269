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
)

// NumPy's .npy: a mark, a version, a Python dictionary in text, and the numbers. Height x width x 2 numbers of type
// float32 or float64 are read, in either byte order; little-endian float32 is written. Unknown flow is NaN.
const npyMark = "\x93NUMPY"

var (
	npyType  = regexp.MustCompile(`'descr':\s*'([<>])f([48])'`)
	npyOrder = regexp.MustCompile(`'fortran_order':\s*False`)
	npyShape = regexp.MustCompile(`'shape':\s*\(\s*(\d+),\s*(\d+),\s*2,?\s*\)`)
)

func readNPY(r io.Reader) (*field.Field, error) {
	head := make([]byte, 10)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, cut(err)
	}
	if string(head[:6]) != npyMark || head[6] < 1 || head[6] > 3 {
		return nil, fmt.Errorf("%w: it doesn't begin with the mark of .npy", ErrFormat)
	}
	length := int64(binary.LittleEndian.Uint16(head[8:]))
	if head[6] > 1 {
		more := make([]byte, 2)
		if _, err := io.ReadFull(r, more); err != nil {
			return nil, cut(err)
		}
		length |= int64(binary.LittleEndian.Uint16(more)) << 16
	}
	if length > 1<<16 {
		return nil, fmt.Errorf("%w: its header has %d bytes", ErrFormat, length)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, cut(err)
	}
	kind, shape := npyType.FindSubmatch(text), npyShape.FindSubmatch(text)
	if kind == nil || shape == nil || !npyOrder.Match(text) {
		return nil, fmt.Errorf("%w: flow is an array of height x width x 2 floats in C order, this is %s", ErrFormat, strings.TrimSpace(string(text)))
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
	if string(kind[2]) == "4" {
		var err error
		if f.Vectors, err = readFloats(r, n, order); err != nil {
			return nil, err
		}
	} else {
		for len(f.Vectors) < n {
			b := make([]byte, 8*min(step/8, n-len(f.Vectors)))
			if _, err := io.ReadFull(r, b); err != nil {
				return nil, cut(err)
			}
			for ; len(b) > 0; b = b[8:] {
				f.Vectors = append(f.Vectors, float32(math.Float64frombits(order.Uint64(b))))
			}
		}
		if err := atEnd(r); err != nil {
			return nil, err
		}
	}
	f.Vectors = tidy(f.Vectors)
	return f, nil
}

func writeNPY(w io.Writer, f *field.Field) error {
	text := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d, 2), }", f.Height, f.Width)
	// The numbers begin at a multiple of 64 bytes, after a line feed.
	text += strings.Repeat(" ", 63-(10+len(text))%64) + "\n"
	head := binary.LittleEndian.AppendUint16([]byte(npyMark+"\x01\x00"), uint16(len(text)))
	if _, err := w.Write(append(head, text...)); err != nil {
		return err
	}
	return writeFloats(w, tidy(f.Vectors))
}
