package flow

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/frame"
)

// realData is ../shared/data beside the repository. Without it the test is skipped, but never in CI.
func realData(t *testing.T) string {
	t.Helper()
	folder := filepath.Join("..", "..", "shared", "data")
	if _, err := os.Stat(folder); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the real material is missing: %v", err)
		}
		t.Skip("the real material is not beside the repository")
	}
	return folder
}

// readPicture reads a PNG, or a binary PPM of 8 bits without comments.
func readPicture(t *testing.T, path string) *frame.Frame {
	t.Helper()
	if !strings.HasSuffix(path, ".ppm") {
		return readPNG(t, path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var magic string
	var width, height, most int
	if _, err := fmt.Fscan(bytes.NewReader(data), &magic, &width, &height, &most); err != nil || magic != "P6" || most != 255 {
		t.Fatalf("%s: a PPM of another kind: %v", path, err)
	}
	f := frame.New(width, height)
	copy(f.Pix, data[len(data)-len(f.Pix):])
	return f
}

// endpointError is the mean error over the pixels whose true flow is known, for f and for zero flow.
func endpointError(t *testing.T, f, truth *field.Field) (ours, zero float64) {
	t.Helper()
	if f.Width != truth.Width || f.Height != truth.Height {
		t.Fatalf("a field of %dx%d against a truth of %dx%d", f.Width, f.Height, truth.Width, truth.Height)
	}
	n := 0
	for i := 0; i < len(truth.Vectors); i += 2 {
		u, v := truth.Vectors[i], truth.Vectors[i+1]
		if !field.Known(u, v) {
			continue
		}
		n++
		ours += math.Hypot(float64(f.Vectors[i]-u), float64(f.Vectors[i+1]-v))
		zero += math.Hypot(float64(u), float64(v))
	}
	return ours / float64(n), zero / float64(n)
}

// realPair is a pair of frames with its true flow.
type realPair struct {
	name          string
	first, second *frame.Frame
	truth         *field.Field
}

// realPairs are the real material's.
func realPairs(t *testing.T) []realPair {
	folder := realData(t)
	file, err := os.Open(filepath.Join(folder, "pairs.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	table := csv.NewReader(file)
	table.Comma = '\t'
	rows, err := table.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var pairs []realPair
	for _, row := range rows[1:] {
		truth, err := flowfile.Read(filepath.Join(folder, row[3]))
		if err != nil {
			t.Fatal(err)
		}
		pairs = append(pairs, realPair{row[0], readPicture(t, filepath.Join(folder, row[1])), readPicture(t, filepath.Join(folder, row[2])), truth})
	}
	return pairs
}

// estimate is the network's flow of the pair.
func (p realPair) estimate(t *testing.T, m *Model) *field.Field {
	t.Helper()
	a, b := encode(t, m, p.first), encode(t, m, p.second)
	defer a.Close()
	defer b.Close()
	f, err := m.Estimate(context.Background(), a, b)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// The network that ships must know more of real motion than that there is none.
func TestDefaultNetworkOnRealPairs(t *testing.T) {
	pairs := realPairs(t)
	m := openDefault(t)
	var ours, zero float64
	for _, p := range pairs {
		e, z := endpointError(t, p.estimate(t, m), p.truth)
		t.Logf("%-22s %6.2f px, zero flow %6.2f px", p.name, e, z)
		ours, zero = ours+e/float64(len(pairs)), zero+z/float64(len(pairs))
	}
	t.Logf("mean of %d: %.2f px, zero flow %.2f px", len(pairs), ours, zero)
	if math.Abs(zero-14.053) > 0.01 {
		t.Errorf("zero flow's error is %.3f px and the material's README says 14.053: the pairs are read wrongly", zero)
	}
	if !(ours <= zero/2) {
		t.Errorf("the network's mean endpoint error is %.2f px, and that of zero flow is %.2f px", ours, zero)
	}
}

// Half precision may not cost accuracy: the errors on whole frames differ by less than 0.02 px.
func TestDefaultNetworkInHalfPrecision(t *testing.T) {
	pairs := realPairs(t)
	full := openDefault(t)
	half, err := Open(Options{Device: "cpu", Precision: string(FP16)})
	if err != nil {
		t.Fatal(err)
	}
	defer half.Close()
	for i := 0; i < len(pairs); i += 3 { // on a CPU half precision is slow: every third pair will do
		p := pairs[i]
		want, got := p.estimate(t, full), p.estimate(t, half)
		before, _ := endpointError(t, want, p.truth)
		after, _ := endpointError(t, got, p.truth)
		apart, _ := endpointError(t, got, want)
		t.Logf("%-22s float32 %.4f px, float16 %.4f px, %.4f px apart", p.name, before, after, apart)
		if math.Abs(after-before) >= 0.02 {
			t.Errorf("%s: the error is %.4f px in float32 and %.4f px in float16", p.name, before, after)
		}
		if apart == 0 {
			t.Errorf("%s: not one value differs: was float16 used?", p.name)
		}
	}
}
