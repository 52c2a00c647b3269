package batch

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/wwflow/wwflow/internal/errkind"
	"github.com/wwflow/wwflow/pipeline"
)

// lock is held on an output folder. The kernel releases it when the process ends, however it ends. The files remain:
// deleting one would let two processes lock two files of one name.
type lock []*os.File

// lockFolder locks a folder for one process. Parts of one batch share the folder, and each part is for one process.
func lockFolder(dir string, p Part) (held lock, err error) {
	defer func() {
		if err != nil {
			held.release()
		}
	}()
	how := unix.LOCK_EX
	if p.Of > 0 {
		how = unix.LOCK_SH
	}
	if err := held.add(filepath.Join(dir, "wwflow-batch.lock"), how); err != nil {
		return held, err
	}
	if p.Of > 0 {
		return held, held.add(filepath.Join(dir, "wwflow-batch"+p.suffix()+".lock"), unix.LOCK_EX)
	}
	return held, nil
}

// add locks a file and writes into it who holds it.
func (l *lock) add(path string, how int) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return errkind.Mark(pipeline.ErrOutput, err)
	}
	*l = append(*l, file)
	err = unix.Flock(int(file.Fd()), how|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		holder, _ := io.ReadAll(io.LimitReader(file, 200))
		return temporary(fmt.Errorf("%s is in use by %s", filepath.Dir(path), strings.TrimSpace(string(holder))))
	}
	if err != nil {
		return errkind.Mark(pipeline.ErrOutput, fmt.Errorf("cannot lock %s: %w", path, err))
	}
	host, _ := os.Hostname()
	if err = file.Truncate(0); err == nil {
		_, err = fmt.Fprintf(file, "process %d on %s\n", os.Getpid(), host)
	}
	return temporary(err)
}

func (l lock) release() {
	for _, file := range l {
		_ = file.Close()
	}
}
