package ortlib

// #cgo LDFLAGS: -ldl
// #include <dlfcn.h>
// #include <stdlib.h>
import "C"

import (
	"errors"
	"runtime"
	"unsafe"
)

// CanLoad says why the dynamic loader can't load a shared library, given by path or by bare name;
// nil where it can. The loader's own words name the first thing that is missing.
func CanLoad(name string) error {
	cname := C.CString(name)
	defer C.free(unsafe.Pointer(cname))
	// dlerror's text belongs to the thread that failed.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	handle := C.dlopen(cname, C.RTLD_LAZY|C.RTLD_LOCAL)
	if handle == nil {
		return errors.New(C.GoString(C.dlerror()))
	}
	C.dlclose(handle)
	return nil
}
