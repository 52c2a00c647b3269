package ortlib

// #cgo LDFLAGS: -ldl
// #include <dlfcn.h>
// #include <stdlib.h>
import "C"

import (
	"debug/elf"
	"errors"
	"fmt"
	"path/filepath"
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

// Missing lists the shared libraries that the library at path wants and that the loader can't load.
// Those that lie beside it count as found, as ONNX Runtime's providers find each other so.
func Missing(path string) ([]string, error) {
	file, err := elf.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s is no shared library: %w", path, err)
	}
	defer file.Close()
	wanted, err := file.ImportedLibraries()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var missing []string
	for _, name := range wanted {
		if CanLoad(name) != nil && CanLoad(filepath.Join(filepath.Dir(path), name)) != nil {
			missing = append(missing, name)
		}
	}
	return missing, nil
}
