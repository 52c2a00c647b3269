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

// Provider is one of ONNX Runtime's execution providers: CUDA, TensorRT, or any that it knows by name.
type Provider struct {
	Name    string
	Options map[string]string
}

// Place names memory: where a session leaves what it makes, and through which host memory Go reaches it.
type Place struct {
	Memory  string // ONNX Runtime's name of the device's memory; empty = the host's
	Staging string // its name of the host memory that the device copies fastest from and to; empty = Go's own
	Index   int    // of the device
}

// Settings say how a graph is run.
type Settings struct {
	Threads   int               // of the CPU, for one operator; 0 = all
	Entries   map[string]string // ONNX Runtime's session configuration
	Providers []Provider        // in the order in which they may take operators; the CPU is the last, unnamed
	Place     Place
}

// Port is an input or an output of a graph.
type Port struct {
	Name     string
	Elements Elements
}

// Session is a graph on a device.
type Session struct {
	Inputs, Outputs []Port // in the order of the file

	closed      atomic.Bool
	users       atomic.Int64 // the session itself and the tensors that need its memory; the last one out frees all
	session     *onnx.DynamicAdvancedSession
	c           *C.OrtSession    // the session's own
	device      *C.OrtMemoryInfo // where Run leaves what it makes
	host        *C.OrtMemoryInfo // but for sizes
	places      []*C.OrtMemoryInfo
	staging     *C.OrtAllocator // nil = Go's memory serves
	inputNames  []*C.char
	outputNames []*C.char
}

// Open loads a graph. Load must have been called.
func Open(graph []byte, s Settings) (*Session, error) {
	options, err := s.options()
	if err != nil {
		return nil, err
	}
	defer options.Destroy()
	n := &Session{}
	n.users.Store(1)
	if err := n.open(graph, options, s.Place); err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

func (s Settings) options() (*onnx.SessionOptions, error) {
	options, err := onnx.NewSessionOptions()
	if err != nil {
		return nil, said(err)
	}
	if err := s.fill(options); err != nil {
		options.Destroy()
		return nil, said(err)
	}
	return options, nil
}

func (s Settings) fill(options *onnx.SessionOptions) error {
	if err := options.SetIntraOpNumThreads(s.Threads); err != nil {
		return err
	}
	for key, value := range s.Entries {
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

func (s *Session) open(graph []byte, options *onnx.SessionOptions, place Place) error {
	session, err := onnx.NewDynamicAdvancedSessionWithONNXData(graph, nil, nil, options)
	if err != nil {
		return said(err)
	}
	s.session = session
	if s.c, err = handle(session); err != nil {
		return err
	}
	if s.Inputs, s.inputNames, err = s.ports(0); err != nil {
		return err
	}
	if s.Outputs, s.outputNames, err = s.ports(1); err != nil {
		return err
	}
	memory := place.Memory
	if memory == "" {
		memory = "Cpu"
	}
	if s.device, err = newMemory(memory, place.Index, false); err != nil {
		return err
	}
	if s.host, err = newMemory("Cpu", 0, false); err != nil {
		return err
	}
	for _, port := range s.Outputs {
		where := s.device
		if port.Elements == Int64 {
			where = s.host // a size: computed and read on the host, a trip to the device and back would wait for it
		}
		s.places = append(s.places, where)
	}
	if place.Staging == "" {
		return nil
	}
	staging, err := newMemory(place.Staging, place.Index, true)
	if err != nil {
		return err
	}
	defer C.ort_memory_release(staging)
	return check(C.ort_allocator_new(s.c, staging, &s.staging))
}

// handle is the C session inside onnxruntime_go's, which offers no way to it: its fields are read by their names,
// and a version that names them otherwise is refused.
func handle(session *onnx.DynamicAdvancedSession) (*C.OrtSession, error) {
	value := reflect.ValueOf(session).Elem()
	for _, name := range []string{"s", "ortSession"} {
		if value.Kind() == reflect.Pointer {
			value = value.Elem()
		}
		if value = value.FieldByName(name); !value.IsValid() || value.Kind() != reflect.Pointer || value.IsNil() {
			return nil, errors.New("onnxruntime_go keeps its session otherwise than this program was written for: build it with the version that go.mod names")
		}
	}
	return (*C.OrtSession)(value.UnsafePointer()), nil
}

func newMemory(name string, index int, onHost bool) (*C.OrtMemoryInfo, error) {
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	var memory *C.OrtMemoryInfo
	var host C.int
	if onHost {
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
		var elements C.int
		err := check(C.ort_session_port(s.c, outputs, i, &name, &elements))
		if name != nil {
			names = append(names, name)
		}
		if err != nil {
			return nil, names, err
		}
		ports = append(ports, Port{C.GoString(name), Elements(elements)})
	}
	return ports, names, nil
}

// Close frees the session once no tensor needs its memory any more. No run may be under way.
func (s *Session) Close() {
	if s != nil && !s.closed.Swap(true) {
		s.leave()
	}
}

func (s *Session) enter() { s.users.Add(1) }

func (s *Session) leave() {
	if s.users.Add(-1) > 0 {
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

// Run computes the outputs from the inputs, both in the order of the graph's ports. An output that is given is
// filled, where it lies; one that is nil is made in the session's place. After an error nothing was made.
// A context that is cancelled stops the run at its next operator, and its cause is the error.
func (s *Session) Run(ctx context.Context, inputs, outputs []*Tensor) error {
	if len(inputs) != len(s.Inputs) || len(outputs) != len(s.Outputs) {
		return fmt.Errorf("%d inputs and %d outputs for a graph with %d and %d", len(inputs), len(outputs), len(s.Inputs), len(s.Outputs))
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
	given, made := values(inputs), values(outputs)
	err := check(C.ort_run(s.c, options,
		C.size_t(len(given)), unsafe.SliceData(s.inputNames), unsafe.SliceData(given),
		C.size_t(len(made)), unsafe.SliceData(s.outputNames), unsafe.SliceData(made), unsafe.SliceData(s.places)))
	runtime.KeepAlive(inputs)
	if !stop() {
		<-terminated // or it could touch options after they were freed
	}
	for i, value := range made {
		if outputs[i] == nil && value != nil && err == nil {
			s.enter()
			outputs[i] = &Tensor{c: value, session: s}
		}
	}
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func values(tensors []*Tensor) []*C.OrtValue {
	list := make([]*C.OrtValue, len(tensors))
	for i, t := range tensors {
		if t != nil {
			list[i] = t.c
		}
	}
	return list
}
