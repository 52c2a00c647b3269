// Package atomicfile writes files that are never seen half done: a file is written under a hidden name beside its
// own, brought to the disk, and then renamed.
package atomicfile

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Write calls write with the hidden name of an empty file that exists already, and gives that file the name
// path once write has returned nil and all is on the disk. A file of that name is replaced. After an error
// the hidden file is gone and path is as it was.
func Write(path string, write func(temporary string) error) (err error) {
	temporary := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.%s.part", filepath.Base(path), rand.Text()[:8]))
	f, err := os.OpenFile(temporary, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		var p *os.PathError
		if errors.As(err, &p) {
			p.Path = path // the hidden name would only puzzle
		}
		return err
	}
	defer func() {
		err = errors.Join(err, f.Close())
		if err != nil {
			_ = os.Remove(temporary) // the first error is the one to tell
		} else {
			err = os.Rename(temporary, path)
		}
	}()
	if err := write(temporary); err != nil {
		return err
	}
	return f.Sync()
}

// WriteTo is Write for data that is written as a stream.
func WriteTo(path string, write func(io.Writer) error) error {
	return Write(path, func(temporary string) error {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			return err
		}
		return os.WriteFile(temporary, b.Bytes(), 0o666)
	})
}
