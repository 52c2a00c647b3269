package flowfile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/field"
)

// golden returns the field that every file in testdata contains. testdata/generate.py has the same formula.
func golden() *field.Field {
	f := field.New(7, 5)
	for y := range f.Height {
		for x := range f.Width {
			i := 2 * (y*f.Width + x)
			f.Vectors[i] = 3*float32(x) - 2*float32(y) + 0.25
			f.Vectors[i+1] = 0.5*float32(y*y) - float32(x) - 1.0/64
			if x == 2 && y == 1 || x == 6 && y == 4 {
				f.Vectors[i], f.Vectors[i+1] = field.Unknown(), field.Unknown()
			}
		}
	}
	return f
}

// differ describes the first vector in which two fields differ by more than tolerance. It returns "" if there is none.
func differ(a, b *field.Field, tolerance float64) string {
	if a.Width != b.Width || a.Height != b.Height || len(a.Vectors) != len(b.Vectors) {
		return "size"
	}
	for i, v := range a.Vectors {
		w := b.Vectors[i]
		if (v != v) != (w != w) || math.Abs(float64(v)-float64(w)) > tolerance {
			return fmt.Sprintf("in column %d, row %d: %v and %v", i/2%a.Width, i/2/a.Width, v, w)
		}
	}
	return ""
}

