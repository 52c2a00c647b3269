// Package ortlib finds the ONNX Runtime library on this machine.
//
// It downloads nothing: scripts/onnxruntime.sh, which `make setup` runs, fetches the library.
package ortlib

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/wwflow/wwflow/internal/loader"
)

// Version is the release that scripts/onnxruntime.sh fetches and that wwflow is tested with.
const Version = "1.30.0"

// FileName is the library's file name in that release.
const FileName = "libonnxruntime.so.1"

// ErrNotFound is wrapped by the error of Locate if there is no library.
var ErrNotFound = errors.New("not found")

// Locate returns the path of the ONNX Runtime library.
//
// If name is not empty it must be the library's file or its folder; Locate looks nowhere else. If name is empty, Locate uses the
// first of: $WWFLOW_ORT, the folder of the running program, lib in it (the portable archive), ../lib/wwflow beside it (an
// installed package), CacheDir, the dynamic loader. The result is an absolute path, or FileName if the loader finds it.
func Locate(name string) (string, error) {
	if name == "" {
		name = os.Getenv("WWFLOW_ORT")
	}
	if name != "" {
		return locateNamed(name)
	}
	folders := []string{}
	if program, err := os.Executable(); err == nil {
		if program, err = filepath.EvalSymlinks(program); err == nil {
			folders = append(folders, besides(program)...)
		}
	}
	if cache, err := CacheDir(); err == nil {
		folders = append(folders, cache)
	}
	for _, folder := range folders {
		if path, ok := findIn(folder); ok {
			return path, nil
		}
	}
	if _, err := loader.Find(FileName); err == nil {
		return FileName, nil
	}
	return "", fmt.Errorf("%w in %s or on the loader's path: install the package or the archive again, or run `make setup` in wwflow's source folder",
		ErrNotFound, strings.Join(folders, ", "))
}

// besides returns the folders that belong to an installed program.
func besides(program string) []string {
	folder := filepath.Dir(program)
	return []string{folder, filepath.Join(folder, "lib"), filepath.Join(filepath.Dir(folder), "lib", "wwflow")}
}

// CacheDir returns the folder into which scripts/onnxruntime.sh puts the library: wwflow/onnxruntime-<Version> in
// $XDG_CACHE_HOME or ~/.cache.
func CacheDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(cache, "wwflow", "onnxruntime-"+Version), nil
}

func locateNamed(name string) (string, error) {
	info, err := os.Stat(name)
	if err != nil {
		return "", fmt.Errorf("%w at %s (set by --ort or WWFLOW_ORT)", ErrNotFound, name)
	}
	if info.IsDir() {
		path, ok := findIn(name)
		if !ok {
			return "", fmt.Errorf("%w in the folder %s: it has no libonnxruntime.so or libonnxruntime.so.1", ErrNotFound, name)
		}
		name = path
	}
	return filepath.Abs(name)
}

func findIn(folder string) (string, bool) {
	for _, base := range []string{FileName, "libonnxruntime.so." + Version, "libonnxruntime.so"} {
		path := filepath.Join(folder, base)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			absolute, err := filepath.Abs(path)
			return absolute, err == nil
		}
	}
	return "", false
}
