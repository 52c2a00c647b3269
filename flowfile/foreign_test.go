package flowfile

import (
	"math"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/testutil"
)

// oiiotool runs OpenImageIO's tool.
func oiiotool(t *testing.T, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("oiiotool")
	if err != nil {
		testutil.Skip(t, "oiiotool is missing: %v", err)
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("oiiotool: %v: %s", err, out)
	}
	return string(out)
}

// TestEXRHeader prints the headers of our files with oiiotool.
func TestEXRHeader(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	early, late := &frame.Frame{Index: 4}, &frame.Frame{Index: 5}
	args := []string{"--info", "-v"}
	for _, c := range []struct {
		name string
		pair *frame.Pair
	}{{"none", nil}, {"forward", &frame.Pair{First: early, Second: late}}, {"backward", &frame.Pair{First: late, Second: early}}} {
		f := golden()
		f.Pair = c.pair
		path := filepath.Join(folder, c.name+".exr")
		if err := Write(path, f); err != nil {
			t.Fatal(err)
		}
		if back, err := Read(path); err != nil || differ(back, golden(), 0) != "" {
			t.Errorf("%s: the pixels differ, %v", c.name, err)
		}
		args = append(args, path)
	}
	headers := regexp.MustCompile(`(?m)^Reading `).Split(oiiotool(t, args...), -1)[1:]
	if len(headers) != 3 {
		t.Fatalf("oiiotool printed %q", headers)
	}
	for i, want := range [][]string{
		{"7 x    5, 3 channel", "channel list: u (float), v (float), valid (half)", `flowDirection: "unknown"`, `flowUnit: "pixels`, `flowAxis: "x right, y down"`, `compression: "zip"`},
		{"channel list: forward.u (float), forward.v (float), forward.valid (half)", `flowDirection: "forward"`},
		{"channel list: backward.u (float), backward.v (float), backward.valid (half)", `flowDirection: "backward"`},
	} {
		for _, text := range want {
			if !strings.Contains(headers[i], text) {
				t.Errorf("file %d: oiiotool did not print %q but\n%s", i, text, headers[i])
			}
		}
	}
}

// TestEXRPixels has oiiotool convert our file: to another compression, to a picture of channel valid, and to a file
// without NaN, as some compositing programs save it. The last one must still have unknown flow, because of valid.
func TestEXRPixels(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	if err := Write(in("ours.exr"), golden()); err != nil {
		t.Fatal(err)
	}
	oiiotool(t, in("ours.exr"), "--compression", "none", "-o", in("theirs.exr"), "--dup", "--ch", "u=valid,v=valid", "-d", "float",
		"-o", in("valid.exr"), "--pop", "--fixnan", "black", "-o", in("black.exr"))
	fields := map[string]*field.Field{}
	for _, name := range []string{"theirs.exr", "valid.exr", "black.exr"} {
		f, err := Read(in(name))
		if err != nil {
			t.Fatal(err)
		}
		fields[name] = f
	}
	for _, name := range []string{"theirs.exr", "black.exr"} {
		if d := differ(fields[name], golden(), 0); d != "" {
			t.Errorf("%s differs %s", name, d)
		}
	}
	for i, want := range golden().Vectors {
		if valid := fields["valid.exr"].Vectors[i]; math.IsNaN(float64(want)) != (valid == 0) || valid != 0 && valid != 1 {
			t.Errorf("number %d: valid is %g, the flow %g", i, valid, want)
		}
	}
}

// TestOthersRead has NumPy, OpenCV and h5py read our files.
func TestOthersRead(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, format := range []Format{Flo5, NPY, KITTI} {
		if err := Write(filepath.Join(folder, "a"+format.Extension()), golden()); err != nil {
			t.Fatal(err)
		}
	}
	for _, format := range Variants() {
		if err := WriteAs(filepath.Join(folder, "half"+format.Extension()), golden(), format); err != nil {
			t.Fatal(err)
		}
	}
	if header := oiiotool(t, "--info", "-v", filepath.Join(folder, "half.exr")); !strings.Contains(header, "u (half), v (half), valid (half)") && !strings.Contains(header, "3 channel, half") {
		t.Errorf("exr16: %s", header)
	}
	const script = `
want = np.load("testdata/golden.npy")
with h5py.File(sys.argv[1] + "/a.flo5") as f:
    assert f["flow"].compression == "gzip" and f["flow"].dtype == np.float32
    assert np.array_equal(f["flow"][()], want, equal_nan=True)
assert np.array_equal(np.load(sys.argv[1] + "/a.npy"), want, equal_nan=True)
half = np.load(sys.argv[1] + "/half.npy")
assert half.dtype == np.float16 and np.array_equal(half, want.astype(np.float16), equal_nan=True)
ours, theirs = (cv2.imread(p, cv2.IMREAD_UNCHANGED) for p in (sys.argv[1] + "/a.png", "testdata/golden.png"))
assert ours.dtype == np.uint16 and np.array_equal(ours, theirs)
`
	testutil.Python(t, "h5py, cv2, numpy as np", script, folder)
}
