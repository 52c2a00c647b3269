package encode

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/asticode/go-astiav"
	"golang.org/x/sys/unix"
)

// target is a file that is written under a temporary name beside its final one.
type target struct {
	path, temporary string
	replace         bool
	file            *os.File
	err             error // the first one; libav passes on only a number
}

func newTarget(path string, replace bool) (*target, error) {
	t := &target{path: path, temporary: beside(path), replace: replace}
	var err error
	t.file, err = os.OpenFile(t.temporary, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	return t, err
}

// beside is a fresh hidden name in the folder of path.
func beside(path string) string {
	base := filepath.Base(path)
	return filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.%s.part", base[:min(len(base), 200)], rand.Text()[:8])) // names end at 255 bytes
}

// pipe is the way by which libav writes the file.
func (t *target) pipe() (*astiav.IOContext, error) {
	note := func(err error) error {
		if t.err == nil {
			t.err = err
		}
		return astiav.ErrEio
	}
	write := func(b []byte) (int, error) {
		n, err := t.file.Write(b)
		if err != nil {
			return n, note(err)
		}
		return n, nil
	}
	seek := func(offset int64, whence int) (int64, error) {
		const size = 0x10000 // AVSEEK_SIZE: libav asks how long the file is
		if whence&size != 0 {
			s, err := t.file.Stat()
			if err != nil {
				return 0, note(err)
			}
			return s.Size(), nil
		}
		n, err := t.file.Seek(offset, whence&3)
		if err != nil {
			return 0, note(err)
		}
		return n, nil
	}
	return astiav.AllocIOContext(1<<20, true, nil, seek, write)
}

// commit gives the file its name once it is on the disk.
func (t *target) commit() error {
	if t.err != nil {
		return t.err
	}
	if err := t.file.Sync(); err != nil {
		return err
	}
	if err := t.file.Close(); err != nil {
		return err
	}
	t.file = nil
	if err := rename(t.temporary, t.path, t.replace); err != nil {
		return err
	}
	t.temporary = ""
	return nil
}

// rename moves without replacing, unless told to: something may have come there in the meantime.
func rename(from, to string, replace bool) error {
	if replace {
		if err := os.Rename(from, to); err != nil {
			return err
		}
	} else {
		err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
		switch {
		case errors.Is(err, unix.EEXIST):
			return ErrExists
		case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOSYS): // some network file systems
			if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
				return ErrExists
			}
			if err := os.Rename(from, to); err != nil {
				return err
			}
		case err != nil:
			return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
		}
	}
	return syncFolder(filepath.Dir(to))
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, unix.EINVAL) { // some file systems cannot
		return err
	}
	return nil
}

// close deletes the file unless it has its name.
func (t *target) close() {
	if t.file != nil {
		t.file.Close()
		t.file = nil
	}
	if t.temporary != "" {
		os.Remove(t.temporary)
		t.temporary = ""
	}
}
