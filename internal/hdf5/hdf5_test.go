package hdf5

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
)

// python runs Debian's Python with h5py. Where that is missing the test is skipped, but not in CI.
func python(t testing.TB, script string, args ...string) string {
	t.Helper()
	const name = "/usr/bin/python3"
	if err := exec.Command(name, "-c", "import h5py").Run(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("h5py: %v", err)
		}
		t.Skipf("h5py isn't there: %v", err)
	}
	out, err := exec.Command(name, append([]string{"-c", script}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// sum is over the numbers as little-endian 32-bit floats.
func sum(a *Array) string {
	b := make([]byte, 4*len(a.Data))
	for i, v := range a.Data {
		binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(v))
	}
	return fmt.Sprintf("%x", sha256.Sum256(b))
}

// TestFullSize reads 3840x2160 files of h5py, as Spring has them, all at the same time, and has h5py read ours.
func TestFullSize(t *testing.T) {
	folder := t.TempDir()
	want := strings.Fields(python(t, `
import sys, hashlib, h5py, numpy as np
y, x = np.mgrid[0:2160, 0:3840].astype(np.float32)
flow = np.stack([5 * np.sin(x / 300) + 0.01 * y, 2 * np.cos(y / 200) + 0.002 * x], -1).astype(np.float32)
flow[100:200, 300:700] = np.nan
for name, data, options in (
        ("float32", flow, dict(compression="gzip", compression_opts=5)),
        ("float16", flow.astype(np.float16), dict(compression="gzip", compression_opts=5)),
        ("whole", flow, dict(compression="gzip", compression_opts=1, chunks=flow.shape)),
        ("latest", flow[:500], dict(compression="gzip", compression_opts=1, shuffle=True))):
    with h5py.File(f"{sys.argv[1]}/{name}", "w", libver="latest" if name == "latest" else None) as f:
        f.create_dataset("flow", data=data, **options)
    print(hashlib.sha256(data.astype("<f4").tobytes()).hexdigest())
`, folder))
	arrays := make([]*Array, 4)
	var group errgroup.Group
	for i, name := range []string{"float32", "float16", "whole", "latest"} {
		group.Go(func() error {
			a, err := Read(filepath.Join(folder, name), "flow", 1<<26)
			if err != nil {
				return err
			}
			if got := sum(a); got != want[i] {
				t.Errorf("%s: the numbers differ", name)
			}
			arrays[i] = a
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	ours := filepath.Join(folder, "ours")
	if err := Write(ours, "flow", arrays[0]); err != nil {
		t.Fatal(err)
	}
	got := python(t, `
import sys, hashlib, h5py
d = h5py.File(sys.argv[1])["flow"]
print(d.shape, d.dtype, d.compression, hashlib.sha256(d[()].tobytes()).hexdigest())
`, ours)
	if got != "(2160, 3840, 2) float32 gzip "+want[0] {
		t.Errorf("h5py reads our file as %s", got)
	}
}

// TestDamage changes one byte in the middle of the compressed numbers: that must be noticed.
func TestDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	a := &Array{Shape: []int{300, 300, 2}, Data: make([]float32, 180000)}
	for i := range a.Data {
		a.Data[i] = float32(math.Sin(float64(i)))
	}
	if err := Write(path, "flow", a); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 4
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path, "flow", 1<<20); !errors.Is(err, ErrFormat) {
		t.Errorf("%v", err)
	}
	if _, err := Read(path, "flow", 1<<17); !errors.Is(err, ErrTooLarge) {
		t.Errorf("more than the limit: %v", err)
	}
}

// TestShapes: datasets of one to four dimensions, and of sizes that chunks don't divide.
func TestShapes(t *testing.T) {
	for _, shape := range [][]int{{1}, {700000}, {3, 5}, {7, 4, 2}, {5, 300, 300, 2}} {
		a := &Array{Shape: shape, Data: make([]float32, product(shape))}
		for i := range a.Data {
			a.Data[i] = float32(i) / 3
		}
		path := filepath.Join(t.TempDir(), "a")
		if err := Write(path, "x", a); err != nil {
			t.Fatal(err)
		}
		b, err := Read(path, "x", len(a.Data))
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(b.Shape) != fmt.Sprint(shape) || sum(a) != sum(b) {
			t.Errorf("%v comes back as %v", shape, b.Shape)
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
