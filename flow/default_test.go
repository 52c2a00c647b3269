package flow

import (
	"context"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/picture"
	"github.com/wwflow/wwflow/internal/testutil"
	"github.com/wwflow/wwflow/models"
)

// openDefault opens the built-in network on the CPU.
func openDefault(t testing.TB) *Model {
	t.Helper()
	m, err := Open(Options{Device: "cpu"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func readPicture(t testing.TB, path string) *frame.Frame {
	t.Helper()
	f, err := picture.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// floats returns the last n float32 values of a file, little endian: the values of a .flo or .npy file.
func floats(t testing.TB, path string, n int) []float32 {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) < 4*n {
		t.Fatalf("%s holds %d bytes, want at least %d", path, len(data), 4*n)
	}
	values := make([]float32, n)
	if _, err := binary.Decode(data[len(data)-4*n:], binary.LittleEndian, values); err != nil {
		t.Fatal(err)
	}
	return values
}

// TestParityWithPyTorch compares ONNX Runtime's results with PyTorch's, which the export wrote beside the network.
func TestParityWithPyTorch(t *testing.T) {
	folder := filepath.Join(testutil.Repository(), "models", models.DefaultName, "parity")
	m := openDefault(t)
	first, second := readPicture(t, filepath.Join(folder, "frame1.png")), readPicture(t, filepath.Join(folder, "frame2.png"))
	got, err := m.Estimate(context.Background(), encode(t, m, first), encode(t, m, second))
	if err != nil {
		t.Fatal(err)
	}
	pixels := got.Width * got.Height
	flow := floats(t, filepath.Join(folder, "flow.flo"), 2*pixels)
	logScale := floats(t, filepath.Join(folder, "log_scale.npy"), pixels)
	var worst, sum, worstConfidence float64
	for i := range pixels {
		d := math.Hypot(float64(got.Vectors[2*i]-flow[2*i]), float64(got.Vectors[2*i+1]-flow[2*i+1]))
		worst, sum = max(worst, d), sum+d
		want := 1 / (1 + math.Exp(float64(logScale[i])))
		worstConfidence = max(worstConfidence, math.Abs(want-float64(got.Confidence[i])))
	}
	t.Logf("the flow differs by %.2g px on average and at most %.2g px, the confidence by at most %.2g", sum/float64(pixels), worst, worstConfidence)
	if !(worst < 0.05) || !(sum/float64(pixels) < 0.002) || !(worstConfidence < 0.01) {
		t.Error("ONNX Runtime and PyTorch differ: export the network again with training.export")
	}
}

// TestDefaultNetworkIsDeterministic estimates a pair again after a frame of another size.
func TestDefaultNetworkIsDeterministic(t *testing.T) {
	m := openDefault(t)
	first, second := pattern(97, 63, 1), pattern(97, 63, 2)
	a, b := encode(t, m, first), encode(t, m, second)
	want, err := m.Estimate(context.Background(), a, b)
	if err != nil {
		t.Fatal(err)
	}
	a.Close()
	encode(t, m, pattern(40, 50, 3)).Close()
	got, err := m.Estimate(context.Background(), encode(t, m, first), b)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, got, want)
}

// TestDefaultNetworkAcceptsAnySize runs sizes down to one pixel.
func TestDefaultNetworkAcceptsAnySize(t *testing.T) {
	m := openDefault(t)
	for _, size := range [][2]int{{1, 1}, {2, 3}, {16, 16}, {17, 15}, {33, 1}, {200, 40}} {
		got, err := m.Estimate(context.Background(), encode(t, m, pattern(size[0], size[1], 1)), encode(t, m, pattern(size[0], size[1], 2)))
		if err != nil {
			t.Errorf("%v: %v", size, err)
			continue
		}
		if got.Width != size[0] || got.Height != size[1] {
			t.Errorf("%v: the field is %dx%d", size, got.Width, got.Height)
		}
		for i, c := range got.Confidence {
			if !field.Known(got.Vectors[2*i], got.Vectors[2*i+1]) || !(c > 0 && c <= 1) {
				t.Fatalf("%v: pixel %d has the flow (%v, %v) and the confidence %v", size, i, got.Vectors[2*i], got.Vectors[2*i+1], c)
			}
		}
	}
}
