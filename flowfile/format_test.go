package flowfile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
)

// golden is the field in every file of testdata: its formula is that of testdata/generate.py.
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

// differ tells of the first vector in which two fields differ by more than tolerance, bit for bit if that is 0; it
// is "" where there is none.
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

// TestGolden reads what NumPy, OpenCV, h5py and oiiotool wrote.
func TestGolden(t *testing.T) {
	for name, tolerance := range map[string]float64{
		"golden.flo": 0, "golden.png": 0, "golden.pfm": 0, "big-endian.pfm": 0, "golden.npy": 0, "float64.npy": 0,
		"golden.flo5": 0, "shuffle.flo5": 0, "fletcher.flo5": 0, "contiguous.flo5": 0, "float64-big-endian.flo5": 0,
		"float16.flo5": 0.004, "golden.exr": 0, "none-rgb.exr": 0, "half-zips.exr": 0.004,
	} {
		f, err := Read(filepath.Join("testdata", name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := differ(f, golden(), tolerance); d != "" {
			t.Errorf("%s: differs %s", name, d)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {7, 5}, {33, 17}, {1, 40}, {301, 1}, {640, 480}} {
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
				t.Errorf("%s %v: differs %s", format, size, d)
			}
			if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) > 0 {
				t.Errorf("%s leaves %v", format, left)
			}
		}
	}
}

// TestHalfKnown: a vector of which one component is unknown is unknown, in every format and as both components.
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
		t.Error("the field written was changed")
	}
}

// TestFloBytes holds the bytes of the one format that everyone reads without a header of its own.
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
		t.Error("the bytes aren't those that NumPy wrote")
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
			t.Errorf("%v becomes %v, want %v", c.in, back.Vectors, c.want)
		}
	}
}

// TestRange: what a format can't hold is an error that says where, and leaves no file.
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

// TestCut cuts every golden file short at many places: each must be an error that names the file, never a field.
func TestCut(t *testing.T) {
	for _, format := range Formats() {
		whole, err := os.ReadFile("testdata/golden" + format.Extension())
		if err != nil {
			t.Fatal(err)
		}
		if format == KITTI {
			whole = whole[:len(whole)-12] // the end mark: all pixels are before it
		}
		path := filepath.Join(t.TempDir(), "cut"+format.Extension())
		for n := 0; n < len(whole); n += 1 + len(whole)/60 {
			if err := os.WriteFile(path, whole[:n], 0o666); err != nil {
				t.Fatal(err)
			}
			if _, err := Read(path); !errors.Is(err, ErrFormat) || !strings.HasPrefix(err.Error(), path+": ") {
				t.Fatalf("%s cut at byte %d of %d: %v", format, n, len(whole), err)
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
		t.Errorf("into no folder: %v", err)
	}
}

// TestEXRHeader has oiiotool read our file: its header must say what a compositing program has to know, and
// its pixels must be ours.
func TestEXRHeader(t *testing.T) {
	tool := foreign(t, "oiiotool")
	folder := t.TempDir()
	exr, theirs := filepath.Join(folder, "a.exr"), filepath.Join(folder, "b.exr")
	f := golden()
	if err := Write(exr, f); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(tool, "--info", "-v", exr).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, want := range []string{"7 x    5, 2 channel, float openexr", `flowDirection: "unknown"`, `flowUnit: "pixels`, `flowAxis: "x right, y down"`, `compression: "zip"`, "channel list: u, v"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("oiiotool doesn't say %q, but:\n%s", want, out)
		}
	}
	if out, err := exec.Command(tool, exr, "--compression", "none", "-o", theirs).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	// With a pair the header tells the direction, and the channels are named for it.
	f.Pair = &frame.Pair{First: &frame.Frame{Index: 5}, Second: &frame.Frame{Index: 4}}
	if err := Write(exr, f); err != nil {
		t.Fatal(err)
	}
	if out, err = exec.Command(tool, "--info", "-v", exr).CombinedOutput(); err != nil || !strings.Contains(string(out), "backward.u, backward.v") || !strings.Contains(string(out), `flowDirection: "backward"`) {
		t.Errorf("%v: %s", err, out)
	}
	if ours, err := Read(exr); err != nil || differ(ours, f, 0) != "" {
		t.Errorf("backward: %v", err)
	}
	back, err := Read(theirs)
	if err != nil {
		t.Fatal(err)
	}
	if d := differ(back, f, 0); d != "" {
		t.Errorf("oiiotool's pixels differ %s", d)
	}
}

// TestOthersRead has NumPy, OpenCV and h5py read our files.
func TestOthersRead(t *testing.T) {
	python := foreign(t, "/usr/bin/python3")
	folder := t.TempDir()
	for _, format := range []Format{Flo5, NPY, KITTI} {
		if err := Write(filepath.Join(folder, "a"+format.Extension()), golden()); err != nil {
			t.Fatal(err)
		}
	}
	const script = `
import sys, h5py, cv2, numpy as np
want = np.load("testdata/golden.npy")
with h5py.File(sys.argv[1] + "/a.flo5") as f:
    assert f["flow"].compression == "gzip" and f["flow"].dtype == np.float32
    assert np.array_equal(f["flow"][()], want, equal_nan=True)
assert np.array_equal(np.load(sys.argv[1] + "/a.npy"), want, equal_nan=True)
ours, theirs = (cv2.imread(p, cv2.IMREAD_UNCHANGED) for p in (sys.argv[1] + "/a.png", "testdata/golden.png"))
assert ours.dtype == np.uint16 and np.array_equal(ours, theirs)
`
	if out, err := exec.Command(python, "-c", script, folder).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// foreign is a program that others wrote. Where it is missing the test is skipped, but not in CI.
func foreign(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil && strings.HasSuffix(name, "python3") {
		err = exec.Command(path, "-c", "import h5py, cv2, numpy").Run()
	}
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatalf("%s: %v", name, err)
	} else if err != nil {
		t.Skipf("%s isn't there: %v", name, err)
	}
	return path
}
