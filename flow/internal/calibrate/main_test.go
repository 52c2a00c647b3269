package main

import (
	"math"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/internal/testutil"
	"github.com/wwflow/wwflow/models"
)

// TestFit generates measurements from known coefficients.
func TestFit(t *testing.T) {
	for _, want := range []flow.Memory{
		{Base: 7e7, PerPixel: 630, PerPixelSquared: 1.8e-5},
		{Base: 5e7, PerPixel: 900},
		{PerPixel: 3, PerPixelSquared: 1e-4},
	} {
		var pixels, bytes []float64
		for _, size := range sizes {
			p := float64(size[0] * size[1])
			pixels = append(pixels, p)
			bytes = append(bytes, want.Base+want.PerPixel*p+want.PerPixelSquared*p*p)
		}
		got := fit(pixels, bytes)
		for _, size := range [][2]int{{100, 100}, {1024, 768}, {3840, 2160}} {
			if g, w := float64(got.Bytes(size[0], size[1], 0)), float64(want.Bytes(size[0], size[1], 0)); math.Abs(g/w-1) > 0.001 {
				t.Errorf("%v: %v at %v, want %v", want, g, size, w)
			}
		}
	}
}

// TestPredictionOfTheDefaultNetwork measures the default network. The prediction from its memory.json may be off by a fifth.
func TestPredictionOfTheDefaultNetwork(t *testing.T) {
	// Measure in a program of its own, without the memory of the race detector or the address sanitizer.
	program := filepath.Join(t.TempDir(), "calibrate")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	folder, err := filepath.Abs(filepath.Join(testutil.Repository(), "models", models.DefaultName))
	if err != nil {
		t.Fatal(err)
	}
	const width, height = 720, 480 // not among the sizes that are fitted
	out, err := exec.Command(program, folder, strconv.Itoa(width), strconv.Itoa(height), string(flow.FP32), "0").Output()
	if err != nil {
		t.Fatal(err)
	}
	measured, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	if err != nil {
		t.Fatal(err)
	}
	m, err := flow.Open(flow.Options{Device: "cpu", Precision: string(flow.FP32)})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	predicted := float64(m.Memory(width, height, 0))
	t.Logf("measured %.0f MiB, predicted %.0f MiB", measured/(1<<20), predicted/(1<<20))
	if math.Abs(predicted/measured-1) > 0.2 {
		t.Errorf("at %dx%d the prediction is %.0f %% off: run `make calibrate`", width, height, 100*(predicted/measured-1))
	}
}
