package ort

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/internal/ortlib"
)

func TestMain(m *testing.M) {
	path, err := ortlib.Locate("")
	if err == nil {
		err = Load(path)
	}
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func openFile(t *testing.T, path string) *Session {
	t.Helper()
	graph, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(graph, Settings{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestLoad(t *testing.T) {
	if err := Load("libc.so.6"); !errors.Is(err, ErrLoaded) {
		t.Errorf("a second library: %v", err)
	}
	if Version() == "" || !slices.Contains(Providers(), "CPUExecutionProvider") {
		t.Errorf("version %q with %v", Version(), Providers())
	}
}

func TestOpen(t *testing.T) {
	s := openFile(t, "../../testdata/half/encoder.fp16.onnx")
	if want := []Port{{"frame", Uint8, []int64{1, -1, -1, 3}}}; !slices.EqualFunc(s.Inputs, want, samePort) {
		t.Errorf("inputs %v, want %v", s.Inputs, want)
	}
	if want := []Port{{"code", Float16, []int64{1, -1, -1}}, {"unused", Float16, []int64{1, -1, -1}}}; !slices.EqualFunc(s.Outputs, want, samePort) {
		t.Errorf("outputs %v, want %v", s.Outputs, want)
	}
	var e *Error
	if _, err := Open([]byte("hello"), Settings{}); !errors.As(err, &e) || !e.BadGraph() {
		t.Errorf("a graph of five letters: %v", err)
	}
	if _, err := Open(nil, Settings{Providers: []Provider{{Name: "Abacus", Options: map[string]string{"beads": "10"}}}}); !errors.As(err, &e) || !strings.Contains(err.Error(), "Abacus") {
		t.Errorf("an unknown provider: %v", err)
	}
	if _, err := Open(nil, Settings{Config: map[string]string{"": ""}}); !errors.As(err, &e) {
		t.Errorf("a configuration entry without a name: %v", err)
	}
}

// TestTensorsOutliveTheirSession feeds tensors of one session to another after the first was closed.
func TestTensorsOutliveTheirSession(t *testing.T) {
	encoder, decoder := openFile(t, "../../testdata/half/encoder.fp16.onnx"), openFile(t, "../../testdata/half/decoder.fp16.onnx")
	frame := []byte{1, 2, 3, 10, 20, 30}
	x, err := NewInput(encoder, frame, 1, 1, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	features := make([]*Tensor, 2)
	if err := encoder.Run(context.Background(), []*Tensor{x}, features); err != nil {
		t.Fatal(err)
	}
	x.Close()
	if n := encoder.Tensors(); n != 2 {
		t.Errorf("%d tensors are open, want 2", n)
	}
	encoder.Close()
	if e, err := features[0].Type(); err != nil || e != Float16 {
		t.Errorf("the feature has type %v, %v; want float16", e, err)
	}
	if memory, err := features[0].Memory(); err != nil || memory != "Cpu" {
		t.Errorf("the feature is in memory %q, %v; want Cpu", memory, err)
	}
	flow, scale := make([]float32, 4), make([]float32, 2)
	a, values, err := NewOutput(decoder, flow, 1, 1, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := NewOutput(decoder, scale, 1, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := decoder.Run(context.Background(), []*Tensor{features[0], features[0]}, []*Tensor{a, b}); err != nil {
		t.Fatal(err)
	}
	if want := []float32{0, 2.5, 0, 25}; !slices.Equal(values, want) {
		t.Errorf("the flow is %v, want %v", values, want)
	}
	for _, tensor := range []*Tensor{a, b, features[0], features[1], features[0], nil} {
		tensor.Close()
	}
	if n := encoder.Tensors(); n != 0 {
		t.Errorf("%d tensors are open after Close", n)
	}
}

func TestShapes(t *testing.T) {
	for _, shape := range [][]int64{{1, 2, 3}, {7}, {0, 6}, {-1, -6}} {
		if tensor, err := Wrap(make([]float32, 5), shape...); err == nil {
			tensor.Close()
			t.Errorf("5 values were accepted for the shape %v", shape)
		}
	}
	s := openFile(t, "../../testdata/half/encoder.onnx")
	x, err := NewInput(s, []float32{1, 2, 3}, 1, 1, 1, 3) // the graph takes uint8
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	if err := s.Run(context.Background(), []*Tensor{x}, nil); err == nil {
		t.Error("a run without outputs succeeded")
	}
	var e *Error
	if err := s.Run(context.Background(), []*Tensor{x}, make([]*Tensor, 2)); !errors.As(err, &e) || strings.Contains(err.Error(), "\n") {
		t.Errorf("an input of the wrong type: %v", err)
	}
}

// TestErrorMessages uses messages that ONNX Runtime 1.29 gave.
func TestErrorMessages(t *testing.T) {
	for _, test := range []struct {
		message, want string
		memory        bool
	}{
		{"Non-zero status code returned while running Conv node. Name:'/down/Conv' Status Message: /onnxruntime_src/onnxruntime/core/framework/bfc_arena.cc:417 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, onnxruntime::Stream*) Failed to allocate memory for requested buffer of size 25165824\n",
			"Non-zero status code returned while running Conv node. Name:'/down/Conv' Status Message: Failed to allocate memory for requested buffer of size 25165824", true},
		{"/onnxruntime_src/onnxruntime/core/session/provider_bridge_ort.cc:1988 onnxruntime::Provider& onnxruntime::ProviderLibrary::Get() [ONNXRuntimeError] : 1 : FAIL : Failed to load library /x/libonnxruntime_providers_shared.so with error: no\nmore",
			"Failed to load library /x/libonnxruntime_providers_shared.so with error: no", false},
		{"/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_call.cc:154 std::conditional_t<THRW, void, onnxruntime::common::Status> onnxruntime::CudaCall(ERRTYPE, const char*) [with ERRTYPE = cudaError; bool THRW = true] CUDA failure 100: no CUDA-capable device is detected ; GPU=0",
			"CUDA failure 100: no CUDA-capable device is detected ; GPU=0", false},
		{"CUDA failure 2: out of memory ; GPU=0", "CUDA failure 2: out of memory ; GPU=0", true},
		{"/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_execution_provider_info.cc:62 static onnxruntime::CUDAExecutionProviderInfo onnxruntime::CUDAExecutionProviderInfo::FromProviderOptions(const onnxruntime::ProviderOptions&) [ONNXRuntimeError] : 1 : FAIL : provider_options_utils.h:187 Parse Failed to parse provider option \"device_id\": cuda_execution_provider_info.cc:70 operator() Invalid device ID: 3, must be between 0 (inclusive) and 1 (exclusive).\n",
			"Failed to parse provider option \"device_id\": Invalid device ID: 3, must be between 0 (inclusive) and 1 (exclusive).", false},
		{"Exception during initialization: /onnxruntime_src/onnxruntime/core/providers/cuda/cuda_call.cc:154 std::conditional_t<THRW, void, common::Status> onnxruntime::CudaCall(ERRTYPE, const char*) [with ERRTYPE = cudnnStatus_t; bool THRW = true] cuDNN is unavailable",
			"Exception during initialization: cuDNN is unavailable", false},
		{"Invalid rank for input: frame", "Invalid rank for input: frame", false},
	} {
		e := &Error{Message: test.message}
		if got := e.Error(); got != test.want {
			t.Errorf("%q\n gives %q\n want  %q", test.message, got, test.want)
		}
		if e.OutOfMemory() != test.memory {
			t.Errorf("%q: OutOfMemory() = %v", test.message, e.OutOfMemory())
		}
	}
}

func samePort(a, b Port) bool {
	return a.Name == b.Name && a.Type == b.Type && slices.Equal(a.Shape, b.Shape)
}
