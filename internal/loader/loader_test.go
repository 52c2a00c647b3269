package loader

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	path, err := Find("libc.so.6")
	if err != nil || !filepath.IsAbs(path) || !strings.Contains(path, "libc.so") {
		t.Errorf("libc is at %q, %v", path, err)
	}
	var e *Error
	if _, err := Find("libnone.so.9"); !errors.As(err, &e) || e.Missing != "libnone.so.9" {
		t.Errorf("a missing library: %v", err)
	}
	text := filepath.Join(t.TempDir(), "libtext.so")
	if err := os.WriteFile(text, []byte("no library"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Find(text); !errors.As(err, &e) || e.Missing != "" || !strings.Contains(e.Message, "libtext.so") {
		t.Errorf("a text file: %v", err)
	}
	if _, err := Needs(text); err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("the dependencies of a text file: %v", err)
	}
}

// TestMissing removes a dependency of a dependency: its name is reported, and the library that needs it.
func TestMissing(t *testing.T) {
	folder := t.TempDir()
	build := func(name string, uses ...string) string {
		t.Helper()
		path := filepath.Join(folder, name)
		args := append([]string{"-shared", "-fPIC", "-Wl,--no-as-needed", "-x", "c", "-o", path, "/dev/null", "-x", "none"}, uses...)
		if out, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return path
	}
	root := build("libwwroot.so")
	middle := build("libwwmiddle.so", "-L"+folder, "-lwwroot")
	top := build("libwwtop.so", "-L"+folder, "-lwwmiddle")
	needs, err := Needs(top)
	if err != nil || !slices.Contains(needs, "libwwmiddle.so") || slices.Contains(needs, "libwwroot.so") {
		t.Fatalf("the dependencies are %v, %v", needs, err)
	}
	if err := os.Remove(root); err != nil {
		t.Fatal(err)
	}
	if got := Missing([]string{middle, "libc.so.6", "libwwroot.so"}, ""); !slices.Equal(got, []string{"libwwroot.so (for " + middle + ")", "libwwroot.so"}) {
		t.Errorf("missing: %q", got)
	}
	if got := Missing([]string{"libwwmiddle.so"}, folder); len(got) != 1 {
		t.Errorf("a library in the folder that cannot be loaded counts as found: %q", got)
	}
	build("libwwalone.so")
	if got := Missing([]string{"libwwalone.so"}, folder); len(got) != 0 {
		t.Errorf("a library in the folder counts as missing: %q", got)
	}
}
