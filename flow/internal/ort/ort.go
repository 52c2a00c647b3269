// Package ort runs ONNX graphs with ONNX Runtime and keeps tensors on the device that made them.
//
// The module onnxruntime_go loads the library and opens sessions with their execution providers. This package adds, over the
// same C interface, what that module lacks: outputs that stay in device memory, tensors of any element type, and a run that
// can be cancelled.
//
// Load loads the library, once per process. A Session is a graph on a device. Session.Run takes and returns Tensors. A tensor
// that one session made in device memory is an input of another session without a copy through host memory.
//
// Sessions and tensors hold memory outside Go's heap until Close. Close is idempotent and works on nil. A tensor keeps the
// session that made it alive, so they may be closed in any order. A Session may run in several goroutines at once.
package ort

// #cgo LDFLAGS: -ldl
// #include <stdlib.h>
// #include "binding.h"
import "C"

import (
	"errors"
	"runtime"
	"sync"
	"unsafe"

	onnx "github.com/yalue/onnxruntime_go"
)

// Oldest is the oldest release of ONNX Runtime that has the interface that api.h and onnxruntime_go ask for.
const Oldest = "1.24"

// ErrLoaded is returned by Load if a library is already loaded.
var ErrLoaded = errors.New("ONNX Runtime is already loaded")

var library struct {
	sync.Mutex
	version string // empty before Load
}

// Load loads the library at path. A bare file name is looked up by the dynamic loader. A process can load only one library.
func Load(path string) error {
	library.Lock()
	defer library.Unlock()
	if library.version != "" {
		return ErrLoaded
	}
	onnx.SetSharedLibraryPath(path)
	// Errors are returned; without this the library would also print them.
	if err := onnx.InitializeEnvironment(onnx.WithLogLevelFatal()); err != nil {
		return newError(err)
	}
	if err := onnx.DisableTelemetry(); err != nil {
		return newError(err)
	}
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	// The text of dlerror belongs to the thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if message := C.ort_load(name); message != nil {
		defer C.free(unsafe.Pointer(message))
		return errors.New(C.GoString(message))
	}
	library.version = onnx.GetVersion()
	return nil
}

// Version returns the version of the loaded library, or "" before Load.
func Version() string {
	library.Lock()
	defer library.Unlock()
	return library.version
}

// Providers returns the names of the execution providers that the loaded library was built with. The shared libraries that
// they need may still be missing.
func Providers() []string {
	var list **C.char
	var n C.int
	if err := check(C.ort_providers(&list, &n)); err != nil {
		return nil
	}
	defer C.ort_providers_release(list, n)
	var names []string
	for _, name := range unsafe.Slice(list, n) {
		names = append(names, C.GoString(name))
	}
	return names
}

func freeStrings(list []*C.char) {
	for _, text := range list {
		C.free(unsafe.Pointer(text))
	}
}
