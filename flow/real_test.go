package flow

import (
	"context"
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/testutil"
)

// endpointError returns the mean endpoint error over the pixels whose true flow is known, of f and of zero flow.
func endpointError(t *testing.T, f, truth *field.Field) (ours, zero float64) {
	t.Helper()
	if f.Width != truth.Width || f.Height != truth.Height {
		t.Fatalf("the field is %dx%d, the true flow %dx%d", f.Width, f.Height, truth.Width, truth.Height)
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

// realPair is a pair of real frames with its true flow.
type realPair struct {
	name          string
	first, second *frame.Frame
	truth         *field.Field
}

// realPairs reads the test material.
func realPairs(t *testing.T) []realPair {
	t.Helper()
	folder := testutil.Root()
	file, err := os.Open(testutil.Require(t, "pairs.tsv"))
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

func (p realPair) estimate(t *testing.T, m *Model) *field.Field {
	t.Helper()
	f, err := m.Flow(context.Background(), p.first, p.second)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestDefaultNetworkOnRealPairs requires at most half the error of zero flow.
func TestDefaultNetworkOnRealPairs(t *testing.T) {
	pairs := realPairs(t)
	m := openDefault(t)
	var ours, zero float64
	for _, p := range pairs {
		e, z := endpointError(t, p.estimate(t, m), p.truth)
		t.Logf("%-22s %6.2f px, zero flow %6.2f px", p.name, e, z)
		ours, zero = ours+e/float64(len(pairs)), zero+z/float64(len(pairs))
	}
	t.Logf("mean of %d pairs: %.2f px, zero flow %.2f px", len(pairs), ours, zero)
	if math.Abs(zero-14.053) > 0.01 {
		t.Errorf("zero flow has an error of %.3f px, but 14.053 px according to the README of the material: the pairs are read wrongly", zero)
	}
	if !(ours <= zero/2) {
		t.Errorf("the network has a mean endpoint error of %.2f px, zero flow of %.2f px", ours, zero)
	}
}

// TestHalfPrecisionOnRealPairs requires that half precision changes the error on whole frames by less than 0.02 px.
func TestHalfPrecisionOnRealPairs(t *testing.T) {
	pairs := realPairs(t)
	full := openDefault(t)
	half, err := Open(Options{Device: "cpu", Precision: string(FP16)})
	if err != nil {
		t.Fatal(err)
	}
	defer half.Close()
	for i := 0; i < len(pairs); i += 3 { // every third pair, because half precision is slow on a CPU
		p := pairs[i]
		want, got := p.estimate(t, full), p.estimate(t, half)
		errorFull, _ := endpointError(t, want, p.truth)
		errorHalf, _ := endpointError(t, got, p.truth)
		difference, _ := endpointError(t, got, want)
		t.Logf("%-22s error %.4f px in float32, %.4f px in float16; they differ by %.4f px", p.name, errorFull, errorHalf, difference)
		if math.Abs(errorHalf-errorFull) >= 0.02 {
			t.Errorf("%s: the error is %.4f px in float32 and %.4f px in float16", p.name, errorFull, errorHalf)
		}
		if difference == 0 {
			t.Errorf("%s: both precisions give the same flow: float16 was not used", p.name)
		}
	}
}
