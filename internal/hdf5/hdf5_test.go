package hdf5

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/wwflow/wwflow/internal/testutil"
)

// python runs a script with h5py.
func python(t testing.TB, script string, args ...string) string {
	t.Helper()
	return testutil.Python(t, "hashlib, h5py, numpy as np", script, args...)
}

// sum returns a checksum of the numbers as little-endian 32-bit floats.
func sum(a *Array) string {
	b := make([]byte, 4*len(a.Data))
	for i, v := range a.Data {
		binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(v))
	}
	return fmt.Sprintf("%x", sha256.Sum256(b))
}

func write(t *testing.T, path, name string, a *Array) {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, name, a); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestH5py exchanges arrays with h5py in both directions, concurrently. The chunks of h5py's files do not divide the
// array, are one number wide, or hold the whole array. The array is large enough that Write makes three chunks.
func TestH5py(t *testing.T) {
	folder := t.TempDir()
	a := &Array{Shape: []int{600, 480, 2}, Data: make([]float32, 600*480*2)}
	for i := range a.Data {
		a.Data[i] = float32(5*math.Sin(float64(i)/300) + float64(i%960)/100)
	}
	for i := range 400 {
		a.Data[100*960+i] = float32(math.NaN())
	}
	write(t, filepath.Join(folder, "ours"), "flow", a)
	printed := strings.Fields(python(t, `
d = h5py.File(sys.argv[1] + "/ours")["flow"]
flow = d[()]
print(str(d.shape).replace(" ", ""), d.dtype, d.compression, d.chunks[0], hashlib.sha256(flow.tobytes()).hexdigest())
for name, data, options in (
        ("float32", flow, dict(compression="gzip", chunks=(64, 100, 1))),
        ("float16", flow.astype(np.float16), dict(compression="gzip", chunks=True)),
        ("whole", flow, dict(compression="gzip", chunks=flow.shape)),
        ("latest", flow[:150], dict(compression="gzip", shuffle=True, chunks=(50, 120, 2)))):
    with h5py.File(f"{sys.argv[1]}/{name}", "w", libver="latest" if name == "latest" else None) as f:
        f.create_dataset("flow", data=data, **options)
    print(hashlib.sha256(data.astype("<f4").tobytes()).hexdigest())
`, folder))
	if got, want := strings.Join(printed[:5], " "), "(600,480,2) float32 gzip 273 "+sum(a); got != want {
		t.Errorf("h5py read our file as %s, want %s", got, want)
	}
	var group errgroup.Group
	for i, name := range []string{"float32", "float16", "whole", "latest"} {
		group.Go(func() error {
			a, err := Read(filepath.Join(folder, name), "flow", len(a.Data))
			if err != nil {
				return err
			}
			if got := sum(a); got != printed[5+i] {
				t.Errorf("%s: the numbers differ", name)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

// TestDamage changes one byte in the middle of the compressed numbers. Read must return an error.
func TestDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	a := &Array{Shape: []int{300, 300, 2}, Data: make([]float32, 180000)}
	for i := range a.Data {
		a.Data[i] = float32(math.Sin(float64(i)))
	}
	write(t, path, "flow", a)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 4
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path, "flow", 1<<20); !errors.Is(err, ErrFormat) {
		t.Errorf("a damaged file gave %v", err)
	}
	if _, err := Read(path, "flow", 1<<17); !errors.Is(err, ErrTooLarge) {
		t.Errorf("an array above the limit gave %v", err)
	}
}

// TestShapes writes and reads arrays of one to four dimensions, some of which chunks do not divide.
func TestShapes(t *testing.T) {
	for _, shape := range [][]int{{1}, {700000}, {3, 5}, {7, 4, 2}, {5, 300, 300, 2}} {
		a := &Array{Shape: shape, Data: make([]float32, product(shape))}
		for i := range a.Data {
			a.Data[i] = float32(i) / 3
		}
		path := filepath.Join(t.TempDir(), "a")
		write(t, path, "x", a)
		b, err := Read(path, "x", len(a.Data))
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(b.Shape) != fmt.Sprint(shape) || sum(a) != sum(b) {
			t.Errorf("%v was read as %v", shape, b.Shape)
		}
	}
}

func TestUnshuffle(t *testing.T) {
	if got := unshuffle([]byte("ace bdf!"), 2); !bytes.Equal(got, []byte("abcdef !")) {
		t.Errorf("%s", got)
	}
	if got := unshuffle([]byte("12345"), 2); !bytes.Equal(got, []byte("13245")) {
		t.Errorf("%s", got)
	}
}
