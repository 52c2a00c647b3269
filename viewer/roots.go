package viewer

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// ErrOutside is returned for a file that is not below the paths that were given, symbolic links followed.
var ErrOutside = errors.New("it is outside the folders that were given")

// roots are the files and folders that may be read, with symbolic links resolved.
type roots []string

// add adds a file, or a folder with all that is in it.
func (r *roots) add(path string) error {
	real, err := resolve(path)
	if err == nil {
		*r = append(*r, real)
	}
	return err
}

// check returns ErrOutside for a path that leads, after all symbolic links, to a place outside the roots. It is called each
// time before a file is opened, because a link may have changed.
func (r roots) check(path string) error {
	real, err := resolve(path)
	if err != nil {
		return err
	}
	for _, root := range r {
		if real == root || strings.HasPrefix(real, strings.TrimSuffix(root, "/")+"/") {
			return nil
		}
	}
	return fmt.Errorf("%s: %w", path, ErrOutside)
}

func resolve(path string) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(absolute)
}
