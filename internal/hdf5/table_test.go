package hdf5

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/wwflow/wwflow/internal/half"
)

// TestTable writes a table of every kind of numbers and reads it with h5py. There are more rows than a chunk of numbers has.
func TestTable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table.h5")
	table, err := CreateTable(path,
		Dataset{"half", Float16, []int{2, 3, 2}, []Attribute{{"units", "pixels é"}, {"fps", 29.97}, {"time_base", []int64{1, 1000}}, {"step", int64(2)}}},
		Dataset{"single", Float32, []int{2, 3, 2}, nil}, Dataset{"double", Float64, nil, nil}, Dataset{"integer", Int64, nil, nil})
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	const rows = 1500
	for i := range rows {
		var h, s []byte
		for k := range 12 {
			v := float32(i) + float32(k)/16
			h, s = binary.LittleEndian.AppendUint16(h, half.Bits(v)), binary.LittleEndian.AppendUint32(s, math.Float32bits(v))
		}
		d := binary.LittleEndian.AppendUint64(nil, math.Float64bits(float64(i)/3))
		n := binary.LittleEndian.AppendUint64(nil, uint64(int64(-i)))
		if err := table.Append(h, s, d, n); err != nil {
			t.Fatal(err)
		}
	}
	if err := table.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := table.Append(nil); err == nil {
		t.Error("a table that is closed takes a row")
	}
	got := python(t, `
f = h5py.File(sys.argv[1], "r")
want = (np.arange(1500)[:, None] + np.arange(12) / 16).reshape(1500, 2, 3, 2)
h, s = f["half"], f["single"]
assert h.dtype == np.float16 and s.dtype == np.float32 and h.shape == s.shape == want.shape, (h, s)
assert h.maxshape == (None, 2, 3, 2) and h.chunks == (1, 2, 3, 2) and h.compression is None
assert np.array_equal(s[:], want.astype(np.float32)) and np.array_equal(h[:], want.astype(np.float16))
assert f["double"].dtype == np.float64 and np.array_equal(f["double"][:], np.arange(1500) / 3)
assert f["integer"].dtype == np.int64 and np.array_equal(f["integer"][:], -np.arange(1500))
a = h.attrs
print(a["units"], a["fps"], a["time_base"].tolist(), a["step"], type(a["units"]).__name__)
`, path)
	if got != "pixels é 29.97 [1, 1000] 2 str" {
		t.Error(got)
	}
}

// TestTableErrors has a table in a folder that does not exist, and one whose file may not grow. The error is that of the system.
func TestTableErrors(t *testing.T) {
	folder := t.TempDir()
	if _, err := CreateTable(filepath.Join(folder, "none", "table.h5")); !errors.Is(err, syscall.ENOENT) {
		t.Error(err)
	}
	before := openDescriptors(t)
	// /dev/full refuses each write, as a full disk does.
	full := filepath.Join(folder, "full.h5")
	if err := os.Symlink("/dev/full", full); err != nil {
		t.Fatal(err)
	}
	table, err := CreateTable(full, Dataset{"flow", Float32, []int{512, 512, 2}, nil})
	for i := 0; err == nil && i < 3; i++ {
		err = table.Append(make([]byte, 512*512*2*4))
	}
	if err == nil {
		err = table.Commit()
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("on a full disk: %v", err)
	}
	table.Close()
	if after := openDescriptors(t); after != before {
		t.Errorf("%d files are open, %d before", after, before)
	}
}

func openDescriptors(t *testing.T) (n int) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if name, _ := os.Readlink("/proc/self/fd/" + e.Name()); strings.HasPrefix(name, "/") {
			n++
		}
	}
	return n
}
