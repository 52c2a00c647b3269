package atomicfile_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/wwflow/wwflow/internal/atomicfile"
)

// names lists a folder, hidden files included.
func names(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func wantContent(t *testing.T, path, want string) {
	t.Helper()
	if b, err := os.ReadFile(path); err != nil || string(b) != want {
		t.Errorf("%s holds %q (%v), want %q", path, b, err, want)
	}
}

func create(t *testing.T, path, content string, replace bool) *atomicfile.File {
	t.Helper()
	f, err := atomicfile.Create(path, replace)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if _, err := io.WriteString(f, content); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestWriteTo(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "a")
	write := func(content string, result error) error {
		return atomicfile.WriteTo(path, func(w io.Writer) error {
			_, err := io.WriteString(w, content)
			return errors.Join(err, result)
		})
	}
	stop := errors.New("stop")
	if err := write("first", stop); !errors.Is(err, stop) {
		t.Errorf("WriteTo returned %v, want the writer's error", err)
	}
	if left := names(t, folder); len(left) != 0 {
		t.Errorf("a failed write left %v", left)
	}
	if err := write("first", nil); err != nil {
		t.Fatal(err)
	}
	if err := write("second", stop); !errors.Is(err, stop) {
		t.Errorf("WriteTo returned %v, want the writer's error", err)
	}
	wantContent(t, path, "first")
	if err := write("second", nil); err != nil {
		t.Fatal(err)
	}
	wantContent(t, path, "second")
	if left := names(t, folder); len(left) != 1 {
		t.Errorf("the folder holds %v", left)
	}
}

// TestWriteToStreams writes a million bytes and looks for them in the temporary file before the writer returns.
func TestWriteToStreams(t *testing.T) {
	folder := t.TempDir()
	err := atomicfile.WriteTo(filepath.Join(folder, "a"), func(w io.Writer) error {
		if _, err := w.Write(make([]byte, 1_000_000)); err != nil {
			return err
		}
		info, err := os.Stat(filepath.Join(folder, names(t, folder)[0]))
		if err != nil || info.Size() < 900_000 {
			t.Errorf("%v: the file holds %d bytes after 1,000,000 were written", err, info.Size())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestCommitWithoutReplace(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "a")
	first, second := create(t, path, "first", false), create(t, path, "second", false)
	if err := first.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := second.Commit(); !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("the second commit returned %v", err)
	}
	if err := errors.Join(second.Close(), second.Close(), first.Close(), (*atomicfile.File)(nil).Close()); err != nil {
		t.Error(err)
	}
	wantContent(t, path, "first")
	if left := names(t, folder); len(left) != 1 {
		t.Errorf("the folder holds %v", left)
	}
}

func TestSeekAndSize(t *testing.T) {
	f := create(t, filepath.Join(t.TempDir(), "a"), "12345", false)
	if _, err := f.Seek(1, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if n, err := f.Size(); n != 5 || err != nil {
		t.Errorf("size %d, %v", n, err)
	}
	wantContent(t, f.Name(), "1x345")
}

// TestSymbolicLink replaces the target of a link, through a relative link and one whose target does not exist.
func TestSymbolicLink(t *testing.T) {
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "target"), 0o777); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(folder, "link")
	if err := os.Symlink("target/file", link); err != nil {
		t.Fatal(err)
	}
	for _, content := range []string{"new file", "replaced"} {
		if err := create(t, link, content, true).Commit(); err != nil {
			t.Fatal(err)
		}
		wantContent(t, filepath.Join(folder, "target", "file"), content)
		if _, err := os.Readlink(link); err != nil {
			t.Errorf("the link was replaced: %v", err)
		}
	}
	if err := create(t, link, "x", false).Commit(); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a link counts as existing, Commit returned %v", err)
	}
}

func TestErrorsNameFinalPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "a")
	_, err := atomicfile.Create(path, true)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("Create returned %v", err)
	}
	f := create(t, filepath.Join(t.TempDir(), strings.Repeat("ä", 120)), "", true)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(nil); err == nil {
		t.Error("a closed file accepts data")
	}
}

// TestFullDisk sets a limit for the file size, as a full disk would be. The error must name the final path.
func TestFullDisk(t *testing.T) {
	if path := os.Getenv("ATOMICFILE_TEST_LIMIT"); path != "" {
		limit := syscall.Rlimit{Cur: 1 << 16, Max: 1 << 16}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			t.Fatal(err)
		}
		err := atomicfile.WriteTo(path, func(w io.Writer) error {
			_, err := w.Write(make([]byte, 1<<17))
			return err
		})
		if !errors.Is(err, syscall.EFBIG) || err.Error() != "write "+path+": file too large" {
			t.Errorf("WriteTo returned %v", err)
		}
		return
	}
	folder := t.TempDir()
	rerun(t, "TestFullDisk", "ATOMICFILE_TEST_LIMIT="+filepath.Join(folder, "a"))
	if left := names(t, folder); len(left) != 0 {
		t.Errorf("a failed write left %v", left)
	}
}

// rerun runs one test of this binary in a process of its own.
func rerun(t *testing.T, name, environment string) {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^"+name+"$")
	c.Env = append(os.Environ(), environment)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func TestFolder(t *testing.T) {
	parent := t.TempDir()
	path := filepath.Join(parent, "pictures")
	fill := func() *atomicfile.Folder {
		d, err := atomicfile.CreateFolder(path + "/")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.Close() })
		if err := os.WriteFile(filepath.Join(d.Name(), "0.png"), []byte("0"), 0o666); err != nil {
			t.Fatal(err)
		}
		return d
	}
	first, second := fill(), fill()
	if err := errors.Join(first.Commit(), first.Close()); err != nil {
		t.Fatal(err)
	}
	wantContent(t, filepath.Join(path, "0.png"), "0")
	if err := second.Commit(); !errors.Is(err, fs.ErrExist) {
		t.Errorf("the second commit returned %v", err)
	}
	if err := errors.Join(second.Close(), (*atomicfile.Folder)(nil).Close()); err != nil {
		t.Error(err)
	}
	if left := names(t, parent); len(left) != 1 {
		t.Errorf("the parent holds %v", left)
	}
}

// TestStaleFiles kills a process that is writing a file and a folder. The next process deletes both, but neither the
// files of a living process nor files of other programs.
func TestStaleFiles(t *testing.T) {
	const variable = "ATOMICFILE_TEST_STALE"
	if folder := os.Getenv(variable); folder != "" {
		create(t, filepath.Join(folder, "dead.mp4"), "x", false)
		if _, err := atomicfile.CreateFolder(filepath.Join(folder, "dead")); err != nil {
			t.Fatal(err)
		}
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	folder := t.TempDir()
	c := exec.Command(os.Args[0], "-test.run=^TestStaleFiles$")
	c.Env = append(os.Environ(), variable+"="+folder)
	if out, err := c.CombinedOutput(); err == nil || len(names(t, folder)) != 2 {
		t.Fatalf("the killed process left %v: %v, %s", names(t, folder), err, out)
	}
	foreign := filepath.Join(folder, ".other.ABCDEFGH.part")
	if err := os.WriteFile(foreign, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(folder, ".pipe.ABCDEFGH.wwflow.part"), 0o666); err != nil {
		t.Fatal(err)
	}
	living := create(t, filepath.Join(folder, "living"), "x", false)
	if left := names(t, folder); len(left) != 2 {
		t.Errorf("Create left %v", left)
	}
	atomicfile.RemoveStale(folder)
	if _, err := os.Stat(foreign); err != nil {
		t.Error(err)
	}
	if err := living.Commit(); err != nil {
		t.Error(err)
	}
}
