// Package viewer shows flow fields in a browser: a web server on this machine, its page, and pages in one file that need no
// server.
//
// The page gets vectors, not pictures (see packet.go), and paints them itself with the colours of package visualize. It is
// written in plain modules without a build step: assets/ is embedded as it is.
//
// A Viewer reads only the files and folders that it was given. guard.go decides which requests are answered.
package viewer

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/wwflow/wwflow/flow"
)

// Sources say what to show.
type Sources struct {
	// Paths are flow files, folders of flow files, flow videos, or videos whose flow is to be estimated; several of one
	// kind are compared. An output folder of run or batch is shown as a list of videos.
	Paths []string
	Input string // the video, image or folder of images that the flow belongs to; of a batch, the folder of its videos
	Truth string // a flow file or a folder of flow files with the ground truth

	Estimate bool                        // offer the network's flow beside that of Paths; needs Input
	Open     func() (*flow.Model, error) // opens the network, at most once; nil = nothing can be estimated
	Network  string                      // names the network and its options in the cache

	CacheDir   string // where estimated fields are kept
	CacheBytes int64  // largest size of the files in CacheDir
}

// ErrNothing is returned by New if there is nothing to show.
var ErrNothing = errors.New("there is no flow and no video")

// Viewer shows one set of sources. Close frees the videos and the network.
type Viewer struct {
	ctx     context.Context
	cancel  context.CancelFunc
	roots   roots
	items   []*item
	network *network
	cache   *cache
	curves  curves
	tasks   sync.WaitGroup // goroutines that use items
}

// New finds what the sources have. Videos are opened when they are shown first.
func New(ctx context.Context, s Sources) (*Viewer, error) {
	v := &Viewer{cache: newCache(s.CacheDir, s.CacheBytes)}
	v.ctx, v.cancel = context.WithCancel(ctx)
	for _, path := range append(s.Paths[:len(s.Paths):len(s.Paths)], s.Input, s.Truth) {
		if path == "" {
			continue
		}
		if err := v.roots.add(path); err != nil {
			return nil, err
		}
	}
	if s.Open != nil {
		v.network = &network{open: s.Open}
	}
	items, err := v.collect(s)
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return nil, fmt.Errorf("%s: %w", s.Paths[0], ErrNothing)
	}
	v.items = items
	return v, nil
}

// Close stops what is in progress and frees everything.
func (v *Viewer) Close() error {
	if v == nil {
		return nil
	}
	v.cancel()
	v.tasks.Wait()
	err := v.network.Close()
	for _, i := range v.items {
		i.Close()
	}
	return err
}
