package spring

import (
	"fmt"
	"math"
	"os/exec"
	"testing"

	"github.com/wwflow/wwflow/internal/testutil"
)

// BenchmarkScore scores four Full-HD flow files against 4K ground truth and reports pairs per second, beside the same
// formulas in NumPy on the same files, timed just before.
func BenchmarkScore(b *testing.B) {
	const script = "../../testdata/spring/speed.py"
	folder := b.TempDir()
	python := func(verb string) string {
		out, err := exec.Command("/usr/bin/python3", "-B", script, verb, folder).CombinedOutput()
		if err != nil {
			testutil.Skip(b, "Debian's Python with NumPy, h5py and PIL is missing: %v: %s", err, out)
		}
		return string(out)
	}
	python("write")
	var numpy, epe float64
	if _, err := fmt.Sscan(python("time"), &numpy, &epe); err != nil {
		b.Fatal(err)
	}
	o := Options{Selection: Selection{Root: folder + "/data", Split: "train", Camera: "left"}, FlowDir: folder + "/flow"}
	flows := 0
	for b.Loop() {
		r, err := Evaluate(b.Context(), o)
		if err != nil {
			b.Fatal(err)
		}
		flows += r.Flows
		if got := r.All[0].Figures().EPE; math.Abs(got-epe) > 1e-6 {
			b.Fatalf("EPE %v, NumPy %v", got, epe)
		}
	}
	rate := float64(flows) / b.Elapsed().Seconds()
	b.ReportMetric(rate, "pairs/s")
	b.ReportMetric(numpy, "numpy-pairs/s")
	b.ReportMetric(rate/numpy, "times-numpy")
}
