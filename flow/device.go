package flow

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/wwflow/wwflow/flow/internal/ort"
)

// Kind is a way to run a network: one of ONNX Runtime's execution providers, or Auto.
type Kind string

// The kinds that --device knows.
const (
	Auto     Kind = "auto"     // CUDA where it works, else the CPU
	CPU      Kind = "cpu"      //
	CUDA     Kind = "cuda"     // an NVIDIA GPU
	TensorRT Kind = "tensorrt" // an NVIDIA GPU, with a graph compiled for it
	WebGPU   Kind = "webgpu"   // any GPU with a Vulkan driver
)

// Kinds are the kinds that a device can have, the best first, without Auto.
var Kinds = []Kind{TensorRT, CUDA, WebGPU, CPU}

// Device is a kind and, where a machine may have several, a number.
type Device struct {
	Kind  Kind
	Index int // of the GPU, from 0
}

func (d Device) String() string {
	if d.Index > 0 {
		return fmt.Sprintf("%s:%d", d.Kind, d.Index)
	}
	return string(d.Kind)
}

// ParseDevice reads auto, cpu, cuda[:N], tensorrt[:N] or webgpu; an empty text is auto.
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
				return Device{}, fmt.Errorf("device %q: %q is no number of a GPU: write %s:0", text, number, kind)
			}
			d.Index = int(index)
		}
		return d, nil
	case Auto, CPU, WebGPU:
		if !numbered {
			return d, nil
		}
	}
	return Device{}, fmt.Errorf("device %q is unknown: write auto, cpu, cuda, cuda:N, tensorrt, tensorrt:N or webgpu", text)
}

// settings are how a network of this precision runs on the device. cache is for TensorRT, empty = none.
func (d Device) settings(threads int, precision Precision, cache string) ort.Settings {
	if threads == 0 && runtime.GOMAXPROCS(0) < runtime.NumCPU() {
		threads = runtime.GOMAXPROCS(0) // a container's share, which ONNX Runtime doesn't see
	}
	s := ort.Settings{
		Threads: threads,
		// Idle threads of one graph would spin on the cores that the other graph, the decoder and the encoder need:
		// on two busy cores a run took 11 s of processor time with spinning and 7 s without, and less real time too.
		Config: map[string]string{"session.intra_op.allow_spinning": "0"},
	}
	cuda := ort.Provider{Name: "CUDA", Options: map[string]string{
		"device_id": strconv.Itoa(d.Index),
		// TF32 keeps ten bits of a number: at column 1900 it would round positions, which are values of the
		// matching's attention, to whole pixels. What may be rounded is float16 in an fp16 network.
		"use_tf32": "0",
		// Blocks of the size asked for instead of the next power of two: peak memory counts.
		"arena_extend_strategy": "kSameAsRequested",
	}}
	memory := ort.Memory{Device: "Cuda", Staging: "CudaPinned", Index: d.Index}
	switch d.Kind {
	case CUDA:
		s.Providers, s.Memory = []ort.Provider{cuda}, memory
	case TensorRT:
		// CUDA takes what TensorRT has no operator for, such as the fused attention.
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

// cacheFolder makes the folder in which TensorRT keeps what it compiles of these graphs, which takes minutes:
// wwflow/tensorrt/<hash> under the user's cache folder. Engines of another version of ONNX Runtime or TensorRT, or
// of other weights, would be wrong or refused, so the hash is over all of these. Empty for other devices.
func (d Device) cacheFolder(graphs [][]byte) (string, error) {
	if d.Kind != TensorRT {
		return "", nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no folder for what TensorRT compiles: %w", err)
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n", ort.Version(), compilerVersion(filepath.Dir(loadedPath())))
	for _, graph := range graphs {
		sum := sha256.Sum256(graph)
		h.Write(sum[:])
	}
	folder := filepath.Join(cache, "wwflow", "tensorrt", hex.EncodeToString(h.Sum(nil))[:16])
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", fmt.Errorf("no folder for what TensorRT compiles: %w", err)
	}
	return folder, nil
}
