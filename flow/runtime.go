package flow

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/wwflow/wwflow/flow/internal/ort"
	"github.com/wwflow/wwflow/internal/loader"
	"github.com/wwflow/wwflow/internal/ortlib"
)

// ErrNoRuntime is wrapped by errors about the ONNX Runtime library: it was not found or cannot be loaded.
var ErrNoRuntime = errors.New("cannot use ONNX Runtime")

// loaded is the library of this process. ONNX Runtime cannot be unloaded safely.
var loaded struct {
	sync.Mutex
	path string
}

// loadRuntime loads the library that name stands for (see ortlib.Locate). If one is loaded already, it must be the same.
func loadRuntime(name string) error {
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
		return fmt.Errorf("%w: cannot load %s because %s is loaded already", ErrNoRuntime, path, loaded.path)
	}
	if _, err := loader.Find(path); err != nil {
		return fmt.Errorf("%w: %w: name another library with --ort or WWFLOW_ORT", ErrNoRuntime, err)
	}
	// Without this, releases from 1.30 on report usage to Microsoft and leave files in the folder for temporary files.
	if err := os.Setenv("ORT_DISABLE_TELEMETRY", "1"); err != nil {
		return fmt.Errorf("%w: %w", ErrNoRuntime, err)
	}
	if err := ort.Load(path); err != nil {
		return fmt.Errorf("%w: %s is not ONNX Runtime %s or newer: %w", ErrNoRuntime, path, ort.Oldest, err)
	}
	loaded.path = path
	return nil
}

// loadedPath returns the path of the loaded library, or its file name if the dynamic loader found it.
func loadedPath() string {
	loaded.Lock()
	defer loaded.Unlock()
	return loaded.path
}

// RuntimeInfo describes the loaded ONNX Runtime.
type RuntimeInfo struct {
	Version string
	Path    string // of the library; its file name only, if the dynamic loader found it
}

// Runtime loads ONNX Runtime and returns what was loaded. name is as Options.Runtime. The error wraps ErrNoRuntime.
func Runtime(name string) (RuntimeInfo, error) {
	if err := loadRuntime(name); err != nil {
		return RuntimeInfo{}, err
	}
	return RuntimeInfo{Version: ort.Version(), Path: loadedPath()}, nil
}
