// Package ort runs ONNX graphs so that tensors stay on the device that made them.
//
// The library, its environment, the execution providers and the sessions are onnxruntime_go's. What that can't do is
// done here over the same C interface: outputs that the session makes in its device's memory, in any element type (its
// own bindings copy every output into Go's memory, and know no float16), and a run that can be stopped.
//
// Load loads the library, once in a process. A Session is a graph on a device; Session.Run takes Tensors and
// returns those that it makes, in the memory of a Place, which Go need not be able to read: so the features of a
// frame go from one graph to another without a trip through host memory, whatever their element type is.
//
// Everything here is memory outside Go's heap until Close, which is nil-safe and idempotent. Tensors keep what
// they need of their Session: they may be closed in any order. A Session may run in several goroutines at once.
// The header beside this file is ONNX Runtime's own, under its own licence (onnxruntime_c_api.LICENSE).
package ort

// #cgo LDFLAGS: -ldl
// #include <stdlib.h>
// #include "binding.h"
import "C"

import (
	"errors"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"unsafe"

	onnx "github.com/yalue/onnxruntime_go"
)

// Oldest is the oldest version of ONNX Runtime that has the interface that onnxruntime_go asks for.
const Oldest = "1.24"

// ErrLoaded is returned by Load where a library was loaded before.
var ErrLoaded = errors.New("ONNX Runtime is loaded already")

var library struct {
	sync.Mutex
	version string // empty before Load
}

// Load loads the library at path, or the one that the loader finds by that bare name. A process can load only one.
func Load(path string) error {
	library.Lock()
	defer library.Unlock()
	if library.version != "" {
		return ErrLoaded
	}
	onnx.SetSharedLibraryPath(path)
	// What goes wrong comes back as an error; the library's own log would repeat it on the terminal.
	if err := onnx.InitializeEnvironment(onnx.WithLogLevelFatal()); err != nil {
		return said(err)
	}
	if err := onnx.DisableTelemetry(); err != nil {
		return said(err)
	}
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	// dlerror's text belongs to the thread that failed.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if failed := C.ort_load(name); failed != nil {
		defer C.free(unsafe.Pointer(failed))
		return errors.New(C.GoString(failed))
	}
	library.version = onnx.GetVersion()
	return nil
}

// Version is the loaded library's; empty before Load.
func Version() string {
	library.Lock()
	defer library.Unlock()
	return library.version
}

// Available are the names of the execution providers that the loaded library was built with, though the libraries that
// they need may be missing.
func Available() []string {
	var list **C.char
	var n C.int
	if err := check(C.ort_available(&list, &n)); err != nil {
		return nil
	}
	defer C.ort_available_release(list, n)
	var names []string
	for _, name := range unsafe.Slice(list, n) {
		names = append(names, C.GoString(name))
	}
	return names
}

// Error is what ONNX Runtime says of a failure.
type Error struct {
	Message string // its words, often several lines with places in its source
}

// Error is the message without what is for ONNX Runtime's authors: lines after the first, and places in their source.
func (e *Error) Error() string {
	line, _, _ := strings.Cut(strings.TrimSpace(e.Message), "\n")
	if at := sourcePlace.FindStringIndex(line); at != nil {
		line = line[:at[0]] + words(line[at[1]:])
	}
	return strings.TrimSpace(innerPlace.ReplaceAllString(line, ""))
}

var (
	sourcePlace = regexp.MustCompile(`/\S+\.(?:cc|cu|cuh|h):\d+ `)
	innerPlace  = regexp.MustCompile(`\b\w+\.(?:cc|cu|cuh|h):\d+ (?:operator\(\)|\w+) |\[with [^\]]*\] `)
	statusCode  = regexp.MustCompile(`\[ONNXRuntimeError\] : \d+ : [A-Z_]+ : `)
	failure     = regexp.MustCompile(`(?:CUDA|CUBLAS|CUDNN) failure `)
)

// words are what follows a function's signature.
func words(text string) string {
	if at := statusCode.FindStringIndex(text); at != nil {
		return text[at[1]:]
	}
	if at := failure.FindStringIndex(text); at != nil {
		return text[at[0]:]
	}
	// No such mark: the arguments end with the parenthesis that closes the first one.
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

// Graph says that the graph itself is at fault: damaged, or of a kind that this ONNX Runtime doesn't run.
func (e *Error) Graph() bool {
	return e.says("protobuf", "invalid model", "INVALID_GRAPH", "Could not find an implementation", "is not a registered function/op", "Missing ONNX data",
		"is under development and support for this is limited")
}

// OutOfMemory says that memory ran out, on the host or on the device.
func (e *Error) OutOfMemory() bool {
	return e.says("Failed to allocate memory", "out of memory", "bad_alloc", "smaller than requested bytes")
}

// says looks for words: onnxruntime_go passes no error codes on.
func (e *Error) says(any ...string) bool {
	for _, words := range any {
		if strings.Contains(e.Message, words) {
			return true
		}
	}
	return false
}

// said is an error of onnxruntime_go without what that puts in front of ONNX Runtime's words.
func said(err error) error {
	if err == nil {
		return nil
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return &Error{Message: err.Error()}
}

// check turns a status into an error, and releases it.
func check(status *C.OrtStatus) error {
	if status == nil {
		return nil
	}
	defer C.ort_status_release(status)
	return &Error{Message: C.GoString(C.ort_status_message(status))}
}

func freeStrings(list []*C.char) {
	for _, text := range list {
		C.free(unsafe.Pointer(text))
	}
}
