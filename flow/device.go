package flow

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"

	"github.com/wwflow/wwflow/flow/internal/ort"
)

// Kind is a way to run a network: an execution provider of ONNX Runtime, or Auto.
type Kind string

// The kinds of device.
const (
	Auto     Kind = "auto"     // CUDA if it works, else CPU
	CPU      Kind = "cpu"      //
	CUDA     Kind = "cuda"     // an NVIDIA GPU
	TensorRT Kind = "tensorrt" // an NVIDIA GPU, with a network compiled for it
	WebGPU   Kind = "webgpu"   // any GPU with a Vulkan driver
)

// Kinds lists all kinds except Auto, the fastest first.
var Kinds = []Kind{TensorRT, CUDA, WebGPU, CPU}

// Device is a kind and the number of a GPU.
type Device struct {
	Kind  Kind
	Index int // of the GPU, from 0; only for CUDA and TensorRT
}

// String returns the device as ParseDevice reads it.
func (d Device) String() string {
	if d.Index > 0 {
		return fmt.Sprintf("%s:%d", d.Kind, d.Index)
	}
	return string(d.Kind)
}

// ParseDevice parses auto, cpu, cuda, cuda:N, tensorrt, tensorrt:N or webgpu. An empty text is auto.
func ParseDevice(text string) (Device, error) {
	if text == "" {
		return Device{Kind: Auto}, nil
	}
	kind, number, numbered := strings.Cut(text, ":")
	d := Device{Kind: Kind(kind)}
	switch d.Kind {
	case CUDA, TensorRT:
		if numbered {
			index, err := strconv.ParseUint(number, 10, 8)
			if err != nil {
				return Device{}, fmt.Errorf("device %q: %q is not the number of a GPU: write %s:0", text, number, kind)
			}
			d.Index = int(index)
		}
		return d, nil
	case Auto, CPU, WebGPU:
		if !numbered {
			return d, nil
		}
	}
	return Device{}, fmt.Errorf("unknown device %q: write auto, cpu, cuda, cuda:N, tensorrt, tensorrt:N or webgpu", text)
}

// runtimeThreads returns the number of threads to ask ONNX Runtime for when the caller asks for n; 0 = ONNX Runtime's default,
// one per physical core. More threads than cores would only take memory.
func runtimeThreads(n int) int {
	if n == 0 && runtime.GOMAXPROCS(0) < runtime.NumCPU() {
		n = runtime.GOMAXPROCS(0) // the CPU limit of a container, which ONNX Runtime does not read
	}
	return min(n, runtime.NumCPU())
}

// settings returns how a network of this precision runs on the device. cache is TensorRT's folder for compiled networks;
// empty = none.
func (d Device) settings(threads int, precision Precision, cache string) ort.Settings {
	s := ort.Settings{
		Threads: runtimeThreads(threads),
		// The encoder and the decoder have a thread pool each. Idle threads of one would otherwise spin on the cores that
		// the other needs: on two busy cores a run took 11 s of CPU time with spinning and 7 s without.
		Config: map[string]string{"session.intra_op.allow_spinning": "0"},
	}
	cuda := ort.Provider{Name: "CUDA", Options: map[string]string{
		"device_id": strconv.Itoa(d.Index),
		// TF32 keeps ten bits of a number. The attention of the matching computes with pixel positions: near column 1900
		// they would be rounded to whole pixels.
		"use_tf32": "0",
		// Allocate blocks of the size asked for, not of the next power of two: this lowers the peak memory.
		"arena_extend_strategy": "kSameAsRequested",
	}}
	memory := ort.Memory{Device: "Cuda", Staging: "CudaPinned", Index: d.Index}
	switch d.Kind {
	case CUDA:
		s.Providers, s.Memory = []ort.Provider{cuda}, memory
	case TensorRT:
		// CUDA runs the operators that TensorRT lacks, such as the fused attention.
		s.Providers, s.Memory = []ort.Provider{{Name: "TensorRT", Options: d.tensorRT(precision, cache)}, cuda}, memory
	case WebGPU:
		s.Providers, s.Memory = []ort.Provider{{Name: "WebGPU"}}, ort.Memory{Device: "WebGPU_Buf"}
	}
	return s
}

func (d Device) tensorRT(precision Precision, cache string) map[string]string {
	options := map[string]string{"device_id": strconv.Itoa(d.Index)}
	if precision == FP16 {
		options["trt_fp16_enable"] = "1"
	}
	if cache != "" {
		options["trt_engine_cache_enable"], options["trt_engine_cache_path"] = "1", cache
		options["trt_timing_cache_enable"], options["trt_timing_cache_path"] = "1", cache
	}
	return options
}
