package flow

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wwflow/wwflow/flow/internal/loader"
	"github.com/wwflow/wwflow/flow/internal/ort"
)

// DeviceError says that a device can't be used, and what is missing.
type DeviceError struct {
	Device  Device
	Missing string // in words: what is missing, and where it was looked for
	// Libraries are the names of the shared libraries that are missing; none where something else is.
	Libraries []string
}

func (e *DeviceError) Error() string {
	return fmt.Sprintf("the device %s can't be used: %s; take --device cpu, or see `wwflow doctor`", e.Device, e.Missing)
}

// Probe says why a device can't be used, with a *DeviceError; nil where a small graph ran on it.
// It loads ONNX Runtime as Runtime does.
func Probe(runtime string, d Device) error {
	if err := startRuntime(runtime); err != nil {
		return err
	}
	return d.check()
}

// bestDevice is what auto means, and why it is not the GPU that this machine has.
func bestDevice() (Device, error) {
	// TensorRT compiles for minutes and WebGPU lacks operators that some networks have:
	// both are for those who ask.
	gpu := Device{Kind: CUDA}
	err := gpu.check()
	if err == nil {
		return gpu, nil
	}
	if countNVIDIA() == 0 {
		err = nil
	}
	return Device{Kind: CPU}, err
}

// check runs a small graph on the device. ONNX Runtime must be loaded.
func (d Device) check() error {
	if d.Kind == CPU {
		return nil
	}
	if e := d.missing(); e != nil {
		return e
	}
	if err := d.try(); err != nil {
		return &DeviceError{Device: d, Missing: err.Error()}
	}
	return nil
}

// missing looks for what a provider needs before ONNX Runtime is asked, as that says "Failed to load shared
// library" whatever was missing, and as Dawn, below WebGPU, prints to the terminal. It names all that is missing.
func (d Device) missing() error {
	if d.Kind == WebGPU {
		if nodes, _ := filepath.Glob("/dev/dri/renderD*"); len(nodes) == 0 && countNVIDIA() == 0 {
			return &DeviceError{Device: d, Missing: "this machine shows no GPU (neither /dev/dri/renderD* nor /dev/nvidia*)"}
		}
		if !slices.Contains(ort.Providers(), "WebGpuExecutionProvider") {
			return &DeviceError{Device: d, Missing: loadedPath() + " was built without WebGPU"}
		}
		return nil
	}
	var clauses []string
	switch gpus := countNVIDIA(); {
	case gpus == 0:
		clauses = append(clauses, "this machine shows no NVIDIA GPU (no /dev/nvidia*)")
	case d.Index >= gpus:
		clauses = append(clauses, fmt.Sprintf("this machine shows %d of NVIDIA's GPUs, numbered from 0", gpus))
	}
	e := &DeviceError{Device: d}
	const take = "`make gpu-runtime` fetches one that fits, --ort or WWFLOW_ORT names it"
	// A library that was built without them has another layout of what it shares with providers: they would crash.
	if !slices.Contains(ort.Providers(), "CUDAExecutionProvider") || d.Kind == TensorRT && !slices.Contains(ort.Providers(), "TensorrtExecutionProvider") {
		clauses = append(clauses, fmt.Sprintf("%s was built without %s (%s)", loadedPath(), d.Kind, take))
	}
	absent, wanting, needs := d.libraries(filepath.Dir(loadedPath()))
	if len(absent) > 0 {
		clauses = append(clauses, fmt.Sprintf("%s: not found beside %s (%s)", strings.Join(absent, ", "), loadedPath(), take))
	}
	if len(needs) > 0 {
		clauses = append(clauses, fmt.Sprintf("the loader doesn't find %s, for %s (install them, or add their folder to LD_LIBRARY_PATH)",
			strings.Join(needs, ", "), strings.Join(wanting, " and ")))
	}
	if len(clauses) == 0 {
		return nil
	}
	e.Libraries = slices.Concat(absent, needs)
	e.Missing = strings.Join(clauses, "; ")
	return e
}

// providers are the libraries of ONNX Runtime that the device takes, in the order in which they are loaded.
func (d Device) providers() []string {
	const cuda = "libonnxruntime_providers_cuda.so" // TensorRT leaves operators to it
	list := []string{"libonnxruntime_providers_shared.so", cuda}
	if d.Kind == TensorRT {
		list = append(list, "libonnxruntime_providers_tensorrt.so")
	}
	return list
}

// libraries are the device's providers that lie neither in the folder nor where the loader looks; and what those that
// are there need and the loader doesn't find, for which providers.
func (d Device) libraries(folder string) (absent, wanting, missing []string) {
	for _, name := range d.providers() {
		path := filepath.Join(folder, name)
		if _, err := os.Stat(path); err != nil {
			if path, err = loader.Find(name); err != nil {
				absent = append(absent, name)
				continue
			}
		}
		needs, err := loader.Needs(path)
		if err != nil {
			wanting, missing = append(wanting, name), append(missing, fmt.Sprintf("another file in its place (%v)", err))
			continue
		}
		// ONNX Runtime's libraries find each other's symbols in the process.
		needs = slices.DeleteFunc(needs, func(s string) bool { return strings.HasPrefix(s, "libonnxruntime") })
		if strings.Contains(name, "_cuda.") && !slices.ContainsFunc(needs, isCuDNN) {
			needs = append(needs, cuDNN)
		}
		if list := loader.Missing(needs, folder); len(list) > 0 {
			wanting = append(wanting, name)
			for _, l := range list {
				if !slices.Contains(missing, l) {
					missing = append(missing, l)
				}
			}
		}
	}
	return absent, wanting, missing
}

// cuDNN is what the CUDA provider loads by itself, since release 1.29 or earlier, for convolutions.
const cuDNN = "libcudnn.so.9"

func isCuDNN(name string) bool { return strings.HasPrefix(name, "libcudnn") }

// compilerVersion is the file of TensorRT that the provider in the folder gets, whose name ends in its version.
func compilerVersion(folder string) string {
	needs, err := loader.Needs(filepath.Join(folder, "libonnxruntime_providers_tensorrt.so"))
	if err != nil {
		return "" // it lies in the loader's path; then its folder doesn't tell either
	}
	for _, name := range needs {
		if strings.HasPrefix(name, "libnvinfer.") {
			path, err := loader.Find(name)
			if err != nil {
				path, _ = loader.Find(filepath.Join(folder, name))
			}
			if real, err := filepath.EvalSymlinks(path); err == nil {
				path = real
			}
			return filepath.Base(path)
		}
	}
	return ""
}

func countNVIDIA() int {
	nodes, _ := filepath.Glob("/dev/nvidia[0-9]*")
	return len(nodes)
}

// probe.onnx is y = x + x, written by testdata/generate.py.
//
//go:embed probe.onnx
var probeGraph []byte

func (d Device) try() error {
	session, err := ort.Open(probeGraph, d.settings(1, FP32, ""))
	if err != nil {
		return err
	}
	defer session.Close()
	x, err := ort.NewInput(session, []float32{1, -3}, 2)
	if err != nil {
		return err
	}
	defer x.Close()
	values := make([]float32, 2)
	y, down, err := ort.NewOutput(session, values, 2)
	if err != nil {
		return err
	}
	defer y.Close()
	if err := session.Run(context.Background(), []*ort.Tensor{x}, []*ort.Tensor{y}); err != nil {
		return err
	}
	if down[0] != 2 || down[1] != -6 {
		return errors.New("it computes wrongly: 1+1 gave " + fmt.Sprint(down[0]))
	}
	return nil
}
