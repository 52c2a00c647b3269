// Package loader says which shared libraries a library needs and where the dynamic loader finds them, so that a
// user reads the name of what is missing instead of "failed to load".
//
// It asks the loader itself, by loading: LD_LIBRARY_PATH, the loader's cache and its standard folders count as they
// do for ONNX Runtime. Nothing that was loaded for a look stays loaded.
package loader

// #cgo LDFLAGS: -ldl
// #define _GNU_SOURCE
// #include <dlfcn.h>
// #include <link.h>
// #include <stdlib.h>
//
// static const char *path_of(void *library) {
//   struct link_map *map = NULL;
//   return dlinfo(library, RTLD_DI_LINKMAP, &map) == 0 ? map->l_name : "";
// }
import "C"

import (
	"debug/elf"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"unsafe"
)

// LoadError says why the loader can't load a library.
type LoadError struct {
	Name   string // what was asked for
	Absent string // the library that wasn't found: Name itself or one that it needs; empty = another reason
	Words  string // the loader's own
}

func (e *LoadError) Error() string { return e.Words }

// Find is the path of the file that the loader takes for a library's name. The error is a *LoadError.
func Find(name string) (string, error) {
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	// dlerror's text belongs to the thread that failed.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	library := C.dlopen(text, C.RTLD_LAZY|C.RTLD_LOCAL)
	if library == nil {
		e := &LoadError{Name: name, Words: C.GoString(C.dlerror())}
		if absent, _, ok := strings.Cut(e.Words, ": cannot open shared object file"); ok {
			e.Absent = absent
		}
		return "", e
	}
	defer C.dlclose(library)
	return C.GoString(C.path_of(library)), nil
}

// Needs are the libraries that the one at path names as its needs, in its order.
func Needs(path string) ([]string, error) {
	file, err := elf.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s is no shared library: %w", path, err)
	}
	defer file.Close()
	names, err := file.ImportedLibraries()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return names, nil
}

// Missing are the libraries, each once, that the loader doesn't find of those that it is asked for, or of those that
// they need in turn: an installed library whose own need is absent is as good as missing. What lies in the folder
// beside counts as found. A library that is there and damaged is given in the loader's words.
func Missing(names []string, beside string) []string {
	var missing []string
	for _, name := range names {
		_, err := Find(name)
		if err == nil {
			continue
		}
		if _, local := Find(filepath.Join(beside, name)); local == nil {
			continue
		}
		what := err.(*LoadError).Absent
		if what == "" {
			what = err.Error()
		} else if what != name {
			what += " (for " + name + ")"
		}
		if !slices.Contains(missing, what) {
			missing = append(missing, what)
		}
	}
	return missing
}
