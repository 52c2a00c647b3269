// Package atomicfile writes files and folders that appear under their name only when they are complete.
//
// Data is written under a hidden temporary name in the same folder, ".NAME.RANDOM.wwflow.part". Commit flushes it to
// the disk and renames it. Close without Commit deletes it.
//
// The writing process holds a lock (flock) on the temporary file or folder. The kernel releases the lock when the
// process ends, however it ends. The first Create or CreateFolder of a process in a folder therefore deletes the
// temporary files there that nobody locks: their writers were killed.
package atomicfile

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// File is a file that is being written. It implements io.WriteSeeker. It is not safe for concurrent use.
type File struct {
	temporary
	replace bool
}

// Create makes an empty temporary file for path. With replace, Commit replaces an existing file, and a symbolic link
// is followed: its target is replaced. Without, Commit fails with fs.ErrExist if path exists by then.
func Create(path string, replace bool) (*File, error) {
	if replace {
		path = followLink(path)
	}
	t, err := newTemporary(path, func(name string) (*os.File, error) {
		return os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	})
	if err != nil {
		return nil, err
	}
	return &File{*t, replace}, nil
}

// followLink returns the path that a chain of symbolic links leads to. The target need not exist.
func followLink(path string) string {
	for range 40 { // the kernel's limit
		target, err := os.Readlink(path)
		if err != nil {
			return path // not a link
		}
		if folder, _ := filepath.Split(path); !filepath.IsAbs(target) {
			target = folder + target // not filepath.Join: it would resolve ".." before links
		}
		path = target
	}
	return path
}

// Write writes to the temporary file. Errors name the final path.
func (f *File) Write(b []byte) (int, error) {
	n, err := f.handle.Write(b)
	return n, f.finalPath(err)
}

// Seek sets the offset of the next Write.
func (f *File) Seek(offset int64, whence int) (int64, error) {
	n, err := f.handle.Seek(offset, whence)
	return n, f.finalPath(err)
}

// Size returns the present size in bytes.
func (f *File) Size() (int64, error) {
	info, err := f.handle.Stat()
	if err != nil {
		return 0, f.finalPath(err)
	}
	return info.Size(), nil
}

// Commit flushes the data to the disk and gives the file its final name. After an error the file must still be
// closed, which deletes it.
func (f *File) Commit() error {
	if err := f.handle.Sync(); err != nil {
		return f.finalPath(err)
	}
	return f.commit(f.replace)
}

// Close deletes an uncommitted file. It may be called more than once, and on nil.
func (f *File) Close() error {
	if f == nil {
		return nil
	}
	return f.close()
}

// WriteTo writes a file as a stream. It replaces an existing file. After an error path is as it was.
func WriteTo(path string, write func(io.Writer) error) error {
	f, err := Create(path, true)
	if err != nil {
		return err
	}
	defer f.Close()
	b := bufio.NewWriterSize(f, 1<<16)
	if err := write(b); err != nil {
		return err
	}
	if err := b.Flush(); err != nil {
		return err
	}
	return f.Commit()
}

// Folder is a folder that is being filled. Add files under Name.
type Folder struct{ temporary }

// CreateFolder makes an empty temporary folder for path.
func CreateFolder(path string) (*Folder, error) {
	t, err := newTemporary(strings.TrimRight(path, "/"), func(name string) (*os.File, error) {
		if err := os.Mkdir(name, 0o777); err != nil {
			return nil, err
		}
		d, err := os.Open(name)
		if err != nil {
			_ = os.Remove(name)
		}
		return d, err
	})
	if err != nil {
		return nil, err
	}
	return &Folder{*t}, nil
}

// Commit gives the folder its final name. It fails with fs.ErrExist if that exists. The caller flushes the files in it.
func (d *Folder) Commit() error { return d.commit(false) }

// Close deletes an uncommitted folder with all that is in it. It may be called more than once, and on nil.
func (d *Folder) Close() error {
	if d == nil {
		return nil
	}
	return d.close()
}
