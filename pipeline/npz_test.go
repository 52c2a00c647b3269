package pipeline

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/internal/testutil"
)

// TestNPZ reads the archives with NumPy, and compares them with .npy files of the same run.
func TestNPZ(t *testing.T) {
	folder := t.TempDir()
	_, _, _, err := runVideo(t, t.Context(), func(o *Options) {
		for _, f := range []string{"npz", "npz16", "npy"} {
			o.Exports = append(o.Exports, Export{Format: flowfile.Format(f), Dir: filepath.Join(folder, f)})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	const script = `
import os
os.chdir(sys.argv[1])
a, b = np.load("npz/flow.npz"), np.load("npz16/flow.npz")
assert a["frames"].tolist() == list(range(19)), a["frames"]
assert np.allclose(a["times"][:4], [0, .04, .073, .12]), a["times"]
assert str(a["units"]) == "pixels"
for i in a["frames"]:
    want = np.load("npy/%06d.npy" % i)
    x, y = a["flow_%06d" % i], b["flow_%06d" % i]
    assert x.dtype == np.float32 and y.dtype == np.float16 and x.shape == y.shape == (48, 64, 2)
    assert np.array_equal(x, want, equal_nan=True)
    with np.errstate(over="ignore"):
        assert np.array_equal(y, want.astype(np.float16), equal_nan=True)
print("same")
`
	if got := testutil.Python(t, "numpy as np", script, folder); got != "same" {
		t.Error(got)
	}
}

// TestArchivesAreComplete fails a run: no archive is left.
func TestArchivesAreComplete(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "archives")
	_, _, _, err := runVideo(t, t.Context(), func(o *Options) {
		o.Exports = []Export{{Format: NPZ, Dir: folder}, {Format: H5, Dir: folder}}
		o.Encode.EncoderOptions = map[string]string{"slices": "9999"} // refused with the first image
	})
	if entries, _ := os.ReadDir(folder); err == nil || len(entries) > 0 {
		t.Errorf("%v; there are %v", err, entries)
	}
}
