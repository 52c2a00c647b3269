package flowfile

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/wwflow/wwflow/frame"
)

// fuzz decodes damaged files. Each must give ErrFormat or ErrTooLarge, or a field that a round trip preserves.
func fuzz(f *testing.F, format Format) {
	names, err := filepath.Glob("testdata/*" + format.Extension())
	if err != nil || len(names) == 0 {
		f.Fatalf("no seed files for %s: %v", format, err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(b[:len(b)/2])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := Decode(bytes.NewReader(b), format)
		if err != nil {
			if !errors.Is(err, ErrFormat) && !errors.Is(err, ErrTooLarge) {
				t.Fatalf("unexpected error: %v", err)
			}
			return
		}
		if len(a.Vectors) != 2*a.Width*a.Height || a.Width*a.Height > frame.MaxPixels {
			t.Fatalf("%dx%d with %d numbers", a.Width, a.Height, len(a.Vectors))
		}
		var out bytes.Buffer
		if err := Encode(&out, a, format); err != nil {
			t.Fatal(err)
		}
		back, err := Decode(&out, format)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range a.Vectors {
			if w := back.Vectors[i]; v != w && (v == v || w == w) {
				t.Fatalf("number %d is %v, and %v after a round trip", i, v, w)
			}
		}
	})
}

func FuzzFlo(f *testing.F)   { fuzz(f, Flo) }
func FuzzKITTI(f *testing.F) { fuzz(f, KITTI) }
func FuzzPFM(f *testing.F)   { fuzz(f, PFM) }
func FuzzNPY(f *testing.F)   { fuzz(f, NPY) }
func FuzzEXR(f *testing.F)   { fuzz(f, EXR) }

// FuzzFlo5 uses a file, because libhdf5 reads from files only.
func FuzzFlo5(f *testing.F) {
	names, err := filepath.Glob("testdata/*.flo5")
	if err != nil || len(names) == 0 {
		f.Fatalf("no seed files: %v", err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	path := filepath.Join(f.TempDir(), "a.flo5")
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
		a, err := Read(path)
		if err != nil {
			if !errors.Is(err, ErrFormat) && !errors.Is(err, ErrTooLarge) {
				t.Fatalf("unexpected error: %v", err)
			}
			return
		}
		if len(a.Vectors) != 2*a.Width*a.Height || a.Width*a.Height > frame.MaxPixels {
			t.Fatalf("%dx%d with %d numbers", a.Width, a.Height, len(a.Vectors))
		}
	})
}
