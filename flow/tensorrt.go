package flow

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/wwflow/wwflow/flow/internal/ort"
	"github.com/wwflow/wwflow/internal/loader"
)

// cacheFolder creates the folder in which TensorRT keeps what it compiles from these graphs, because compiling takes minutes:
// wwflow/tensorrt/<hash> in the user's cache folder. A compiled network is valid for one version of ONNX Runtime and TensorRT
// and for the same weights, so the hash covers all of them. For other devices the result is empty.
func (d Device) cacheFolder(graphs [][]byte) (string, error) {
	if d.Kind != TensorRT {
		return "", nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache folder for TensorRT: %w", err)
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n", ort.Version(), tensorRTLibrary(filepath.Dir(loadedPath())))
	for _, graph := range graphs {
		sum := sha256.Sum256(graph)
		h.Write(sum[:])
	}
	folder := filepath.Join(cache, "wwflow", "tensorrt", hex.EncodeToString(h.Sum(nil))[:16])
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", fmt.Errorf("no cache folder for TensorRT: %w", err)
	}
	return folder, nil
}

// tensorRTLibrary returns the name of the TensorRT library that the provider in folder uses, which ends in its version; empty
// if it is unknown.
func tensorRTLibrary(folder string) string {
	needs, err := loader.Needs(filepath.Join(folder, "libonnxruntime_providers_tensorrt.so"))
	if err != nil {
		return "" // the provider is on the loader's path
	}
	for _, name := range needs {
		if strings.HasPrefix(name, "libnvinfer.") {
			path, err := loader.Find(name)
			if err != nil {
				path, _ = loader.Find(filepath.Join(folder, name))
			}
			if target, err := filepath.EvalSymlinks(path); err == nil {
				path = target
			}
			return filepath.Base(path)
		}
	}
	return ""
}
