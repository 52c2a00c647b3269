package flow

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wwflow/wwflow/internal/ortlib"
	ort "github.com/yalue/onnxruntime_go"
)

// DeviceError says that a device can't be used, and what is missing.
type DeviceError struct {
	Device  Device
	Missing string // one clause: what is missing, and where it was looked for
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

func bestDevice() Device {
	// TensorRT compiles for minutes and WebGPU lacks operators that some networks have:
	// both are for those who ask.
	if gpu := (Device{Kind: CUDA}); gpu.check() == nil {
		return gpu
	}
	return Device{Kind: CPU}
}

// check runs a small graph on the device. ONNX Runtime must be loaded.
func (d Device) check() error {
	if d.Kind == CPU {
		return nil
	}
	if missing := d.missing(); missing != "" {
		return &DeviceError{d, missing}
	}
	if err := d.try(); err != nil {
		return &DeviceError{d, firstLine(err)}
	}
	return nil
}

// missing looks for what a provider needs before ONNX Runtime is asked, as that says "Failed to load shared
// library" whatever was missing, and as Dawn, below WebGPU, prints to the terminal.
func (d Device) missing() string {
	if d.Kind == WebGPU {
		if nodes, _ := filepath.Glob("/dev/dri/renderD*"); len(nodes) == 0 && !hasNVIDIA() {
			return "this machine shows no GPU (neither /dev/dri/renderD* nor /dev/nvidia*)"
		}
		return ""
	}
	libraries := []string{"libonnxruntime_providers_shared.so", "libonnxruntime_providers_" + string(d.Kind) + ".so"}
	folder := filepath.Dir(loaded.path)
	absent := slices.DeleteFunc(slices.Clone(libraries), func(name string) bool {
		_, err := os.Stat(filepath.Join(folder, name))
		return err == nil || ortlib.CanLoad(name) == nil
	})
	if len(absent) > 0 {
		return fmt.Sprintf("%s: not found beside %s; name a GPU build of ONNX Runtime with --ort or WWFLOW_ORT", strings.Join(absent, ", "), loaded.path)
	}
	if !hasNVIDIA() {
		return "this machine shows no NVIDIA GPU (no /dev/nvidia*)"
	}
	if err := ortlib.CanLoad("libcuda.so.1"); err != nil {
		return "NVIDIA's driver is missing: " + err.Error()
	}
	for _, name := range libraries {
		path := filepath.Join(folder, name)
		missing, err := ortlib.Missing(path)
		if err != nil {
			continue // it lies in the loader's path, where ONNX Runtime will say more
		}
		// The provider finds its symbols in the process, so only what it asks for by name counts.
		if missing = slices.DeleteFunc(missing, func(s string) bool { return strings.HasPrefix(s, "libonnxruntime") }); len(missing) > 0 {
			return fmt.Sprintf("%s needs %s, which the loader doesn't find: install them, or add their folder to LD_LIBRARY_PATH", name, strings.Join(missing, ", "))
		}
	}
	return ""
}

func hasNVIDIA() bool {
	nodes, _ := filepath.Glob("/dev/nvidia[0-9]*")
	return len(nodes) > 0
}

// probe.onnx is y = x + x, written by testdata/generate.py.
//
//go:embed probe.onnx
var probeGraph []byte

func (d Device) try() error {
	options, err := d.sessionOptions(1)
	if err != nil {
		return err
	}
	defer options.Destroy()
	session, err := ort.NewDynamicAdvancedSessionWithONNXData(probeGraph, []string{"x"}, []string{"y"}, options)
	if err != nil {
		return err
	}
	defer session.Destroy()
	x, err := ort.NewTensor(ort.NewShape(2), []float32{1, -3})
	if err != nil {
		return err
	}
	defer x.Destroy()
	y, err := ort.NewEmptyTensor[float32](ort.NewShape(2))
	if err != nil {
		return err
	}
	defer y.Destroy()
	if err := session.Run([]ort.Value{x}, []ort.Value{y}); err != nil {
		return err
	}
	if got := y.GetData(); got[0] != 2 || got[1] != -6 {
		return errors.New("it computes wrongly: 1+1 gave " + fmt.Sprint(got[0]))
	}
	return nil
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
