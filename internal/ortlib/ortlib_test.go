package ortlib

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// touch makes an empty file in a new folder: Locate only looks for it.
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
	cached := touch(t, cache, "wwflow/onnxruntime-"+Version+"/"+Soname)
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

	// What was named and isn't there is never exchanged for what is.
	for _, name := range []string{filepath.Join(other, "none.so"), other} {
		if got, err := Locate(name); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), name) {
			t.Errorf("Locate(%q) = %q, %v; want ErrNotFound that names it", name, got, err)
		}
	}
}

func TestNotFoundSaysWhatToType(t *testing.T) {
	if CanLoad(Soname) == nil {
		t.Skip("the loader's path holds a library")
	}
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("WWFLOW_ORT", "")
	_, err := Locate("")
	if !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), cache) || !strings.Contains(err.Error(), "make setup") {
		t.Errorf("%v: want ErrNotFound, the cache folder and what to type", err)
	}
}

func TestCanLoad(t *testing.T) {
	if err := CanLoad("libc.so.6"); err != nil {
		t.Error(err)
	}
	if err := CanLoad("libnone.so.9"); err == nil || !strings.Contains(err.Error(), "libnone.so.9") {
		t.Errorf("libnone.so.9: %v", err)
	}
}
