package flow

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/wwflow/wwflow/flow/internal/ort"
	"github.com/wwflow/wwflow/internal/ortlib"
)

// ErrNoRuntime is wrapped by the errors about the ONNX Runtime library: not found, or not loadable.
var ErrNoRuntime = errors.New("ONNX Runtime can't be used")

// ONNX Runtime is loaded once in a process and stays: it can't be unloaded and loaded again safely.
var loaded struct {
	sync.Mutex
	path string
}

// startRuntime loads the library that name means. A second call may not mean another library.
func startRuntime(name string) error {
	path, err := ortlib.Locate(name)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoRuntime, err)
	}
	loaded.Lock()
	defer loaded.Unlock()
	if loaded.path == path {
		return nil
	}
	if loaded.path != "" {
		return fmt.Errorf("%w: %s was loaded before %s, and a process can use only one", ErrNoRuntime, loaded.path, path)
	}
	if err := ortlib.CanLoad(path); err != nil {
		return fmt.Errorf("%w: %w: name another library with --ort or WWFLOW_ORT", ErrNoRuntime, err)
	}
	// Since 1.30 the library reports its use to Microsoft, and leaves files in the folder for temporary ones, unless
	// this is set before it is loaded.
	if err := os.Setenv("ORT_DISABLE_TELEMETRY", "1"); err != nil {
		return fmt.Errorf("%w: %w", ErrNoRuntime, err)
	}
	if err := ort.Load(path); err != nil {
		return fmt.Errorf("%w: %s is no ONNX Runtime %s or newer: %w", ErrNoRuntime, path, ort.Oldest, err)
	}
	loaded.path = path
	return nil
}

// loadedPath is the loaded library's; a bare name where the loader's path held it.
func loadedPath() string {
	loaded.Lock()
	defer loaded.Unlock()
	return loaded.path
}

// RuntimeInfo is the loaded ONNX Runtime.
type RuntimeInfo struct {
	Version string // as the library states it
	Path    string // its file, or a bare name where the loader's path held it
}

// Runtime loads ONNX Runtime as Open does, without a network, and says which one it is.
// The error wraps ErrNoRuntime.
func Runtime(name string) (RuntimeInfo, error) {
	if err := startRuntime(name); err != nil {
		return RuntimeInfo{}, err
	}
	return RuntimeInfo{Version: ort.Version(), Path: loadedPath()}, nil
}
