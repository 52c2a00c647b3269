// Package filelock keeps two processes from working on one folder, with flock on a file in it.
//
// The kernel releases a lock when its process ends, however it ends. The file has the name of the process that holds it.
package filelock

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// HeldError says which process holds a lock.
type HeldError struct{ Path, Holder string }

func (e *HeldError) Error() string {
	return fmt.Sprintf("%s is in use by %s", filepath.Dir(e.Path), e.Holder)
}

// Lock is a file that is locked.
type Lock struct{ file *os.File }

// Acquire locks a file, which it creates if it does not exist. Several processes can hold a shared lock. The error is a
// *HeldError if another process holds the lock. The file must not be deleted by a process that does not hold the lock.
func Acquire(path string, shared bool) (*Lock, error) {
	how := unix.LOCK_EX
	if shared {
		how = unix.LOCK_SH
	}
	for {
		file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
		if err != nil {
			return nil, err
		}
		l := &Lock{file}
		if err := l.acquire(path, how|unix.LOCK_NB); err != nil {
			l.Release()
			return nil, err
		}
		if l.leads(path) {
			return l, nil
		}
		l.Release() // its holder has deleted it in the meantime: lock the new file of that name
	}
}

func (l *Lock) acquire(path string, how int) error {
	err := unix.Flock(int(l.file.Fd()), how)
	if errors.Is(err, unix.EWOULDBLOCK) {
		holder, _ := io.ReadAll(io.LimitReader(l.file, 200))
		return &HeldError{path, strings.TrimSpace(string(holder))}
	}
	if err != nil {
		return fmt.Errorf("cannot lock %s: %w", path, err)
	}
	host, _ := os.Hostname()
	if err = l.file.Truncate(0); err == nil {
		_, err = l.file.WriteAt(fmt.Appendf(nil, "process %d on %s\n", os.Getpid(), host), 0)
	}
	return err
}

// leads reports whether the path leads to the locked file.
func (l *Lock) leads(path string) bool {
	a, err := l.file.Stat()
	if err != nil {
		return false
	}
	b, err := os.Stat(path)
	return err == nil && os.SameFile(a, b)
}

// Release releases the lock. It may be called on nil.
func (l *Lock) Release() {
	if l != nil {
		_ = l.file.Close()
	}
}
