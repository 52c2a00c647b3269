package ort

// #include "binding.h"
import "C"

import (
	"errors"
	"regexp"
	"strings"
)

// Error is an error of ONNX Runtime.
type Error struct {
	Message string // as ONNX Runtime gives it, often several lines with positions in its source code
}

// Error returns the first line of the message, without positions in ONNX Runtime's source code.
func (e *Error) Error() string {
	line, _, _ := strings.Cut(strings.TrimSpace(e.Message), "\n")
	if at := sourcePosition.FindStringIndex(line); at != nil {
		line = line[:at[0]] + afterSignature(line[at[1]:])
	}
	return strings.TrimSpace(innerPosition.ReplaceAllString(line, ""))
}

var (
	sourcePosition = regexp.MustCompile(`/\S+\.(?:cc|cu|cuh|h):\d+ `)
	innerPosition  = regexp.MustCompile(`\b\w+\.(?:cc|cu|cuh|h):\d+ (?:operator\(\)|\w+) |\[with [^\]]*\] `)
	statusCode     = regexp.MustCompile(`\[ONNXRuntimeError\] : \d+ : [A-Z_]+ : `)
	cudaFailure    = regexp.MustCompile(`(?:CUDA|CUBLAS|CUDNN) failure `)
)

// afterSignature removes a C++ function signature from the start of text.
func afterSignature(text string) string {
	if at := statusCode.FindStringIndex(text); at != nil {
		return text[at[1]:]
	}
	if at := cudaFailure.FindStringIndex(text); at != nil {
		return text[at[0]:]
	}
	// The parameter list ends where the first parenthesis is closed.
	depth := 0
	for i, c := range text {
		switch c {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return strings.TrimSpace(strings.TrimPrefix(text[i+1:], " const"))
			}
		}
	}
	return text
}

// BadGraph reports whether the graph caused the error: it is damaged, or this ONNX Runtime cannot run it.
func (e *Error) BadGraph() bool {
	return e.contains("protobuf", "invalid model", "INVALID_GRAPH", "Could not find an implementation", "is not a registered function/op", "Missing ONNX data",
		"is under development and support for this is limited")
}

// Operator returns the operator that this ONNX Runtime, or its provider, cannot run, such as GridSample; empty if the error says
// nothing of that kind.
func (e *Error) Operator() string {
	for _, pattern := range []*regexp.Regexp{noImplementation, notRegistered, noOp} {
		if m := pattern.FindStringSubmatch(e.Message); m != nil {
			return m[1]
		}
	}
	return ""
}

var (
	noImplementation = regexp.MustCompile(`Could not find an implementation for ([\w.:]+\(\d+\)|[\w.:]+)`)
	notRegistered    = regexp.MustCompile(`([\w.:]+\(-?\d+\)) is not a registered function/op`)
	noOp             = regexp.MustCompile(`No Op registered for (\w+)`)
)

// OutOfMemory reports whether the host or the device ran out of memory.
func (e *Error) OutOfMemory() bool {
	return e.contains("Failed to allocate memory", "out of memory", "bad_alloc", "smaller than requested bytes")
}

// DeviceLost reports whether the device failed while it worked: it was reset, taken away, or its driver has crashed.
func (e *Error) DeviceLost() bool {
	return !e.OutOfMemory() && e.contains("CUDA failure", "CUDA error", "CUBLAS failure", "CUDNN failure", "device lost", "Device lost", "device was lost", "device is lost", "DEVICE_LOST")
}

// contains looks for text in the message, because onnxruntime_go returns no error codes.
func (e *Error) contains(any ...string) bool {
	for _, text := range any {
		if strings.Contains(e.Message, text) {
			return true
		}
	}
	return false
}

// newError converts an error of onnxruntime_go, and drops the text that the module puts before ONNX Runtime's message.
func newError(err error) error {
	if err == nil {
		return nil
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return &Error{Message: err.Error()}
}

// check converts a status to an error and releases it.
func check(status *C.OrtStatus) error {
	if status == nil {
		return nil
	}
	defer C.ort_status_release(status)
	return &Error{Message: C.GoString(C.ort_status_message(status))}
}
