package ort

// #include "binding.h"
import "C"

import (
	"fmt"
	"runtime"
	"unsafe"
)

// Elements is the type of a tensor's elements, numbered as in ONNX.
type Elements int

// The types that have a meaning here. A tensor that goes from one graph to another may have any.
const (
	Float32 Elements = C.ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT
	Uint8   Elements = C.ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8
	Float16 Elements = C.ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16
	Int64   Elements = C.ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64
)

func (e Elements) String() string {
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

// Tensor is memory that a graph reads or writes.
type Tensor struct {
	c       *C.OrtValue
	session *Session       // that keeps its memory; nil where Go does
	staged  unsafe.Pointer // staging memory of the session below it, if any
	pin     runtime.Pinner // of Go's memory
}

// Over is a tensor over a slice, without a copy, until Close.
func Over[T uint8 | float32](data []T, shape ...int64) (*Tensor, error) {
	if err := fits(len(data), shape); err != nil {
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
	return check(C.ort_tensor_over(unsafe.Pointer(unsafe.SliceData(data)), bytesOf(data),
		(*C.int64_t)(unsafe.SliceData(shape)), C.size_t(len(shape)), C.int(elementsOf[T]()), &t.c))
}

func bytesOf[T uint8 | float32](data []T) C.size_t {
	var zero T
	return C.size_t(len(data)) * C.size_t(unsafe.Sizeof(zero))
}

func fits(length int, shape []int64) error {
	n := int64(1)
	for _, size := range shape {
		if size <= 0 {
			return fmt.Errorf("a tensor can't have the shape %v", shape)
		}
		n *= size
	}
	if n != int64(length) {
		return fmt.Errorf("%d values are no tensor of the shape %v", length, shape)
	}
	return nil
}

func elementsOf[T uint8 | float32]() Elements {
	var zero T
	if _, ok := any(zero).(uint8); ok {
		return Uint8
	}
	return Float32
}

// Up is a tensor of the slice's values for an input of the session: in the staging memory of its place, into
// which they are copied, or over the slice itself where Go's memory serves.
func Up[T uint8 | float32](s *Session, data []T, shape ...int64) (*Tensor, error) {
	t, staged, err := Down(s, data, shape...)
	if err == nil && s.staging != nil {
		copy(staged, data)
	}
	return t, err
}

// Down is a tensor for an output of the session that shall come to the slice, and where its values will lie after
// the run, until Close: in the staging memory of the session's place, from which the caller copies them, or in the
// slice itself where Go's memory serves.
func Down[T uint8 | float32](s *Session, data []T, shape ...int64) (t *Tensor, values []T, err error) {
	if s.staging == nil {
		t, err := Over(data, shape...)
		return t, data, err
	}
	if err := fits(len(data), shape); err != nil {
		return nil, nil, err
	}
	t = &Tensor{}
	if err := check(C.ort_alloc(s.staging, bytesOf(data), &t.staged)); err != nil {
		return nil, nil, err
	}
	s.enter()
	t.session = s
	// For ONNX Runtime it is plain host memory, to be copied once, at the speed of staging memory. Called by its
	// name it would count as the device's own: kernels would reach for it over the bus, each time that they read it.
	values = unsafe.Slice((*T)(t.staged), len(data))
	if err := wrap(t, values, shape); err != nil {
		t.Close()
		return nil, nil, err
	}
	return t, values, nil
}

// Memory is ONNX Runtime's name of the memory in which the tensor lies.
func (t *Tensor) Memory() (string, error) {
	var name *C.char
	if err := check(C.ort_tensor_place(t.c, &name)); err != nil {
		return "", err
	}
	return C.GoString(name), nil
}

// Elements is the type of its elements.
func (t *Tensor) Elements() (Elements, error) {
	var elements C.int
	err := check(C.ort_tensor_elements(t.c, &elements))
	return Elements(elements), err
}

// Close gives the memory back.
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
		t.session.leave()
		t.session = nil
	}
}
