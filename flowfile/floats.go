package flowfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

const step = 1 << 16 // bytes that are read or written at a time

// readFloats reads n numbers of 4 bytes. What it takes grows with what the stream really holds, so a header that lies
// about the size costs nothing.
func readFloats(r io.Reader, n int, order binary.ByteOrder) ([]float32, error) {
	var out []float32
	buffer := make([]byte, step)
	for len(out) < n {
		b := buffer[:min(step, 4*(n-len(out)))]
		if _, err := io.ReadFull(r, b); err != nil {
			return nil, cut(err)
		}
		if len(out) == cap(out) {
			grown := make([]float32, len(out), min(n, max(2*len(out), step)))
			copy(grown, out)
			out = grown
		}
		for ; len(b) > 0; b = b[4:] {
			out = append(out, math.Float32frombits(order.Uint32(b)))
		}
	}
	return out, atEnd(r)
}

// atEnd is an error if the stream goes on: a file longer than its header says is as wrong as a shorter one.
func atEnd(r io.Reader) error {
	switch n, err := io.ReadFull(r, make([]byte, 1)); {
	case n > 0:
		return fmt.Errorf("%w: it goes on after its last pixel", ErrFormat)
	case err == io.EOF:
		return nil
	default:
		return err
	}
}

func writeFloats(w io.Writer, numbers []float32) error {
	buffer := make([]byte, 0, step)
	for len(numbers) > 0 {
		n := min(step/4, len(numbers))
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

// cut words the end of a stream where there should be more.
func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it is cut short", ErrFormat)
	}
	return err
}
