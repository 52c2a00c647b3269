package atomicfile

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sync"

	"golang.org/x/sys/unix"
)

// temporary is a file or folder under its temporary name, locked while handle is open.
type temporary struct {
	path   string // the final one
	name   string // the temporary one, "" after the rename
	handle *os.File
}

// pattern matches the base of a temporary name. It names this program, so that no other program's file is deleted.
var pattern = regexp.MustCompile(`^\..*\.[A-Z2-7]{8}\.wwflow\.part$`)

// temporaryName returns an unused name beside path.
func temporaryName(path string) string {
	folder, base := filepath.Split(path)
	return folder + "." + base[:min(len(base), 200)] + "." + rand.Text()[:8] + ".wwflow.part" // the limit is 255 bytes
}

// cleaned holds the folders in which this process has looked for stale files.
var cleaned sync.Map

// newTemporary calls create with a temporary name and locks what it creates.
func newTemporary(path string, create func(name string) (*os.File, error)) (*temporary, error) {
	folder := filepath.Dir(path)
	if key, err := filepath.Abs(folder); err == nil {
		if _, done := cleaned.LoadOrStore(key, true); !done {
			RemoveStale(folder)
		}
	}
	for {
		t := &temporary{path: path, name: temporaryName(path)}
		var err error
		if t.handle, err = create(t.name); err != nil {
			return nil, t.finalPath(err)
		}
		// Another process may take the file for stale before the lock is set. It removes it then: use another one.
		if err := lock(t.handle); !errors.Is(err, unix.EWOULDBLOCK) && sameFile(t.handle, t.name) {
			return t, nil // on a file system without locks the file is never taken for stale either
		}
		t.close()
	}
}

func lock(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) }

// sameFile reports whether name still leads to the open file f.
func sameFile(f *os.File, name string) bool {
	a, err := f.Stat()
	if err != nil {
		return false
	}
	b, err := os.Lstat(name)
	return err == nil && os.SameFile(a, b)
}

// RemoveStale deletes the temporary files and folders in folder whose writers have died. It ignores errors: what
// cannot be locked or deleted stays.
func RemoveStale(folder string) {
	entries, _ := os.ReadDir(folder)
	for _, e := range entries {
		if !pattern.MatchString(e.Name()) {
			continue
		}
		name := filepath.Join(folder, e.Name())
		// O_NONBLOCK: opening a named pipe must not wait.
		f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
		if err != nil {
			continue
		}
		if lock(f) == nil && sameFile(f, name) {
			_ = os.RemoveAll(name)
		}
		_ = f.Close()
	}
}

// Name returns the temporary path, for libraries that open files themselves.
func (t *temporary) Name() string { return t.name }

// finalPath puts the final path into an error that names the temporary one.
func (t *temporary) finalPath(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) && p.Path == t.name {
		return &fs.PathError{Op: p.Op, Path: t.path, Err: p.Err}
	}
	return err
}

// commit renames to the final path and keeps the lock until then.
func (t *temporary) commit(replace bool) error {
	if err := rename(t.name, t.path, replace); err != nil {
		return err
	}
	t.name = ""
	return errors.Join(t.close(), syncFolder(filepath.Dir(t.path)))
}

// rename renames a file. Without replace it fails if to exists, even if that has just been created.
func rename(from, to string, replace bool) error {
	exists := &fs.PathError{Op: "create", Path: to, Err: fs.ErrExist}
	var err error
	if replace {
		err = unix.Rename(from, to)
	} else {
		err = unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
		if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) { // some network file systems
			if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
				return exists
			}
			err = unix.Rename(from, to)
		}
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EEXIST):
		return exists
	}
	return &fs.PathError{Op: "create", Path: to, Err: err}
}

func syncFolder(folder string) error {
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, unix.EINVAL) { // some file systems cannot
		return err
	}
	return nil
}

// close deletes what was not committed and releases the lock.
func (t *temporary) close() error {
	if t.handle == nil {
		return nil
	}
	var err error
	if t.name != "" {
		err = t.finalPath(os.RemoveAll(t.name))
		t.name = ""
	}
	err = errors.Join(err, t.handle.Close())
	t.handle = nil
	return err
}
