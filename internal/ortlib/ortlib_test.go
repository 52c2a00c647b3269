package ortlib

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/internal/loader"
)

// touch creates an empty file. Locate does not read the file that it finds.
func touch(t *testing.T, folder, name string) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLocate(t *testing.T) {
	cache, other := t.TempDir(), t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("WWFLOW_ORT", "")
	cached := touch(t, cache, "wwflow/onnxruntime-"+Version+"/"+FileName)
	named := touch(t, other, "lib/libonnxruntime.so.1.22.0")
	inFolder := touch(t, other, "folder/libonnxruntime.so")

	check := func(name, want string) {
		t.Helper()
		if got, err := Locate(name); err != nil || got != want {
			t.Errorf("Locate(%q) = %q, %v; want %q", name, got, err, want)
		}
	}
	check("", cached)
	check(named, named)
	check(filepath.Dir(inFolder), inFolder)
	t.Setenv("WWFLOW_ORT", named)
	check("", named)
	check(inFolder, inFolder)

	// A library that was named is never replaced by another one.
	for _, name := range []string{filepath.Join(other, "none.so"), other} {
		if got, err := Locate(name); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), name) {
			t.Errorf("Locate(%q) = %q, %v; want ErrNotFound with that name", name, got, err)
		}
	}
}

// TestBesides checks that the library of the archive and of the package are found from the program.
func TestBesides(t *testing.T) {
	got := strings.Join(besides("/usr/bin/wwflow"), " ")
	if want := "/usr/bin /usr/bin/lib /usr/lib/wwflow"; got != want {
		t.Errorf("folders %s, want %s", got, want)
	}
}

// TestNotFoundSaysWhatToType checks that the error says where Locate looked and what to do.
func TestNotFoundSaysWhatToType(t *testing.T) {
	if _, err := loader.Find(FileName); err == nil {
		t.Skip("the dynamic loader finds a library")
	}
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("WWFLOW_ORT", "")
	_, err := Locate("")
	if !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), cache) || !strings.Contains(err.Error(), "make setup") {
		t.Errorf("%v: want ErrNotFound with the cache folder and `make setup`", err)
	}
}

// TestScriptFetchesWhatLocateFinds compares the version, the folder and the file name in the script with those in Locate.
func TestScriptFetchesWhatLocateFinds(t *testing.T) {
	script, err := os.ReadFile("../../scripts/onnxruntime.sh")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"version=" + Version + "\n",
		`/.cache}/wwflow/onnxruntime-$version"` + "\n",
		`library="$folder/` + FileName + `"` + "\n",
	} {
		if !strings.Contains(string(script), line) {
			t.Errorf("scripts/onnxruntime.sh has no line with %q", line)
		}
	}
}
