package decode_test

import (
	"context"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/frame"
)

var background = context.Background()

// readAll reads an input to its end. It returns the frames, Info, and the number of damaged frames.
func readAll(t testing.TB, name string, o decode.Options) ([]*frame.Frame, decode.Info, int) {
	t.Helper()
	r, err := decode.Open(background, name, o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	return drain(t, r)
}

// drain reads all frames of a reader.
func drain(t testing.TB, r *decode.Reader) ([]*frame.Frame, decode.Info, int) {
	t.Helper()
	var list []*frame.Frame
	for {
		f, err := r.Read()
		if err == io.EOF {
			return list, r.Info(), r.Corrupt()
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, f)
	}
}

// stdin replaces standard input during a test.
func stdin(t *testing.T, f *os.File) {
	t.Helper()
	before := os.Stdin
	os.Stdin = f
	t.Cleanup(func() { os.Stdin = before; f.Close() })
}

// feed returns the reading end of a pipe into which a file is written.
func feed(t *testing.T, path string) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		w.Write(data) // fails if the reader stops early
		w.Close()
	}()
	return r
}

// save writes an image as PNG or JPEG.
func save(t *testing.T, path string, m image.Image) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if strings.HasSuffix(path, ".png") {
		err = png.Encode(f, m)
	} else {
		err = jpeg.Encode(f, m, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// gray returns an image with one value.
func gray(width, height int, v uint8) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := range m.Pix {
		m.Pix[i] = v
	}
	for i := 3; i < len(m.Pix); i += 4 {
		m.Pix[i] = 255
	}
	return m
}
