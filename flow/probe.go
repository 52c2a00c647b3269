package flow

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wwflow/wwflow/flow/internal/ort"
	"github.com/wwflow/wwflow/flow/internal/vulkan"
	"github.com/wwflow/wwflow/internal/loader"
)

// DeviceError is the reason why a device cannot be used.
type DeviceError struct {
	Device    Device
	Missing   string   // what is missing, and where it was looked for
	Libraries []string // file names of missing shared libraries, if any
}

func (e *DeviceError) Error() string {
	return fmt.Sprintf("cannot use the device %s: %s; try --device cpu, or see `wwflow doctor`", e.Device, e.Missing)
}

// Probe runs a small graph on a device. The error is a *DeviceError if the device cannot be used, and wraps ErrNoRuntime if
// ONNX Runtime cannot be loaded from runtime, which is as Options.Runtime.
func Probe(runtime string, d Device) error {
	if err := loadRuntime(runtime); err != nil {
		return err
	}
	return d.check()
}

// bestDevice returns the device that Auto stands for, and the reason why it is not the NVIDIA GPU of this machine, if any.
// Auto never selects TensorRT, which compiles for minutes, or WebGPU, which lacks operators of some networks.
func bestDevice() (d Device, skippedGPU error) {
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
	// Look first for what the provider needs. If something is missing, ONNX Runtime's own message does not say what it is, and
	// WebGPU prints warnings to the terminal.
	var err error
	switch d.Kind {
	case CPU:
		return nil
	case WebGPU:
		err = d.checkWebGPU()
	default:
		err = d.checkNVIDIA()
	}
	if err != nil {
		return err
	}
	if err := d.runProbe(); err != nil {
		return &DeviceError{Device: d, Missing: err.Error()}
	}
	return nil
}

// checkWebGPU looks for the provider and for a Vulkan device.
func (d Device) checkWebGPU() error {
	if !slices.Contains(ort.Providers(), "WebGpuExecutionProvider") {
		return &DeviceError{Device: d, Missing: loadedPath() + " was built without WebGPU"}
	}
	n, err := vulkan.CountDevices()
	switch {
	case err == vulkan.ErrNoLoader:
		return &DeviceError{Device: d, Missing: err.Error() + " (install libvulkan1)", Libraries: []string{vulkan.Loader}}
	case err != nil:
		return &DeviceError{Device: d, Missing: err.Error()}
	case n == 0:
		return &DeviceError{Device: d, Missing: "no Vulkan device was found (no GPU, or its Vulkan driver is missing)"}
	}
	return nil
}

// checkNVIDIA looks for the GPU and for all libraries that the provider needs, and reports everything that is missing.
func (d Device) checkNVIDIA() error {
	var reasons []string
	switch gpus := countNVIDIA(); {
	case gpus == 0:
		reasons = append(reasons, "no NVIDIA GPU was found (no /dev/nvidia*)")
	case d.Index >= gpus:
		reasons = append(reasons, fmt.Sprintf("%d NVIDIA GPUs were found, numbered from 0", gpus))
	}
	const hint = "`make gpu-runtime` fetches a suitable one, --ort or WWFLOW_ORT names it"
	// A library that was built without CUDA does not fit the provider libraries: they would crash.
	if !slices.Contains(ort.Providers(), "CUDAExecutionProvider") || d.Kind == TensorRT && !slices.Contains(ort.Providers(), "TensorrtExecutionProvider") {
		reasons = append(reasons, fmt.Sprintf("%s was built without %s (%s)", loadedPath(), d.Kind, hint))
	}
	l := d.checkLibraries(filepath.Dir(loadedPath()))
	if len(l.absent) > 0 {
		reasons = append(reasons, fmt.Sprintf("%s: not found beside %s (%s)", strings.Join(l.absent, ", "), loadedPath(), hint))
	}
	if len(l.missing) > 0 {
		reasons = append(reasons, fmt.Sprintf("%s not found, needed by %s (install the libraries, or add their folder to LD_LIBRARY_PATH)",
			strings.Join(l.missing, ", "), strings.Join(l.neededBy, " and ")))
	}
	if len(reasons) == 0 {
		return nil
	}
	return &DeviceError{Device: d, Missing: strings.Join(reasons, "; "), Libraries: slices.Concat(l.absent, l.missing)}
}

// libraries are the shared libraries that keep a device from being used.
type libraries struct {
	absent   []string // providers that were not found
	missing  []string // libraries that providers need and that were not found
	neededBy []string // the providers that need them
}

// checkLibraries looks for the device's providers in folder and on the loader's path, and for what they need.
func (d Device) checkLibraries(folder string) (l libraries) {
	for _, name := range d.providers() {
		path := filepath.Join(folder, name)
		if _, err := os.Stat(path); err != nil {
			if path, err = loader.Find(name); err != nil {
				l.absent = append(l.absent, name)
				continue
			}
		}
		needs, err := loader.Needs(path)
		if err != nil {
			l.neededBy, l.missing = append(l.neededBy, name), append(l.missing, err.Error())
			continue
		}
		// ONNX Runtime has loaded its own libraries already.
		needs = slices.DeleteFunc(needs, func(s string) bool { return strings.HasPrefix(s, "libonnxruntime") })
		if strings.Contains(name, "_cuda.") && !slices.ContainsFunc(needs, isCuDNN) {
			needs = append(needs, cuDNN)
		}
		if list := loader.Missing(needs, folder); len(list) > 0 {
			l.neededBy = append(l.neededBy, name)
			for _, m := range list {
				if !slices.Contains(l.missing, m) {
					l.missing = append(l.missing, m)
				}
			}
		}
	}
	return l
}

// providers returns the libraries of ONNX Runtime that the device needs, in the order in which they are loaded.
func (d Device) providers() []string {
	list := []string{"libonnxruntime_providers_shared.so", "libonnxruntime_providers_cuda.so"}
	if d.Kind == TensorRT {
		list = append(list, "libonnxruntime_providers_tensorrt.so")
	}
	return list
}

// cuDNN is a library that the CUDA provider of ONNX Runtime 1.29 loads itself, so that it is not among its dependencies.
const cuDNN = "libcudnn.so.9"

func isCuDNN(name string) bool { return strings.HasPrefix(name, "libcudnn") }

func countNVIDIA() int {
	nodes, _ := filepath.Glob("/dev/nvidia[0-9]*")
	return len(nodes)
}

// probe.onnx computes y = x + x. testdata/generate.py writes it.
//
//go:embed probe.onnx
var probeGraph []byte

func (d Device) runProbe() error {
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
	y, values, err := ort.NewOutput(session, make([]float32, 2), 2)
	if err != nil {
		return err
	}
	defer y.Close()
	if err := session.Run(context.Background(), []*ort.Tensor{x}, []*ort.Tensor{y}); err != nil {
		return err
	}
	if values[0] != 2 || values[1] != -6 {
		return fmt.Errorf("it computes wrong results: 1+1 gave %v", values[0])
	}
	return nil
}
