package batch

import (
	"errors"
	"path/filepath"

	"github.com/wwflow/wwflow/internal/errkind"
	"github.com/wwflow/wwflow/internal/filelock"
	"github.com/wwflow/wwflow/parts"
	"github.com/wwflow/wwflow/pipeline"
)

// locks are held on an output folder. The files remain: deleting one would let two processes lock two files of one name.
type locks []*filelock.Lock

// lockFolder locks a folder for one process. Parts of one batch share the folder, and each part is for one process.
func lockFolder(dir string, p parts.Part) (held locks, err error) {
	defer func() {
		if err != nil {
			held.release()
		}
	}()
	if err := held.add(filepath.Join(dir, "wwflow-batch.lock"), p.Of > 0); err != nil {
		return held, err
	}
	if p.Of > 0 {
		return held, held.add(filepath.Join(dir, "wwflow-batch"+suffix(p)+".lock"), false)
	}
	return held, nil
}

func (l *locks) add(path string, shared bool) error {
	one, err := filelock.Acquire(path, shared)
	var held *filelock.HeldError
	switch {
	case errors.As(err, &held):
		return temporary(err)
	case err != nil:
		return errkind.Mark(pipeline.ErrOutput, err)
	}
	*l = append(*l, one)
	return nil
}

func (l locks) release() {
	for _, one := range l {
		one.Release()
	}
}
