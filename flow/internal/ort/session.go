package ort

// #include <stdlib.h>
// #include "binding.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"sync/atomic"
	"unsafe"

	onnx "github.com/yalue/onnxruntime_go"
)

// Provider is an execution provider of ONNX Runtime, such as CUDA, TensorRT or WebGPU.
type Provider struct {
	Name    string
	Options map[string]string
}

// Memory names the memory that a session uses. The zero value is host memory.
type Memory struct {
	Device  string // ONNX Runtime's name of the memory for outputs that Run makes; empty = host memory
	Staging string // ONNX Runtime's name of the host memory that the device copies to and from fastest; empty = Go's memory
	Index   int    // of the device
}

// Settings say how a session runs a graph.
type Settings struct {
	Threads   int               // CPU threads for one operator; 0 = one per core
	Config    map[string]string // entries of ONNX Runtime's session configuration
	Providers []Provider        // by falling priority; operators that none of them supports run on the CPU
	Memory    Memory
	Profile   string // beginning of the name of a file with the time of each operator, written by Close; empty = none
}

// Port is an input or an output of a graph.
type Port struct {
	Name  string
	Type  ElementType
	Shape []int64 // of at most eight dimensions; -1 for one that the graph leaves open
}

// Session is a graph on a device.
type Session struct {
	Inputs, Outputs []Port // in the order of the file

	closed      atomic.Bool
	references  atomic.Int64 // one for the session until Close, one for each tensor in its memory
	session     *onnx.DynamicAdvancedSession
	c           *C.OrtSession    // owned by session
	device      *C.OrtMemoryInfo // for outputs that Run makes
	host        *C.OrtMemoryInfo // for those of type Int64
	memories    []*C.OrtMemoryInfo
	staging     *C.OrtAllocator // nil = Go's memory
	inputNames  []*C.char
	outputNames []*C.char
}

// Open loads a graph. Load must have been called before.
func Open(graph []byte, settings Settings) (*Session, error) {
	options, err := settings.options()
	if err != nil {
		return nil, err
	}
	defer options.Destroy()
	s := &Session{}
	s.references.Store(1)
	if err := s.open(graph, options, settings.Memory); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s Settings) options() (*onnx.SessionOptions, error) {
	options, err := onnx.NewSessionOptions()
	if err != nil {
		return nil, newError(err)
	}
	if err := s.apply(options); err != nil {
		options.Destroy()
		return nil, newError(err)
	}
	return options, nil
}

func (s Settings) apply(options *onnx.SessionOptions) error {
	if err := options.SetIntraOpNumThreads(s.Threads); err != nil {
		return err
	}
	if s.Profile != "" {
		if err := options.EnableProfiling(s.Profile); err != nil {
			return err
		}
	}
	for key, value := range s.Config {
		if err := options.AddSessionConfigEntry(key, value); err != nil {
			return err
		}
	}
	for _, provider := range s.Providers {
		if err := provider.add(options); err != nil {
			return err
		}
	}
	return nil
}

func (p Provider) add(options *onnx.SessionOptions) error {
	switch p.Name {
	case "CUDA":
		cuda, err := onnx.NewCUDAProviderOptions()
		if err != nil {
			return err
		}
		defer cuda.Destroy()
		return errors.Join(cuda.Update(p.Options), options.AppendExecutionProviderCUDA(cuda))
	case "TensorRT":
		tensorRT, err := onnx.NewTensorRTProviderOptions()
		if err != nil {
			return err
		}
		defer tensorRT.Destroy()
		return errors.Join(tensorRT.Update(p.Options), options.AppendExecutionProviderTensorRT(tensorRT))
	}
	return options.AppendExecutionProvider(p.Name, p.Options)
}

func (s *Session) open(graph []byte, options *onnx.SessionOptions, memory Memory) error {
	session, err := onnx.NewDynamicAdvancedSessionWithONNXData(graph, nil, nil, options)
	if err != nil {
		return newError(err)
	}
	s.session = session
	if s.c, err = sessionPointer(session); err != nil {
		return err
	}
	if s.Inputs, s.inputNames, err = s.ports(0); err != nil {
		return err
	}
	if s.Outputs, s.outputNames, err = s.ports(1); err != nil {
		return err
	}
	return s.openMemory(memory)
}

func (s *Session) openMemory(memory Memory) (err error) {
	const host = "Cpu"
	if s.host, err = newMemory(host, 0, false); err != nil {
		return err
	}
	name := memory.Device
	if name == "" {
		name = host
	}
	if s.device, err = newMemory(name, memory.Index, false); err != nil {
		return err
	}
	for _, port := range s.Outputs {
		where := s.device
		if port.Type == Int64 {
			where = s.host // tensor shapes are computed and read on the host: device memory would add two copies
		}
		s.memories = append(s.memories, where)
	}
	if memory.Staging == "" {
		return nil
	}
	staging, err := newMemory(memory.Staging, memory.Index, true)
	if err != nil {
		return err
	}
	defer C.ort_memory_release(staging)
	return check(C.ort_allocator_new(s.c, staging, &s.staging))
}

