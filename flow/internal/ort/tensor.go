package ort

// #include "binding.h"
import "C"

import (
	"fmt"
	"runtime"
	"unsafe"
)

// ElementType is the type of a tensor's elements, with the numbers of the ONNX standard.
type ElementType int

// The element types that flow knows by name. Tensors between two graphs may have any other type.
const (
	Float32 ElementType = C.ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT
	Uint8   ElementType = C.ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8
	Float16 ElementType = C.ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16
	Int64   ElementType = C.ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64
)

func (e ElementType) String() string {
	switch e {
	case Float32:
		return "float32"
	case Uint8:
		return "uint8"
	case Float16:
		return "float16"
	case Int64:
		return "int64"
	}
	return fmt.Sprintf("ONNX type %d", int(e))
}

// Tensor is an input or an output of a run.
type Tensor struct {
	c       *C.OrtValue
	session *Session       // whose memory it uses; nil = Go's memory
	staged  unsafe.Pointer // staging memory to free, or nil
	pin     runtime.Pinner // of Go's memory
}

// Wrap returns a tensor over a slice. It copies nothing, and pins the slice until Close.
func Wrap[T uint8 | float32](data []T, shape ...int64) (*Tensor, error) {
	if err := checkShape(len(data), shape); err != nil {
		return nil, err
	}
	t := &Tensor{}
	t.pin.Pin(unsafe.SliceData(data))
	if err := wrap(t, data, shape); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

func wrap[T uint8 | float32](t *Tensor, data []T, shape []int64) error {
	return check(C.ort_tensor_wrap(unsafe.Pointer(unsafe.SliceData(data)), sizeOf(data),
		(*C.int64_t)(unsafe.SliceData(shape)), C.size_t(len(shape)), C.int(typeOf[T]()), &t.c))
}

func sizeOf[T uint8 | float32](data []T) C.size_t {
	var zero T
	return C.size_t(len(data)) * C.size_t(unsafe.Sizeof(zero))
}

func checkShape(length int, shape []int64) error {
	n := int64(1)
	for _, size := range shape {
		if size <= 0 {
			return fmt.Errorf("invalid tensor shape %v", shape)
		}
		n *= size
	}
	if n != int64(length) {
		return fmt.Errorf("%d values do not fill a tensor of shape %v", length, shape)
	}
	return nil
}

func typeOf[T uint8 | float32]() ElementType {
	var zero T
	if _, ok := any(zero).(uint8); ok {
		return Uint8
	}
	return Float32
}

// NewInput returns a tensor with the values of data, as an input for s. It copies data to staging memory if s has any;
// otherwise it wraps data.
func NewInput[T uint8 | float32](s *Session, data []T, shape ...int64) (*Tensor, error) {
	t, staged, err := NewOutput(s, data, shape...)
	if err == nil && s.staging != nil {
		copy(staged, data)
	}
	return t, err
}

// NewOutput returns a tensor for an output of s, and the slice that holds its values after the run, until Close. That slice is
// staging memory if s has any, and the caller copies it to data; otherwise it is data itself.
func NewOutput[T uint8 | float32](s *Session, data []T, shape ...int64) (t *Tensor, values []T, err error) {
	if s.staging == nil {
		t, err := Wrap(data, shape...)
		return t, data, err
	}
	if err := checkShape(len(data), shape); err != nil {
		return nil, nil, err
	}
	t = &Tensor{}
	if err := check(C.ort_alloc(s.staging, sizeOf(data), &t.staged)); err != nil {
		return nil, nil, err
	}
	s.retain()
	t.session = s
	// The tensor is declared as plain host memory, so that ONNX Runtime copies it once, at the speed of staging memory.
	// Declared as staging memory it would count as device memory, and kernels would read it over the bus each time.
	values = unsafe.Slice((*T)(t.staged), len(data))
	if err := wrap(t, values, shape); err != nil {
		t.Close()
		return nil, nil, err
	}
	return t, values, nil
}

// Memory returns ONNX Runtime's name of the memory that holds the tensor, such as Cpu or Cuda.
func (t *Tensor) Memory() (string, error) {
	var name *C.char
	if err := check(C.ort_tensor_memory(t.c, &name)); err != nil {
		return "", err
	}
	return C.GoString(name), nil
}

// Type returns the type of the tensor's elements.
func (t *Tensor) Type() (ElementType, error) {
	var element C.int
	err := check(C.ort_tensor_type(t.c, &element))
	return ElementType(element), err
}

// Close frees the tensor.
func (t *Tensor) Close() {
	if t == nil {
		return
	}
	if t.c != nil {
		C.ort_value_release(t.c)
		t.c = nil
	}
	if t.staged != nil {
		C.ort_free(t.session.staging, t.staged)
		t.staged = nil
	}
	t.pin.Unpin()
	if t.session != nil {
		t.session.release()
		t.session = nil
	}
}
