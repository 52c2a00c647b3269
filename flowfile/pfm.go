package flowfile

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/wwflow/wwflow/field"
)

// PFM with three channels, as in FlyingThings3D: "PF", width, height and a scale as text, each followed by white space,
// then u, v and an unused number for each pixel, bottom row first. A negative scale means little-endian. Unknown flow is
// NaN.

func readPFM(r io.Reader) (*field.Field, error) {
	in := bufio.NewReader(r)
	var words [4]string
	for i := range words {
		var err error
		if words[i], err = pfmWord(in); err != nil {
			return nil, err
		}
	}
	if words[0] != "PF" {
		return nil, fmt.Errorf("%w: it does not begin with PF, the signature of PFM with three channels", ErrFormat)
	}
	width, err1 := strconv.ParseInt(words[1], 10, 32)
	height, err2 := strconv.ParseInt(words[2], 10, 32)
	scale, err3 := strconv.ParseFloat(words[3], 64)
	if err1 != nil || err2 != nil || err3 != nil || scale == 0 || math.IsNaN(scale) || math.IsInf(scale, 0) {
		return nil, fmt.Errorf("%w: its header is %q", ErrFormat, words)
	}
	if err := checkSize(width, height); err != nil {
		return nil, err
	}
	var order binary.ByteOrder = binary.BigEndian
	if scale < 0 {
		order = binary.LittleEndian
	}
	numbers, err := readFloats(in, int(3*width*height), order)
	if err != nil {
		return nil, err
	}
	f := field.New(int(width), int(height))
	for y := range f.Height {
		row := numbers[3*f.Width*(f.Height-1-y):]
		for x := range f.Width {
			copy(f.Vectors[2*(y*f.Width+x):][:2], row[3*x:])
		}
	}
	f.Vectors = completeUnknown(f.Vectors)
	return f, nil
}

// pfmWord reads a word of the header and the white space character after it.
func pfmWord(in *bufio.Reader) (string, error) {
	var word []byte
	for {
		c, err := in.ReadByte()
		if err != nil {
			return "", truncated(err)
		}
		switch {
		case c != ' ' && c != '\n' && c != '\r' && c != '\t':
			word = append(word, c)
		case len(word) > 0:
			return string(word), nil
		}
		if len(word) > 32 {
			return "", fmt.Errorf("%w: it has no PFM header", ErrFormat)
		}
	}
}

func writePFM(w io.Writer, f *field.Field) error {
	if _, err := fmt.Fprintf(w, "PF\n%d %d\n-1.0\n", f.Width, f.Height); err != nil {
		return err
	}
	vectors, row := completeUnknown(f.Vectors), make([]float32, 3*f.Width)
	for y := f.Height - 1; y >= 0; y-- {
		for x := range f.Width {
			copy(row[3*x:], vectors[2*(y*f.Width+x):][:2])
		}
		if err := writeFloats(w, row); err != nil {
			return err
		}
	}
	return nil
}