// TestGolden reads files that NumPy, OpenCV, h5py and oiiotool wrote.
func TestGolden(t *testing.T) {
	for name, tolerance := range map[string]float64{
		"golden.flo": 0, "golden.png": 0, "golden.pfm": 0, "big-endian.pfm": 0, "golden.npy": 0, "float64.npy": 0, "float16.npy": 0.004,
		"golden.flo5": 0, "shuffle.flo5": 0, "fletcher.flo5": 0, "contiguous.flo5": 0, "float64-big-endian.flo5": 0,
		"float16.flo5": 0.004, "golden.exr": 0, "none-rgb.exr": 0, "half-zips.exr": 0.004,
	} {
		f, err := Read(filepath.Join("testdata", name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := differ(f, golden(), tolerance); d != "" {
			t.Errorf("%s differs %s", name, d)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {33, 17}, {1, 40}, {131, 97}} {
		f := field.New(size[0], size[1])
		for i := range f.Vectors {
			f.Vectors[i] = float32(511 * math.Sin(float64(i)*1.37))
		}
		for i := 0; i < len(f.Vectors); i += 2 * 11 {
			f.Vectors[i], f.Vectors[i+1] = field.Unknown(), field.Unknown()
		}
		for _, format := range Formats() {
			path := filepath.Join(t.TempDir(), "a"+format.Extension())
			for range 2 { // the second one replaces the first
				if err := Write(path, f); err != nil {
					t.Fatalf("%s: %v", format, err)
				}
			}
			back, err := Read(path)
			if err != nil {
				t.Fatalf("%s: %v", format, err)
			}
			tolerance := 0.0
			if format == KITTI {
				tolerance = 0.5 / kittiScale
			}
			if d := differ(back, f, tolerance); d != "" {
				t.Errorf("%s %v differs %s", format, size, d)
			}
			if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) > 0 {
				t.Errorf("%s leaves %v", format, left)
			}
		}
	}
}

// TestHalfKnown writes a vector of which one component is unknown. Every format must return both as unknown.
func TestHalfKnown(t *testing.T) {
	f := field.New(2, 1)
	f.Vectors = []float32{field.Unknown(), 3, 1, -2}
	for _, format := range Formats() {
		path := filepath.Join(t.TempDir(), "a"+format.Extension())
		if err := Write(path, f); err != nil {
			t.Fatal(err)
		}
		back, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		if v := back.Vectors; v[0] == v[0] || v[1] == v[1] || v[2] != 1 || v[3] != -2 {
			t.Errorf("%s: %v", format, v)
		}
	}
	if f.Vectors[1] != 3 {
		t.Error("Write changed the field")
	}
}

// TestFloBytes compares a .flo file with one that NumPy wrote.
func TestFloBytes(t *testing.T) {
	var b bytes.Buffer
	if err := Encode(&b, golden(), Flo); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/golden.flo")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Error("the bytes differ from NumPy's")
	}
}

func TestKITTIRounds(t *testing.T) {
	for _, c := range []struct{ in, want float32 }{
		{0, 0}, {0.0078124, 0}, {0.0078126, 1. / 64}, {-0.0078124, 0}, {-0.0078126, -1. / 64},
		{1.0 / 64 * 0.999, 1. / 64}, {-512, -512}, {511.984375, 511.984375}, {511.99, 511.984375},
	} {
		f := field.New(1, 1)
		f.Vectors[0], f.Vectors[1] = c.in, -0.25
		var b bytes.Buffer
		if err := Encode(&b, f, KITTI); err != nil {
			t.Fatal(err)
		}
		back, err := Decode(&b, KITTI)
		if err != nil {
			t.Fatal(err)
		}
		if back.Vectors[0] != c.want || back.Vectors[1] != -0.25 {
			t.Errorf("%v was stored as %v, want %v", c.in, back.Vectors, c.want)
		}
	}
}

// TestRange writes vectors that a format cannot store. The error must name the pixel, and no file may remain.
func TestRange(t *testing.T) {
	for _, c := range []struct {
		format Format
		v      float32
	}{
		{KITTI, 512}, {KITTI, -513}, {KITTI, float32(math.Inf(1))}, {Flo, 2e9}, {Flo, float32(math.Inf(-1))},
	} {
		f := golden()
		f.Vectors[2*(3*f.Width+4)+1] = c.v
		path := filepath.Join(t.TempDir(), "a"+c.format.Extension())
		err := Write(path, f)
		var out *RangeError
		if !errors.As(err, &out) || out.X != 4 || out.Y != 3 || out.V != c.v || !strings.Contains(err.Error(), path) {
			t.Errorf("%s %v: %v", c.format, c.v, err)
		}
		if left, _ := os.ReadDir(filepath.Dir(path)); len(left) > 0 {
			t.Errorf("%s leaves %v", c.format, left)
		}
	}
}

// TestTruncated truncates every golden file at many places. Read must return an error that names the file.
func TestTruncated(t *testing.T) {
	for _, format := range Formats() {
		data, err := os.ReadFile("testdata/golden" + format.Extension())
		if err != nil {
			t.Fatal(err)
		}
		if format == KITTI {
			data = data[:len(data)-12] // the end chunk, which is not needed
		}
		path := filepath.Join(t.TempDir(), "a"+format.Extension())
		for n := 0; n < len(data); n += 1 + len(data)/60 {
			if err := os.WriteFile(path, data[:n], 0o666); err != nil {
				t.Fatal(err)
			}
			if _, err := Read(path); !errors.Is(err, ErrFormat) || !strings.HasPrefix(err.Error(), path+": ") {
				t.Fatalf("%s truncated at byte %d of %d gave %v", format, n, len(data), err)
			}
		}
	}
}

func TestReadErrors(t *testing.T) {
	flo := func(w, h int32) []byte {
		b := []byte("PIEH")
		for _, v := range []int32{w, h} {
			b = append(b, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
		}
		return b
	}
	for name, c := range map[string]struct {
		data []byte
		want error
	}{
		"huge.flo":     {flo(1<<30, 1<<30), ErrTooLarge},
		"negative.flo": {flo(-3, 4), ErrFormat},
		"long.flo":     {append(flo(1, 1), make([]byte, 9)...), ErrFormat},
		"empty.exr":    {nil, ErrFormat},
		"huge.pfm":     {[]byte("PF\n99999999 99999999\n-1\n"), ErrTooLarge},
		"grey.pfm":     {[]byte("Pf\n1 1\n-1\n0000"), ErrFormat},
		"pickle.npy":   {[]byte("\x93NUMPY\x01\x00\x10\x00{'descr': '|O'}  "), ErrFormat},
		"text.flo5":    {[]byte("no HDF5"), ErrFormat},
		"flow.gif":     {nil, ErrUnknownFormat},
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, c.data, 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path); !errors.Is(err, c.want) || !strings.HasPrefix(err.Error(), path+": ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, want := range map[string]error{
		"no-flow.flo5": ErrFormat, "integers.flo5": ErrFormat, "hole.flo5": ErrFormat, "huge.flo5": ErrTooLarge, "missing.flo5": fs.ErrNotExist, "missing.flo": fs.ErrNotExist,
	} {
		if _, err := Read("testdata/" + name); !errors.Is(err, want) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Write(filepath.Join(t.TempDir(), "missing", "a.flo5"), golden()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing folder gave %v", err)
	}
}
