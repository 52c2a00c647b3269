package flow

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/flow/internal/loader"
)

// What each device asks of ONNX Runtime. These settings can only be tried where there is a GPU, so they are stated twice.
func TestDeviceSettings(t *testing.T) {
	for _, test := range []struct {
		device    string
		precision Precision
		providers []string
		memory    string
		staging   string
	}{
		{"cpu", FP32, nil, "", ""},
		{"cuda:2", FP16, []string{"CUDA"}, "Cuda", "CudaPinned"},
		{"tensorrt:2", FP16, []string{"TensorRT", "CUDA"}, "Cuda", "CudaPinned"},
		{"tensorrt", FP32, []string{"TensorRT", "CUDA"}, "Cuda", "CudaPinned"},
		{"webgpu", FP32, []string{"WebGPU"}, "WebGPU_Buf", ""},
	} {
		d, err := ParseDevice(test.device)
		if err != nil {
			t.Fatal(err)
		}
		s := d.settings(3, test.precision, "/cache")
		var providers []string
		for _, p := range s.Providers {
			providers = append(providers, p.Name)
			if id, numbered := p.Options["device_id"]; d.Index == 2 && id != "2" || numbered != (p.Name != "WebGPU") {
				t.Errorf("%s: the device of %s is %q", test.device, p.Name, id)
			}
			if p.Name == "TensorRT" {
				if half := p.Options["trt_fp16_enable"] == "1"; half != (test.precision == FP16) {
					t.Errorf("%s as %s: TensorRT may use float16: %v", test.device, test.precision, half)
				}
				if p.Options["trt_engine_cache_path"] != "/cache" || p.Options["trt_timing_cache_path"] != "/cache" {
					t.Errorf("%s: TensorRT keeps nothing: %v", test.device, p.Options)
				}
			}
		}
		if !slices.Equal(providers, test.providers) || s.Memory.Device != test.memory || s.Memory.Staging != test.staging || s.Threads != 3 {
			t.Errorf("%s: providers %v in %q with %q and %d threads", test.device, providers, s.Memory.Device, s.Memory.Staging, s.Threads)
		}
		if d.Index != s.Memory.Index {
			t.Errorf("%s: features would lie on GPU %d", test.device, s.Memory.Index)
		}
	}
}

func TestCacheFolder(t *testing.T) {
	open(t, "fake") // ONNX Runtime is loaded
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	folder := func(d string, graphs ...string) string {
		t.Helper()
		device, err := ParseDevice(d)
		if err != nil {
			t.Fatal(err)
		}
		var files [][]byte
		for _, g := range graphs {
			files = append(files, []byte(g))
		}
		path, err := device.cacheFolder(files)
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	if got := folder("cuda", "a", "b"); got != "" {
		t.Errorf("cuda keeps something in %s", got)
	}
	first := folder("tensorrt", "a", "b")
	if info, err := os.Stat(first); err != nil || !info.IsDir() || !strings.HasPrefix(first, filepath.Join(cache, "wwflow", "tensorrt")) {
		t.Errorf("the folder is %s: %v", first, err)
	}
	if again := folder("tensorrt:1", "a", "b"); again != first {
		t.Errorf("the same graphs lie in %s and %s", first, again)
	}
	if other := folder("tensorrt", "ab", ""); other == first {
		t.Error("other graphs lie in the same folder")
	}
}

// Made-up providers: what they need by name and the loader doesn't find is what is missing, no more and no less.
func TestProviderLibraries(t *testing.T) {
	folder := t.TempDir()
	build := func(name string, needs ...string) {
		t.Helper()
		args := []string{"-shared", "-fPIC", "-Wl,--no-as-needed", "-o", filepath.Join(folder, name), "-x", "c", "/dev/null", "-x", "none"}
		for _, n := range needs {
			args = append(args, filepath.Join(folder, n))
		}
		if out, err := exec.Command("gcc", append(args, "-Wl,-soname,"+name)...).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	check := func(kind Kind, wantAbsent, wantWanting, wantMissing []string) {
		t.Helper()
		absent, wanting, missing := Device{Kind: kind}.libraries(folder)
		if !slices.Equal(absent, wantAbsent) || !slices.Equal(wanting, wantWanting) || !slices.Equal(missing, wantMissing) {
			t.Errorf("%s: absent %q, wanting %q, missing %q; want %q, %q, %q", kind, absent, wanting, missing, wantAbsent, wantWanting, wantMissing)
		}
	}
	const shared, cuda, tensorrt = "libonnxruntime_providers_shared.so", "libonnxruntime_providers_cuda.so", "libonnxruntime_providers_tensorrt.so"
	check(CUDA, []string{shared, cuda}, nil, nil)
	for _, name := range []string{"libwwcublas.so.13", "libwwnvinfer.so.10", cuDNN} {
		build(name)
	}
	build(shared)
	build(cuda, "libwwcublas.so.13")
	build(tensorrt, "libwwnvinfer.so.10", "libwwcublas.so.13")
	check(CUDA, nil, nil, nil) // they lie beside
	check(TensorRT, nil, nil, nil)
	if got := compilerVersion(folder); got != "" {
		t.Errorf("the version of a TensorRT that isn't there is %q", got)
	}
	for _, name := range []string{"libwwcublas.so.13", "libwwnvinfer.so.10", cuDNN} {
		if err := os.Remove(filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	missing := []string{"libwwcublas.so.13"}
	if _, err := loader.Find(cuDNN); err != nil { // else this machine has it
		missing = append(missing, cuDNN)
	}
	check(CUDA, nil, []string{cuda}, missing)
	check(TensorRT, nil, []string{cuda, tensorrt}, append(missing, "libwwnvinfer.so.10"))
	if err := os.WriteFile(filepath.Join(folder, cuda), []byte("half a download"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, wanting, missing := (Device{Kind: CUDA}).libraries(folder); !slices.Equal(wanting, []string{cuda}) || len(missing) != 1 || !strings.Contains(missing[0], "no shared library") {
		t.Errorf("a damaged provider: %q, %q", wanting, missing)
	}
}
