// Package loader asks the dynamic loader for shared libraries: where they are, what they need, and what is missing.
//
// It loads a library to find it, so LD_LIBRARY_PATH, the loader's cache and its standard folders count as they do later.
// It unloads each library again.
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

// Error is the reason why a library cannot be loaded.
type Error struct {
	Name    string // the library that was asked for
	Missing string // the library that was not found: Name itself or one that it needs; empty = another reason
	Message string // of the loader
}

func (e *Error) Error() string { return e.Message }

// Find returns the path of the file that the loader uses for a library, given by file name or by path. The error is an *Error.
func Find(name string) (string, error) {
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	// The text of dlerror belongs to the thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	library := C.dlopen(text, C.RTLD_LAZY|C.RTLD_LOCAL)
	if library == nil {
		e := &Error{Name: name, Message: C.GoString(C.dlerror())}
		if missing, _, ok := strings.Cut(e.Message, ": cannot open shared object file"); ok {
			e.Missing = missing
		}
		return "", e
	}
	defer C.dlclose(library)
	return C.GoString(C.path_of(library)), nil
}

// Needs returns the names of the libraries that the library at path lists as its dependencies.
func Needs(path string) ([]string, error) {
	file, err := elf.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s is not a shared library: %w", path, err)
	}
	defer file.Close()
	names, err := file.ImportedLibraries()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return names, nil
}

// Missing returns what keeps the named libraries from being loaded, without repetition: the name of a library that was not
// found, be it one of names or a dependency, or the loader's message for another reason. The loader also looks in folder.
func Missing(names []string, folder string) []string {
	var missing []string
	for _, name := range names {
		_, err := Find(name)
		if err == nil {
			continue
		}
		if _, err := Find(filepath.Join(folder, name)); err == nil {
			continue
		}
		what := err.(*Error).Missing
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
