package flowfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

const chunkBytes = 1 << 16 // read or written at a time

// readFloats reads n 32-bit numbers, which must be the rest of the stream. It allocates memory as data arrives, so a
// header that claims a wrong size costs nothing.
func readFloats(r io.Reader, n int, order binary.ByteOrder) ([]float32, error) {
	var out []float32
	buffer := make([]byte, chunkBytes)
	for len(out) < n {
		b := buffer[:min(chunkBytes, 4*(n-len(out)))]
		if _, err := io.ReadFull(r, b); err != nil {
			return nil, truncated(err)
		}
		if len(out) == cap(out) {
			grown := make([]float32, len(out), min(n, max(2*len(out), chunkBytes)))
			copy(grown, out)
			out = grown
		}
		for ; len(b) > 0; b = b[4:] {
			out = append(out, math.Float32frombits(order.Uint32(b)))
		}
	}
	return out, atEnd(r)
}

// atEnd returns an error if the stream has more data: the header is wrong then.
func atEnd(r io.Reader) error {
	switch n, err := io.ReadFull(r, make([]byte, 1)); {
	case n > 0:
		return fmt.Errorf("%w: it has data after its last pixel", ErrFormat)
	case err == io.EOF:
		return nil
	default:
		return err
	}
}

func writeFloats(w io.Writer, numbers []float32) error {
	buffer := make([]byte, 0, chunkBytes)
	for len(numbers) > 0 {
		n := min(chunkBytes/4, len(numbers))
		b := buffer
		for _, v := range numbers[:n] {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
		numbers = numbers[n:]
	}
	return nil
}

// truncated replaces the error for an unexpected end of the stream.
func truncated(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it is truncated", ErrFormat)
	}
	return err
}
