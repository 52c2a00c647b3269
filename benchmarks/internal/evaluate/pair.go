package evaluate

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/picture"
)

// Pair is a pair of frames whose flow is scored.
type Pair struct {
	Name          string   // names the pair in errors
	First, Second string   // paths of the frames
	FlowFiles     []string // where the flow file may be, the best place first; none where an Estimator gives the flow
	Inputs        []string // paths of the other files that scoring reads
}

// FlowFile returns the path of the flow file. A file with the extension of another flow file format is found as well.
// The error for a missing file names the first place and is fs.ErrNotExist.
func (p Pair) FlowFile() (string, error) {
	for _, path := range p.FlowFiles {
		name := strings.TrimSuffix(path, filepath.Ext(path))
		for _, format := range flowfile.Formats() {
			path := name + format.Extension()
			if _, err := os.Stat(path); err == nil {
				return path, nil
			}
		}
	}
	return "", &fs.PathError{Op: "find flow", Path: p.FlowFiles[0], Err: syscall.ENOENT}
}

// CheckFiles returns an error if a file that the pairs need is missing, so that an evaluation does not fail after hours.
func CheckFiles(pairs []Pair) error {
	checked := map[string]bool{}
	missing, first := 0, error(nil)
	note := func(err error) {
		if err == nil {
			return
		}
		if missing++; first == nil {
			first = err
		}
	}
	for _, p := range pairs {
		needed := p.Inputs
		if len(p.FlowFiles) > 0 {
			_, err := p.FlowFile()
			note(err)
		} else {
			needed = append([]string{p.First, p.Second}, needed...)
		}
		for _, path := range needed {
			if !checked[path] {
				checked[path] = true
				_, err := os.Stat(path)
				note(err)
			}
		}
	}
	if missing > 1 {
		return fmt.Errorf("%d files are missing, the first: %w", missing, first)
	}
	return first
}

// frameCache holds the frames of the last pair, by their paths: the next pair mostly shares one of them.
type frameCache map[string]*frame.Frame

// pair returns the frames of a pair.
func (c *frameCache) pair(p Pair) (first, second *frame.Frame, err error) {
	next := frameCache{}
	for _, path := range []string{p.First, p.Second} {
		f, kept := (*c)[path]
		if !kept {
			if f, err = picture.Read(path); err != nil {
				return nil, nil, err
			}
		}
		next[path] = f
	}
	*c = next
	return next[p.First], next[p.Second], nil
}
