package encode_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/encode"
)

// writeImages writes the first n frames as images.
func writeImages(t *testing.T, path string, n int, force bool) (notices []string) {
	t.Helper()
	o := options(16, 16)
	o.Force = force
	w, err := encode.Create(background, path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for i := range n {
		if err := w.Write(moving(16, 16, i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	return w.Notices()
}

// TestForceReplacesSequence checks that Force deletes the rest of a longer sequence and no other file.
func TestForceReplacesSequence(t *testing.T) {
	for _, pattern := range []string{"", "f%03d.png"} {
		dir := filepath.Join(t.TempDir(), "out")
		path := dir + "/" + pattern
		name := func(i int) string {
			if pattern == "" {
				return fmt.Sprintf("%06d.png", i)
			}
			return fmt.Sprintf(pattern, i)
		}
		writeImages(t, path, 6, false)
		for _, other := range []string{"notes.txt", name(7), "g001.png"} { // name(6) is a gap
			if err := os.WriteFile(filepath.Join(dir, other), []byte("other"), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		notices := writeImages(t, path, 3, true)
		want := map[string]bool{name(0): true, name(1): true, name(2): true, "notes.txt": true, name(7): true, "g001.png": true}
		for _, n := range names(t, dir) {
			if !want[n] {
				t.Errorf("%s is left from the old sequence", n)
			}
			delete(want, n)
		}
		if len(want) > 0 {
			t.Errorf("missing: %v", want)
		}
		if len(notices) != 1 || !strings.Contains(notices[0], "3 other files") {
			t.Errorf("notices %q", notices)
		}
	}
}

// TestOutputInsideFolder checks that other outputs, such as flow files, can be written into folders in the folder of
// the images, before and after the images are begun.
func TestOutputInsideFolder(t *testing.T) {
	add := func(dir string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(dir, "flow"), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "flow", "000000.png"), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(t.TempDir(), "out")
	add(dir)
	if err := encode.Check(dir+"/", options(16, 16)); err != nil {
		t.Errorf("Check: %v", err)
	}
	writeImages(t, dir+"/", 2, false)
	if got := names(t, dir); fmt.Sprint(got) != "[000000.png 000001.png flow]" {
		t.Errorf("the folder contains %v", got)
	}

	dir = filepath.Join(t.TempDir(), "out")
	o := options(16, 16)
	w, err := encode.Create(background, dir+"/", o)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	add(dir)
	if err := w.Write(moving(16, 16, 0)); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if got := names(t, dir); fmt.Sprint(got) != "[000000.png flow]" {
		t.Errorf("the folder contains %v", got)
	}
	if err := encode.Check(dir+"/", o); err == nil {
		t.Error("Check accepts a folder with images")
	}
}

// TestForceFollowsLink checks that Force replaces the target of a symbolic link and keeps the link.
func TestForceFollowsLink(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target.mkv"), filepath.Join(dir, "link.mkv")
	if err := os.WriteFile(target, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("target.mkv", link); err != nil {
		t.Fatal(err)
	}
	o := options(96, 64)
	o.Force = true
	fill(t, link, o)
	if to, err := os.Readlink(link); err != nil || to != "target.mkv" {
		t.Errorf("the link leads to %q, %v", to, err)
	}
	if list, _ := read(t, target); len(list) != len(times) {
		t.Errorf("the target holds %d frames", len(list))
	}
}
