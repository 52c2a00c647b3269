package flow

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/flow/internal/ort"
	"github.com/wwflow/wwflow/internal/testutil"
)

// TestWebGPU runs a network on a device with memory of its own: WebGPU on SwiftShader, a software driver for Vulkan. The flow is
// that of the CPU, and features stay in device memory. It runs in a process of its own, because WebGPU keeps its device.
func TestWebGPU(t *testing.T) {
	driver := testutil.SwiftShader(t)
	if os.Getenv("WWFLOW_TEST_WEBGPU") == "" {
		child := exec.Command(os.Args[0], "-test.run=^TestWebGPU$", "-test.v")
		child.Env = append(os.Environ(), "WWFLOW_TEST_WEBGPU=1", "VK_ICD_FILENAMES="+driver)
		out, err := child.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: TestWebGPU ") {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	for _, name := range []string{"fake", "half"} {
		cpu := open(t, name)
		gpu, err := Open(Options{ModelDir: "testdata/" + name, Device: "webgpu"})
		if err != nil {
			t.Fatal(err)
		}
		if gpu.Device().Kind != WebGPU {
			t.Errorf("%s runs on %s", name, gpu.Device())
		}
		onCPU, onGPU := NewEstimator(cpu), NewEstimator(gpu)
		frames := video(4)
		for i, f := range frames[1:] {
			want, err := onCPU.Flow(context.Background(), frames[i], f)
			if err != nil {
				t.Fatal(err)
			}
			got, err := onGPU.Flow(context.Background(), frames[i], f)
			if err != nil {
				t.Fatal(err)
			}
			if d := largestDifference(got.Vectors, want.Vectors); !(d < 1e-2) {
				t.Errorf("%s, pair %d: the flow differs from the CPU's by up to %v px", name, i, d)
			}
			if d := largestDifference(got.Confidence, want.Confidence); !(d < 1e-4) {
				t.Errorf("%s, pair %d: the confidence differs from the CPU's by up to %v", name, i, d)
			}
			for _, features := range onGPU.features {
				if err := checkMemory(features, "WebGPU_Buf"); err != nil {
					t.Errorf("%s, pair %d: %v", name, i, err)
				}
			}
			onGPU.ForgetBefore(i + 1)
		}
		if n := onGPU.Stats().Encoded; n != len(frames) {
			t.Errorf("%s: %d of %d frames were encoded", name, n, len(frames))
		}
		gpu.Close() // before the features in its memory
		onGPU.Close()
		onCPU.Close()
	}
}

// largestDifference returns the largest difference of two values, and NaN if a value is not a number.
func largestDifference(a, b []float32) float64 {
	largest := 0.0
	for i := range a {
		largest = math.Max(largest, math.Abs(float64(a[i])-float64(b[i])))
	}
	return largest
}

// checkMemory checks that features are in the named memory, except for sizes, which belong in host memory.
func checkMemory(features *Features, name string) error {
	onDevice := 0
	for i, tensor := range features.tensors {
		memory, err := tensor.Memory()
		if err != nil {
			return err
		}
		want := name
		if element, err := tensor.Type(); err != nil || element == ort.Int64 {
			want = "Cpu"
		} else {
			onDevice++
		}
		if memory != want {
			return fmt.Errorf("feature %d is in memory %s, want %s", i, memory, want)
		}
	}
	if onDevice == 0 {
		return errors.New("no feature is in device memory")
	}
	return nil
}

// TestWebGPUWithoutVulkan checks that a machine without a Vulkan driver gets a clear error, and no output of WebGPU itself.
func TestWebGPUWithoutVulkan(t *testing.T) {
	if os.Getenv("WWFLOW_TEST_WEBGPU") == "" {
		child := exec.Command(os.Args[0], "-test.run=^TestWebGPUWithoutVulkan$", "-test.v")
		child.Env = append(os.Environ(), "WWFLOW_TEST_WEBGPU=1", "VK_ICD_FILENAMES=/dev/null")
		out, err := child.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: TestWebGPUWithoutVulkan ") || strings.Contains(string(out), "Warning") {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	_, err := Open(Options{ModelDir: "testdata/fake", Device: "webgpu"})
	var unusable *DeviceError
	if !errors.As(err, &unusable) || !strings.Contains(err.Error(), "no Vulkan device") {
		t.Errorf("without a Vulkan driver: %v", err)
	}
}
