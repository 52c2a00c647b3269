package flow

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wwflow/wwflow/internal/loader"
)

// TestDeviceIndex checks that all providers of a device and its memory are on the same GPU: features on another one would be
// copied for each pair. What the options do can only be seen with a GPU.
func TestDeviceIndex(t *testing.T) {
	for _, text := range []string{"cuda", "cuda:2", "tensorrt", "tensorrt:2"} {
		d, err := ParseDevice(text)
		if err != nil {
			t.Fatal(err)
		}
		s := d.settings(1, FP16, "")
		if s.Memory.Index != d.Index || len(s.Providers) == 0 {
			t.Errorf("%s: %d providers, and memory on GPU %d", text, len(s.Providers), s.Memory.Index)
		}
		for _, p := range s.Providers {
			if id := p.Options["device_id"]; id != strconv.Itoa(d.Index) {
				t.Errorf("%s: the provider %s uses GPU %q", text, p.Name, id)
			}
		}
	}
}

// TestThreadLimit asks for far more threads than the machine has cores. The process must not start them, and the memory
// prediction counts those that it starts.
func TestThreadLimit(t *testing.T) {
	processThreads := func() int {
		t.Helper()
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			t.Fatal(err)
		}
		return len(tasks)
	}
	open(t, "fake") // ONNX Runtime is loaded
	before := processThreads()
	m, err := Open(Options{ModelDir: "testdata/fake", Device: "cpu", Threads: 2000})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	// Two pools, and some threads that Go may start meanwhile.
	if n, limit := processThreads()-before, 2*runtime.NumCPU()+20; n > limit {
		t.Errorf("%d threads were started, want at most %d", n, limit)
	}
	one := open(t, "fake") // with one thread
	if got, want := m.Memory(100, 20, 0)-one.Memory(100, 20, 0), int64(runtime.NumCPU()-1)*bytesPerThread; got != want {
		t.Errorf("the threads add %d bytes to the prediction, want %d", got, want)
	}
}

// TestIdleThreadsDoNotSpin measures the CPU time of the process while a network with two threads is idle after a run. Threads
// that spin take 20 ms.
func TestIdleThreadsDoNotSpin(t *testing.T) {
	if runtime.NumCPU() < 2 {
		t.Skip("one core: the network has one thread")
	}
	cpuTime := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			t.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	m, err := Open(Options{Device: "cpu", Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	var idle []time.Duration
	for range 7 {
		features := encode(t, m, pattern(160, 120, 1))
		begin := cpuTime()
		time.Sleep(100 * time.Millisecond)
		idle = append(idle, cpuTime()-begin)
		features.Close()
	}
	slices.Sort(idle)
	if idle[3] > 5*time.Millisecond { // the median: Go may collect garbage meanwhile
		t.Errorf("the idle network takes %v of CPU time in 100 ms", idle)
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
		t.Errorf("cuda has a cache folder: %s", got)
	}
	first := folder("tensorrt", "a", "b")
	if info, err := os.Stat(first); err != nil || !info.IsDir() || !strings.HasPrefix(first, filepath.Join(cache, "wwflow", "tensorrt")) {
		t.Errorf("the folder is %s: %v", first, err)
	}
	if again := folder("tensorrt:1", "a", "b"); again != first {
		t.Errorf("the same graphs have the folders %s and %s", first, again)
	}
	if other := folder("tensorrt", "ab", ""); other == first {
		t.Error("other graphs have the same folder")
	}
}

// TestProviderLibraries builds provider libraries with dependencies, and removes some of them.
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
	check := func(kind Kind, want libraries) {
		t.Helper()
		got := Device{Kind: kind}.checkLibraries(folder)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", kind, got, want)
		}
	}
	const shared, cuda, tensorrt = "libonnxruntime_providers_shared.so", "libonnxruntime_providers_cuda.so", "libonnxruntime_providers_tensorrt.so"
	check(CUDA, libraries{absent: []string{shared, cuda}})
	for _, name := range []string{"libwwcublas.so.13", "libwwnvinfer.so.10", cuDNN} {
		build(name)
	}
	build(shared)
	build(cuda, "libwwcublas.so.13")
	build(tensorrt, "libwwnvinfer.so.10", "libwwcublas.so.13")
	check(CUDA, libraries{}) // all are in the folder
	check(TensorRT, libraries{})
	if got := tensorRTLibrary(folder); got != "" {
		t.Errorf("the TensorRT library is %q, and there is none", got)
	}
	for _, name := range []string{"libwwcublas.so.13", "libwwnvinfer.so.10", cuDNN} {
		if err := os.Remove(filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	missing := []string{"libwwcublas.so.13"}
	if _, err := loader.Find(cuDNN); err != nil { // else it is installed
		missing = append(missing, cuDNN)
	}
	check(CUDA, libraries{neededBy: []string{cuda}, missing: missing})
	check(TensorRT, libraries{neededBy: []string{cuda, tensorrt}, missing: append(missing, "libwwnvinfer.so.10")})
	if err := os.WriteFile(filepath.Join(folder, cuda), []byte("half a download"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := (Device{Kind: CUDA}).checkLibraries(folder); !slices.Equal(got.neededBy, []string{cuda}) || len(got.missing) != 1 || !strings.Contains(got.missing[0], "is not a shared library") {
		t.Errorf("a damaged provider: %+v", got)
	}
}
