package flowfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
)

const chunkBytes = 1 << 16 // read or written at a time

// readFloats reads n 32-bit numbers, which must be the rest of the stream. It allocates no more memory than a file has data, or
// memory as data arrives, so a header that claims a wrong size costs nothing.
func readFloats(r io.Reader, n int, order binary.ByteOrder) ([]float32, error) {
	out := make([]float32, 0, min(n, int(fileSize(r)/4)))
	buffer := make([]byte, chunkBytes)
	for len(out) < n {
		b := buffer[:min(chunkBytes, 4*(n-len(out)))]
		if _, err := io.ReadFull(r, b); err != nil {
			return nil, truncated(err)
		}
		from := len(out)
		if from+len(b)/4 > cap(out) {
			grown := make([]float32, from, min(n, max(2*from, chunkBytes)))
			copy(grown, out)
			out = grown
		}
		out = out[:from+len(b)/4]
		decodeFloats(out[from:], b, order)
	}
	return out, atEnd(r)
}

// decodeFloats decodes 4*len(to) bytes. Each order has a loop of its own, which is several times as fast as one that calls order.
func decodeFloats(to []float32, from []byte, order binary.ByteOrder) {
	if order == binary.ByteOrder(binary.BigEndian) {
		for i := range to {
			to[i] = math.Float32frombits(binary.BigEndian.Uint32(from[4*i:]))
		}
		return
	}
	for len(to) >= 4 && len(from) >= 16 { // half as many checks of bounds as one by one
		a, b := binary.LittleEndian.Uint64(from), binary.LittleEndian.Uint64(from[8:])
		to[0], to[1] = math.Float32frombits(uint32(a)), math.Float32frombits(uint32(a>>32))
		to[2], to[3] = math.Float32frombits(uint32(b)), math.Float32frombits(uint32(b>>32))
		to, from = to[4:], from[16:]
	}
	for i := range to {
		to[i] = math.Float32frombits(binary.LittleEndian.Uint32(from[4*i:]))
	}
}

// fileSize returns the size of a regular file in bytes, 0 if r is something else.
func fileSize(r io.Reader) int64 {
	if f, ok := r.(*os.File); ok {
		if s, err := f.Stat(); err == nil && s.Mode().IsRegular() {
			return s.Size()
		}
	}
	return 0
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
