package flow

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/models"
)

// TestGPUAgreesWithCPU estimates a real pair with the default network on CUDA in both precisions, and compares it with the CPU's
// float32. Where CUDA is not available it is skipped, except with WWFLOW_REQUIRE_GPU, which
// benchmarks/speed/measure.sh sets. The path is relative because the program may run on another machine than it was built on.
func TestGPUAgreesWithCPU(t *testing.T) {
	folder := filepath.Join("..", "models", models.DefaultName, "parity")
	first, second := readPicture(t, filepath.Join(folder, "frame1.png")), readPicture(t, filepath.Join(folder, "frame2.png"))
	estimate := func(m *Model) *field.Field {
		t.Helper()
		got, err := m.Estimate(context.Background(), encode(t, m, first), encode(t, m, second))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	want := estimate(openDefault(t))
	// Half precision keeps 11 bits: the mean is what a user sees, single pixels at outlines may choose the other side.
	for precision, limit := range map[Precision]struct{ mean, worst float64 }{FP32: {0.002, 0.1}, FP16: {0.02, 10}} {
		m, err := Open(Options{Device: "cuda", Precision: string(precision)})
		var refused *DeviceError
		if errors.As(err, &refused) && os.Getenv("WWFLOW_REQUIRE_GPU") == "" {
			t.Skip(err)
		} else if err != nil {
			t.Fatal(err)
		}
		got := estimate(m)
		m.Close()
		var sum, worst float64
		for i := range got.Confidence {
			d := math.Hypot(float64(got.Vectors[2*i]-want.Vectors[2*i]), float64(got.Vectors[2*i+1]-want.Vectors[2*i+1]))
			sum, worst = sum+d, max(worst, d)
		}
		mean := sum / float64(len(got.Confidence))
		t.Logf("%s on CUDA differs from float32 on the CPU by %.2g px on average and at most %.2g px", precision, mean, worst)
		if !(mean < limit.mean) || !(worst < limit.worst) {
			t.Errorf("%s: CUDA and CPU differ by more than %v px on average or %v px at most", precision, limit.mean, limit.worst)
		}
	}
}
