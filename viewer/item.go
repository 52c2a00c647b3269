package viewer

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"slices"
	"sync"
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

// fields gives packets by the number of their frame.
type fields interface {
	packet(ctx context.Context, number int) (*packet, error)
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
		} else if i.input != "" && isFolder(i.input) {
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
		s, err := os.Stat(i.input)
		if err != nil {
			return nil, err
		}
		path, err := resolve(i.input)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%d\n%d\n%s", path, s.Size(), s.ModTime().UnixNano(), network))
		e := &estimate{ctx: v.ctx, frames: i.frames, network: v.network, cache: v.cache, key: fmt.Sprintf("%x", sum[:12]), running: map[int]*task{}}
		return &result{kind: "estimate", fields: e}, nil
	}}
}

func isFolder(path string) bool {
	s, err := os.Stat(path)
	return err == nil && s.IsDir()
}
