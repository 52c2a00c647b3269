//go:build standin

// `make gpu-standin` runs the CUDA provider that `make gpu-runtime` fetches, without a GPU, on a stand-in for the CUDA runtime
// that computes nothing (testdata/standin/cuda.c). It tests what is copied to and from a GPU and what stays there, but not the
// results.

package flow

import (
	"context"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const standInWidth, standInHeight, standInFrames = 640, 360, 4

// TestStandInChild is run by TestStandIn in a process in which the loader finds the stand-in libraries.
func TestStandInChild(t *testing.T) {
	if os.Getenv("WWFLOW_STANDIN") == "" {
		t.Skip("run by TestStandIn")
	}
	if err := loadRuntime(""); err != nil {
		t.Fatal(err)
	}
	for _, precision := range []Precision{FP32, FP16} {
		m := &Model{device: Device{Kind: CUDA}, precision: precision}
		if err := m.load(networkFolder("testdata/half"), 1, ""); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(os.Stderr, "begin")
		var previous *Features
		for seed := range standInFrames {
			next, err := m.Encode(context.Background(), pattern(standInWidth, standInHeight, seed))
			if err != nil {
				t.Fatal(err)
			}
			for i, value := range next.tensors {
				memory, err := value.Memory()
				if err != nil || memory != "Cuda" {
					t.Errorf("%s: feature %d is in memory %q, %v", precision, i, memory, err)
				}
			}
			if previous != nil {
				if _, err := m.Estimate(context.Background(), previous, next); err != nil {
					t.Fatal(err)
				}
				previous.Close()
			}
			previous = next
		}
		fmt.Fprintln(os.Stderr, "end")
		m.Close()
		previous.Close() // after its Model
	}
	if err := (Device{Kind: CUDA}).runProbe(); err == nil || !strings.Contains(err.Error(), "wrong results") {
		t.Errorf("a GPU that computes nothing passes the probe: %v", err)
	}
}

// TestStandIn checks that each frame is copied to the GPU once, as bytes, each pair's flow and confidence back once, as floats,
// and nothing else.
func TestStandIn(t *testing.T) {
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	found, _ := filepath.Glob(filepath.Join(cache, "wwflow", "onnxruntime-*-cuda13"))
	if len(found) != 1 {
		t.Fatalf("run make gpu-runtime first: found %v", found)
	}
	child := exec.Command(os.Args[0], "-test.run=^TestStandInChild$", "-test.v")
	child.Env = append(os.Environ(), "WWFLOW_STANDIN=1", "WWFLOW_ORT="+found[0], "LD_LIBRARY_PATH="+buildStandIns(t, found[0]))
	out, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	runs := regexp.MustCompile(`(?s)begin\n(.*?)end\n`).FindAllStringSubmatch(string(out), -1)
	if len(runs) != 2 {
		t.Fatalf("%d runs\n%s", len(runs), out)
	}
	const pixels = standInWidth * standInHeight
	up := fmt.Sprintf("copy up %d", 3*pixels)
	down := []string{fmt.Sprintf("copy down %d", 8*pixels), fmt.Sprintf("copy down %d", 4*pixels)}
	want := []string{up}
	for range standInFrames - 1 {
		want = slices.Concat(want, []string{up}, down)
	}
	for _, run := range runs {
		got := slices.DeleteFunc(strings.Split(strings.TrimSpace(run[1]), "\n"), func(line string) bool {
			return strings.HasPrefix(line, "copy device ") // by an operator such as Reshape
		})
		if !slices.Equal(got, want) {
			t.Errorf("copies: %q\nwant:   %q", got, want)
		}
	}
}

// buildStandIns builds a library for each CUDA library that the provider needs, with all the functions that it imports, and
// returns their folder.
func buildStandIns(t *testing.T, runtime string) string {
	t.Helper()
	folder := t.TempDir()
	provider, err := elf.Open(filepath.Join(runtime, "libonnxruntime_providers_cuda.so"))
	if err != nil {
		t.Fatal(err)
	}
	defer provider.Close()
	symbols, err := provider.ImportedSymbols()
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("testdata/standin/cuda.c")
	if err != nil {
		t.Fatal(err)
	}
	exports, code := map[string][]string{}, string(source)
	for _, s := range symbols {
		if !strings.HasPrefix(s.Library, "libcu") {
			continue
		}
		exports[s.Library] = append(exports[s.Library], s.Name)
		if !strings.Contains(string(source), s.Name+"(") {
			code += "int " + s.Name + "() { return 0; }\n"
		}
	}
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file := write("all.c", code)
	needs, err := provider.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	for _, library := range append(needs, cuDNN) {
		if !strings.HasPrefix(library, "libcu") {
			continue
		}
		args := []string{"-shared", "-fPIC", "-Wl,-soname," + library, "-o", filepath.Join(folder, library), file}
		if names := exports[library]; len(names) > 0 {
			args = append(args, "-Wl,--version-script="+write(library+".map", library+" { global: "+strings.Join(names, "; ")+"; local: *; };\n"))
		}
		if out, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	return folder
}
