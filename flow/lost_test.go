package flow

import (
	"errors"
	"testing"

	"github.com/wwflow/wwflow/flow/internal/ort"
)

// TestLostDevice gives a graph the errors of a GPU that fails while the network runs, and others.
func TestLostDevice(t *testing.T) {
	cuda := Device{Kind: CUDA}
	for _, c := range []struct {
		device  Device
		message string
		lost    bool
	}{
		{cuda, "CUDA failure 719: unspecified launch failure ; GPU=0 ; hostname=x", true},
		{cuda, "CUBLAS failure 14: CUBLAS_STATUS_INTERNAL_ERROR ; GPU=0", true},
		{Device{Kind: WebGPU}, "WebGPU device lost (1): the driver was reset", true},
		{cuda, "CUDA failure 2: out of memory ; GPU=0", false},
		{cuda, "Invalid rank for input: frame", false},
		{Device{Kind: CPU}, "CUDA failure 719: unspecified launch failure", false},
	} {
		g := &graph{name: "decoder.onnx", device: c.device}
		err := g.runError(64, 48, &ort.Error{Message: c.message})
		var lost *LostError
		if errors.As(err, &lost) != c.lost || c.lost && lost.Device != c.device {
			t.Errorf("%s on %s: %v", c.message, c.device, err)
		}
	}
}
