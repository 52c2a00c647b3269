package flowfile

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"runtime"

	"github.com/wwflow/wwflow/field"
	"golang.org/x/sync/errgroup"
)

// exrPack returns the compressed blocks of a field, computed on every core.
func exrPack(vectors []float32, width, height, lines int) ([][]byte, error) {
	blocks := make([][]byte, (height+lines-1)/lines)
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range blocks {
		group.Go(func() error {
			plain := exrPlain(vectors, width, i*lines, min((i+1)*lines, height))
			packed, err := exrDeflate(plain)
			if len(packed) >= len(plain) {
				packed = plain // the format marks an uncompressed block by its size
			}
			blocks[i] = packed
			return err
		})
	}
	return blocks, group.Wait()
}

// exrPlain returns the lines from top to bottom. Each holds all u, then all v, then all valid.
func exrPlain(vectors []float32, width, top, bottom int) []byte {
	const halfOne = 0x3c00
	plain := make([]byte, 0, 10*width*(bottom-top))
	for y := top; y < bottom; y++ {
		row := vectors[2*width*y:][:2*width]
		for c := range 2 {
			for x := range width {
				plain = binary.LittleEndian.AppendUint32(plain, math.Float32bits(row[2*x+c]))
			}
		}
		for x := range width {
			valid := uint16(0)
			if field.Known(row[2*x], row[2*x+1]) {
				valid = halfOne
			}
			plain = binary.LittleEndian.AppendUint16(plain, valid)
		}
	}
	return plain
}

// exrDeflate moves the even bytes before the odd bytes, replaces each by the difference to its predecessor, and deflates
// the result.
func exrDeflate(b []byte) ([]byte, error) {
	t, half := make([]byte, len(b)), (len(b)+1)/2
	for i, v := range b {
		t[i/2+i%2*half] = v
	}
	for i := len(t) - 1; i > 0; i-- {
		t[i] -= t[i-1] - 128
	}
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	if _, err := w.Write(t); err != nil {
		return nil, err
	}
	err := w.Close()
	return out.Bytes(), err
}

// exrUnpack reverses exrDeflate. A result of another size than want bytes is an error.
func exrUnpack(packed []byte, want int) ([]byte, error) {
	r, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	t, err := io.ReadAll(io.LimitReader(r, int64(want)+1))
	if err != nil {
		return nil, err
	}
	if len(t) != want {
		return nil, fmt.Errorf("it does not decompress to %d bytes", want)
	}
	for i := 1; i < len(t); i++ {
		t[i] += t[i-1] - 128
	}
	b, half := make([]byte, len(t)), (len(t)+1)/2
	for i := range b {
		b[i] = t[i/2+i%2*half]
	}
	return b, nil
}
