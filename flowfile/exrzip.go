package flowfile

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
)

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
