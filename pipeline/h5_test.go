package pipeline

import (
	"path/filepath"
	"testing"

	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/internal/testutil"
)

// TestH5 reads the files with h5py, and compares them with .npy files of the same run.
func TestH5(t *testing.T) {
	folder := t.TempDir()
	_, _, _, err := runVideo(t, t.Context(), func(o *Options) {
		o.MinConfidence = 0.5
		for _, f := range []string{"h5", "h5-16", "npy"} {
			o.Exports = append(o.Exports, Export{Format: flowfile.Format(f), Dir: filepath.Join(folder, f)})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	const script = `
import os
os.chdir(sys.argv[1])
a, b = h5py.File("h5/flow.h5", "r"), h5py.File("h5-16/flow.h5", "r")
want = np.stack([np.load("npy/%06d.npy" % i) for i in range(19)])
x, y = a["flow"], b["flow"]
assert x.dtype == np.float32 and y.dtype == np.float16 and x.shape == y.shape == (19, 48, 64, 2), (x, y)
assert x.chunks == (1, 48, 64, 2)
assert np.array_equal(x[7], want[7], equal_nan=True) and np.array_equal(x[:], want, equal_nan=True)
with np.errstate(over="ignore"):
    assert np.array_equal(y[:], want.astype(np.float16), equal_nan=True)
assert np.isnan(want).any()
assert x.attrs["units"] == "pixels" and x.attrs["step"] == 1 and x.attrs["backward"] == 0, dict(x.attrs)
assert abs(x.attrs["fps"] - 25) < 5, x.attrs["fps"]
assert a["frames"][:].tolist() == list(range(19))
numerator, denominator = a["pts"].attrs["time_base"]
assert np.allclose(a["times"][:4], [0, .04, .073, .12]), a["times"][:]
assert np.allclose(a["pts"][:] * numerator / denominator, a["times"][:]) and a["times"].attrs["units"] == "seconds"
print("same")
`
	if got := testutil.Python(t, "h5py, numpy as np", script, folder); got != "same" {
		t.Error(got)
	}
}
