package viewer

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/wwflow/wwflow/internal/pathname"
)

// item is a video with its results, or flow without a video.
type item struct {
	name    string
	input   string // path of the video or images; "" = none
	sources []source

	mu      sync.Mutex
	opened  bool
	err     error
	frames  *frames // nil without input
	results []*result
}

// source says how to open a result.
type source struct {
	name  string
	open  func(v *Viewer, i *item) (*result, error)
	truth bool
}

// fields gives packets by the number of their frame. They have the means of cells, of every pixel if cell is 1.
type fields interface {
	packet(ctx context.Context, number, cell int) (*packet, error)
	numbers() []int // that can be asked for
	ready() []int   // of these, those that take no long time
}

// result is the flow of an item from one origin. Either fields or pictures is set.
type result struct {
	name     string
	kind     string // files, estimate or painted
	truth    bool
	fields   fields
	pictures *frames // a flow video: colours without vectors
}

// open opens the video and the results once.
func (i *item) open(v *Viewer) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.opened {
		i.opened = true
		i.err = i.load(v)
	}
	return i.err
}

func (i *item) load(v *Viewer) (err error) {
	if i.input != "" {
		if i.frames, err = openFrames(v.ctx, i.input, v.roots); err != nil {
			return err
		}
	}
	for _, s := range i.sources {
		r, err := s.open(v, i)
		if err != nil {
			return err
		}
		r.name, r.truth = s.name, s.truth
		i.results = append(i.results, r)
	}
	return nil
}

func (i *item) Close() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.frames.Close()
	for _, r := range i.results {
		r.pictures.Close()
	}
}

// flowFiles is a source of flow files at paths in one folder. byName says that a single file has its frame's number too.
func flowFiles(name string, truth bool, byName bool, paths ...string) source {
	return source{name: name, truth: truth, open: func(v *Viewer, i *item) (*result, error) {
		f := newFiles(slices.Clone(paths), v.roots)
		if !byName {
			f.paths = map[int]string{0: paths[0]}
			f.sort()
		} else if i.input != "" && pathname.IsFolder(i.input) {
			f.renumber(i.input)
		}
		return &result{kind: "files", fields: f}, nil
	}}
}

// painted is a source of a flow video or a folder of its images.
func painted(name, path string) source {
	return source{name: name, open: func(v *Viewer, _ *item) (*result, error) {
		pictures, err := openFrames(v.ctx, path, v.roots)
		if err != nil {
			return nil, err
		}
		return &result{kind: "painted", pictures: pictures}, nil
	}}
}

// estimated is the source of what the network estimates. network names it.
func estimated(network string) source {
	return source{name: "estimate", open: func(v *Viewer, i *item) (*result, error) {
		key, err := keyOf(i.input, network)
		if err != nil {
			return nil, err
		}
		return &result{kind: "estimate", fields: &estimate{ctx: v.ctx, frames: i.frames, network: v.network, cache: v.cache, key: key, running: map[int]*task{}}}, nil
	}}
}

// keyOf returns the name in the cache of what a network makes of a video or a folder of images. It changes with them.
func keyOf(input, network string) (string, error) {
	path, err := resolve(input)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\n%s\n", path, network)
	err = filepath.WalkDir(path, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		fmt.Fprintf(sum, "%s\n%d\n%d\n", path, info.Size(), info.ModTime().UnixNano())
		return nil
	})
	return fmt.Sprintf("%x", sum.Sum(nil)[:12]), err
}
