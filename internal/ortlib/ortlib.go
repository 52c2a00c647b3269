// Package ortlib finds the ONNX Runtime library on this machine and says why it, or one of its
// execution providers, can't be loaded.
//
// It only looks: it downloads nothing, and it never takes another library than the one that was named.
// Fetching the library is the work of scripts/onnxruntime.sh, which `make setup` calls.
package ortlib

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Version is the release that scripts/onnxruntime.sh fetches and that wwflow is tested with.
const Version = "1.30.0"

// Soname is the library's file name in that release.
const Soname = "libonnxruntime.so.1"

// ErrNotFound is wrapped by Locate's error where no library was found.
var ErrNotFound = errors.New("not found")

// Locate returns the path of the ONNX Runtime library.
//
// A name that is not empty is taken as it is (a file, or a folder that holds the library) and nothing else is
// tried. An empty name means, in this order: $WWFLOW_ORT, the folder of the running program, CacheDir, and
// the loader's own path. The answer is an absolute path, or the bare Soname where the loader finds it.
func Locate(name string) (string, error) {
	if name == "" {
		name = os.Getenv("WWFLOW_ORT")
	}
	if name != "" {
		return named(name)
	}
	folders := []string{}
	if program, err := os.Executable(); err == nil {
		if program, err = filepath.EvalSymlinks(program); err == nil {
			folders = append(folders, filepath.Dir(program))
		}
	}
	if cache, err := CacheDir(); err == nil {
		folders = append(folders, cache)
	}
	for _, folder := range folders {
		if path, ok := inFolder(folder); ok {
			return path, nil
		}
	}
	if CanLoad(Soname) == nil {
		return Soname, nil
	}
	return "", fmt.Errorf("%w in %s nor in the loader's path: `make setup` in wwflow's source folder fetches it",
		ErrNotFound, strings.Join(folders, ", "))
}

// CacheDir is the folder into which scripts/onnxruntime.sh puts the library:
// wwflow/onnxruntime-<Version> under $XDG_CACHE_HOME, or under ~/.cache.
func CacheDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(cache, "wwflow", "onnxruntime-"+Version), nil
}

func named(name string) (string, error) {
	info, err := os.Stat(name)
	if err != nil {
		return "", fmt.Errorf("%w at %s, which --ort or WWFLOW_ORT names", ErrNotFound, name)
	}
	if info.IsDir() {
		path, ok := inFolder(name)
		if !ok {
			return "", fmt.Errorf("%w in the folder %s: it holds none of libonnxruntime.so, libonnxruntime.so.1", ErrNotFound, name)
		}
		name = path
	}
	return filepath.Abs(name)
}

func inFolder(folder string) (string, bool) {
	for _, base := range []string{Soname, "libonnxruntime.so." + Version, "libonnxruntime.so"} {
		path := filepath.Join(folder, base)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			absolute, err := filepath.Abs(path)
			return absolute, err == nil
		}
	}
	return "", false
}
