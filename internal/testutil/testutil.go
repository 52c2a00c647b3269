// Package testutil finds the material of tests that is not part of the repository.
//
// The folder is named by WWFLOW_TESTDATA; the default is shared/data beside the repository. A test whose material is
// missing is skipped, or fails where WWFLOW_REQUIRE_ALL is set, as it is in CI.
package testutil

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/wwflow/wwflow/internal/procinfo"
)

// Root returns the folder that holds the test material. It may not exist.
func Root() string {
	if dir := os.Getenv("WWFLOW_TESTDATA"); dir != "" {
		return dir
	}
	return filepath.Join(Repository(), "..", "shared", "data")
}

// Repository returns the root folder of the repository.
func Repository() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// Require returns a path below Root, such as Require(t, "pairs", "sintel"). It skips the test if the path does not exist.
func Require(t testing.TB, elements ...string) string {
	t.Helper()
	path := filepath.Join(Root(), filepath.Join(elements...))
	if _, err := os.Stat(path); err != nil {
		Skip(t, "test material is missing: %v", err)
	}
	return path
}

// Skip skips a test that cannot run here, or fails it where WWFLOW_REQUIRE_ALL is set.
func Skip(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("WWFLOW_REQUIRE_ALL") != "" {
		t.Fatalf(format+" (WWFLOW_REQUIRE_ALL is set)", args...)
	}
	t.Skipf(format, args...)
}

// List returns the names of what is in a folder, hidden ones included, in order.
func List(t testing.TB, folder string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// Count returns the number in an environment variable that makes a test longer, or `usual` without one.
func Count(variable string, usual int) int {
	if n, err := strconv.Atoi(os.Getenv(variable)); err == nil {
		return n
	}
	return usual
}

// Golden compares bytes with those of a golden file, which update writes anew.
func Golden(t testing.TB, path string, got []byte, update bool) {
	t.Helper()
	if update {
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; got\n%s\nwant\n%s", path, got, want)
	}
}

// ResidentMemory returns the memory of the process in bytes, C memory included, without garbage.
func ResidentMemory(t testing.TB) int64 {
	t.Helper()
	runtime.GC()
	n, err := procinfo.ResidentMemory()
	if err != nil {
		t.Fatal(err)
	}
	return n
}
