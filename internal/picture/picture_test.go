package picture

import (
	"bytes"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"testing"
)

func TestCheckSize(t *testing.T) {
	for _, c := range []struct {
		width, height int
		want          error
	}{
		{8192, 4320, nil}, // DCI 8K
		{8193, 8192, ErrFormat}, {math.MaxInt, 1, ErrFormat}, {math.MaxInt, math.MaxInt, ErrFormat}, {0, 5, ErrFormat}, {5, -1, ErrFormat},
	} {
		if err := checkSize(c.width, c.height); !errors.Is(err, c.want) {
			t.Errorf("%dx%d gave %v, want %v", c.width, c.height, err, c.want)
		}
	}
}

func TestPNM(t *testing.T) {
	for name, c := range map[string]struct {
		data string
		pix  string
		err  error
	}{
		"colour":  {"P6\n# from a data set\n2 1\n255\nabcdef", "abcdef", nil},
		"grey":    {"P5 1 2 255\nxy", "xxxyyy", nil},
		"short":   {"P6 2 1 255\nabc", "", ErrFormat},
		"16 bits": {"P6 2 1 65535\nabcdefabcdef", "", ErrFormat},
		"huge":    {"P6 8193 8192 255\nabc", "", ErrFormat},
		"text":    {"not a picture", "", ErrFormat},
		"empty":   {"", "", ErrFormat},
	} {
		path := filepath.Join(t.TempDir(), "a.ppm")
		if err := os.WriteFile(path, []byte(c.data), 0o666); err != nil {
			t.Fatal(err)
		}
		f, err := Read(path)
		if !errors.Is(err, c.err) || err == nil && !bytes.Equal(f.Pix, []byte(c.pix)) {
			t.Errorf("%s: %v, %v", name, f, err)
		}
	}
	if _, err := Read(filepath.Join(t.TempDir(), "missing.png")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
}
