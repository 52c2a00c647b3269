package flowfile

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// exrPack makes the blocks of the vectors, on every core. A block holds, line after line, all u and then all v.
func exrPack(vectors []float32, width, height, lines, count int) ([][]byte, error) {
	blocks := make([][]byte, count)
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range blocks {
		group.Go(func() error {
			n := min(lines, height-i*lines)
			plain := make([]byte, 0, 8*width*n)
			for y := i * lines; y < i*lines+n; y++ {
				for c := range 2 {
					for x := range width {
						plain = binary.LittleEndian.AppendUint32(plain, math.Float32bits(vectors[2*(y*width+x)+c]))
					}
				}
			}
			packed, err := exrDeflate(plain)
			if len(packed) >= len(plain) {
				packed = plain // a block that is as long as its pixels is not compressed: so says the format
			}
			blocks[i] = packed
			return err
		})
	}
	return blocks, group.Wait()
}

// exrDeflate brings the even bytes before the odd ones, takes differences of neighbours, and deflates.
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

// exrUnpack undoes exrDeflate. The result has want bytes, or there is an error.
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
		return nil, fmt.Errorf("it unpacks to another size than %d bytes", want)
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