// sessionPointer returns the C session inside a session of onnxruntime_go. The module does not export it, so its fields are
// found by name; a version of the module with other names is an error.
func sessionPointer(session *onnx.DynamicAdvancedSession) (*C.OrtSession, error) {
	value := reflect.ValueOf(session).Elem()
	for _, name := range []string{"s", "ortSession"} {
		if value.Kind() == reflect.Pointer {
			value = value.Elem()
		}
		if value = value.FieldByName(name); !value.IsValid() || value.Kind() != reflect.Pointer || value.IsNil() {
			return nil, errors.New("this version of onnxruntime_go is not supported: build with the version in go.mod")
		}
	}
	return (*C.OrtSession)(value.UnsafePointer()), nil
}

func newMemory(name string, index int, hostAccessible bool) (*C.OrtMemoryInfo, error) {
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	var memory *C.OrtMemoryInfo
	var host C.int
	if hostAccessible {
		host = 1
	}
	err := check(C.ort_memory_new(text, C.int(index), host, &memory))
	return memory, err
}

func (s *Session) ports(outputs C.int) (ports []Port, names []*C.char, err error) {
	var n C.size_t
	if err := check(C.ort_session_count(s.c, outputs, &n)); err != nil {
		return nil, nil, err
	}
	for i := range n {
		var name *C.char
		var element C.int
		var shape [C.ORT_DIMENSIONS]C.int64_t
		var dimensions C.size_t
		err := check(C.ort_session_port(s.c, outputs, i, &name, &element, &shape[0], &dimensions))
		if name != nil {
			names = append(names, name)
		}
		if err != nil {
			return nil, names, err
		}
		port := Port{Name: C.GoString(name), Type: ElementType(element)}
		for _, n := range shape[:min(dimensions, C.ORT_DIMENSIONS)] {
			port.Shape = append(port.Shape, int64(n))
		}
		ports = append(ports, port)
	}
	return ports, names, nil
}

// Close frees the session, once all tensors in its memory are closed too. No run may be in progress.
func (s *Session) Close() {
	if s != nil && !s.closed.Swap(true) {
		s.release()
	}
}

// Tensors returns the number of tensors in the session's memory that are not closed yet.
func (s *Session) Tensors() int {
	n := int(s.references.Load())
	if !s.closed.Load() {
		n--
	}
	return n
}

func (s *Session) retain() { s.references.Add(1) }

func (s *Session) release() {
	if s.references.Add(-1) > 0 {
		return
	}
	if s.staging != nil {
		C.ort_allocator_release(s.staging)
	}
	for _, memory := range []*C.OrtMemoryInfo{s.device, s.host} {
		if memory != nil {
			C.ort_memory_release(memory)
		}
	}
	if s.session != nil {
		s.session.Destroy()
	}
	freeStrings(s.inputNames)
	freeStrings(s.outputNames)
}

// Run computes the outputs from the inputs, both in the order of the graph's ports. It fills the outputs that are given, and
// replaces those that are nil by new tensors in the session's memory. After an error there are no new tensors.
// When ctx is cancelled the run stops at the next operator and the error is the context's cause.
func (s *Session) Run(ctx context.Context, inputs, outputs []*Tensor) error {
	if len(inputs) != len(s.Inputs) || len(outputs) != len(s.Outputs) {
		return fmt.Errorf("got %d inputs and %d outputs for a graph that has %d and %d", len(inputs), len(outputs), len(s.Inputs), len(s.Outputs))
	}
	var options *C.OrtRunOptions
	if err := check(C.ort_run_options_new(&options)); err != nil {
		return err
	}
	defer C.ort_run_options_release(options)
	terminated := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(terminated)
		if status := C.ort_run_options_terminate(options); status != nil {
			C.ort_status_release(status)
		}
	})
	in, out := pointers(inputs), pointers(outputs)
	err := check(C.ort_run(s.c, options,
		C.size_t(len(in)), unsafe.SliceData(s.inputNames), unsafe.SliceData(in),
		C.size_t(len(out)), unsafe.SliceData(s.outputNames), unsafe.SliceData(out), unsafe.SliceData(s.memories)))
	runtime.KeepAlive(inputs)
	if !stop() {
		<-terminated // the function above still uses options
	}
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return err
	}
	for i, value := range out {
		if outputs[i] == nil && value != nil {
			s.retain()
			outputs[i] = &Tensor{c: value, session: s}
		}
	}
	return nil
}

func pointers(tensors []*Tensor) []*C.OrtValue {
	list := make([]*C.OrtValue, len(tensors))
	for i, t := range tensors {
		if t != nil {
			list[i] = t.c
		}
	}
	return list
}
