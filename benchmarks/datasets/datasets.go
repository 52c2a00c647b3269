// Package datasets measures optical flow on MPI-Sintel, KITTI 2012 and 2015, Middlebury and FlyingChairs, as each is on
// disk, with each one's own measures.
//
// It promises that nothing is left out silently: each file that a layout asks for is there and is right, or the error
// names it. An estimate that is unknown where the truth is known is an error too.
package datasets

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/picture"
)

// Estimator gives the flow from a to b, of their size. It is called from one goroutine at a time; consecutive calls often
// share frames, which are then the same pointers.
type Estimator func(ctx context.Context, a, b *frame.Frame) (*field.Field, error)

// Options says what to evaluate. Either FlowDir or Estimate is given.
type Options struct {
	Dataset  string // one of Names
	Root     string // its folder
	FlowDir  string // flow files, named as each data set's layout says; see Layout
	Estimate Estimator
	Source   string // names the Estimate in the report
	Pass     string // Sintel: "clean", "final", or "" for both
	Split    string // FlyingChairs: "train" or "val" by its list, or "" for all
	Progress func(done, total int)
}

// ErrDataset is returned for a data set that isn't known.
var ErrDataset = errors.New("no data set")

// pair is one estimate to be measured.
type pair struct {
	name          string   // the flow file's place in FlowDir, without an extension
	row           string   // that it belongs to
	first, second string   // frames
	truths        []string // flow files
	masks         []string // pictures; "" = none
}

// dataset knows a layout and its measure.
type dataset struct {
	name, title string
	layout      string // for people
	rule        string
	pairs       func(o *Options) ([]pair, error)
	columns     []string
	perPair     bool // each pair is a row of the table, even if not asked for
	measure     func(estimate *field.Field, truths []*field.Field, masks [][]bool) ([]field.Errors, error)
	figures     func(pairs [][]field.Errors) []float64 // of a set of pairs
}

var all = []*dataset{&sintel, &kitti2012, &kitti2015, &middlebury, &chairs}

// Names lists the data sets.
func Names() []string {
	var names []string
	for _, d := range all {
		names = append(names, d.name)
	}
	return names
}

// Layout says how the files of a data set, and of an estimate for it, are named.
func Layout() string {
	var s strings.Builder
	for _, d := range all {
		fmt.Fprintf(&s, "%-11s %s\n", d.name, d.layout)
	}
	return s.String()
}

func find(name string) (*dataset, error) {
	for _, d := range all {
		if d.name == name {
			return d, nil
		}
	}
	return nil, fmt.Errorf("%w %q: choose one of %s", ErrDataset, name, strings.Join(Names(), ", "))
}

// Check looks for the data set and all its files, and says what is wrong before any work is done.
func Check(o Options) error {
	_, _, err := prepare(&o)
	return err
}

func prepare(o *Options) (*dataset, []pair, error) {
	d, err := find(o.Dataset)
	if err != nil {
		return nil, nil, err
	}
	pairs, err := d.pairs(o)
	if err != nil {
		return nil, nil, err
	}
	if len(pairs) == 0 {
		return nil, nil, fmt.Errorf("%s: no pair of %s is there: %w: its layout is %s", o.Root, d.title, fs.ErrNotExist, d.layout)
	}
	missing, first := 0, error(nil)
	for _, p := range pairs {
		for _, path := range slices.Concat([]string{p.first, p.second}, p.truths, p.masks) {
			if path == "" || o.FlowDir != "" && (path == p.first || path == p.second) {
				continue // frames aren't needed where the flow is there
			}
			if _, err := os.Stat(path); err != nil {
				if missing++; first == nil {
					first = err
				}
			}
		}
		if o.FlowDir == "" {
			continue
		}
		if _, err := estimateFile(o.FlowDir, p.name); err != nil {
			if missing++; first == nil {
				first = err
			}
		}
	}
	if missing > 1 {
		first = fmt.Errorf("%d files are missing, the first: %w", missing, first)
	}
	return d, pairs, first
}

// estimateFile finds a flow file in any format.
func estimateFile(folder, name string) (string, error) {
	for _, format := range flowfile.Formats() {
		path := filepath.Join(folder, name+format.Extension())
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", &fs.PathError{Op: "find flow", Path: filepath.Join(folder, name) + ".flo", Err: syscall.ENOENT}
}

// Evaluate measures all pairs and reports. Its memory doesn't grow with their number.
func Evaluate(ctx context.Context, o Options) (*Report, error) {
	if (o.FlowDir == "") == (o.Estimate == nil) {
		panic("datasets: give either FlowDir or Estimate")
	}
	d, pairs, err := prepare(&o)
	if err != nil {
		return nil, err
	}
	results := make([][]field.Errors, len(pairs))
	type task struct {
		index    int
		estimate *field.Field
	}
	group, ctx := errgroup.WithContext(ctx)
	tasks := make(chan task)
	group.Go(func() error {
		defer close(tasks)
		var kept [2]struct { // the last two frames: the next pair often begins with one
			path  string
			frame *frame.Frame
		}
		for i, p := range pairs {
			t := task{index: i}
			if o.Estimate != nil {
				for k, path := range []string{p.first, p.second} {
					if k == 0 && kept[1].path == path {
						kept[0] = kept[1]
						continue
					}
					f, err := picture.Read(path)
					if err != nil {
						return err
					}
					kept[k].path, kept[k].frame = path, f
				}
				var err error
				if t.estimate, err = o.Estimate(ctx, kept[0].frame, kept[1].frame); err != nil {
					return fmt.Errorf("%s: %w", p.first, err)
				}
			}
			select {
			case tasks <- t:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		return nil
	})
	var mu sync.Mutex
	done := 0
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() error {
			for t := range tasks {
				r, err := d.one(&o, pairs[t.index], t.estimate)
				if err != nil {
					return err
				}
				results[t.index] = r
				mu.Lock()
				done++
				if o.Progress != nil {
					o.Progress(done, len(pairs))
				}
				mu.Unlock()
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return d.report(&o, pairs, results), nil
}

// one measures a pair.
func (d *dataset) one(o *Options, p pair, estimate *field.Field) ([]field.Errors, error) {
	name := "flow of the network for " + p.first
	if estimate == nil {
		var err error
		if name, err = estimateFile(o.FlowDir, p.name); err != nil {
			return nil, err
		}
		if estimate, err = flowfile.Read(name); err != nil {
			return nil, err
		}
	}
	var truths []*field.Field
	for _, path := range p.truths {
		truth, err := flowfile.Read(path)
		if err != nil {
			return nil, err
		}
		if truth.Width != estimate.Width || truth.Height != estimate.Height {
			return nil, fmt.Errorf("%s: %w: it is %dx%d, the truth %s is %dx%d", name, field.ErrSizes, estimate.Width, estimate.Height, path, truth.Width, truth.Height)
		}
		truths = append(truths, truth)
	}
	var masks [][]bool
	for _, path := range p.masks {
		mask, err := readMask(path, estimate.Width, estimate.Height)
		if err != nil {
			return nil, err
		}
		masks = append(masks, mask)
	}
	r, err := d.measure(estimate, truths, masks)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}

// readMask is where a grey picture isn't black; nil for no path.
func readMask(path string, width, height int) ([]bool, error) {
	if path == "" {
		return nil, nil
	}
	f, err := picture.Read(path)
	if err != nil {
		return nil, err
	}
	if f.Width != width || f.Height != height {
		return nil, fmt.Errorf("%s: %w: it is %dx%d instead of %dx%d", path, field.ErrSizes, f.Width, f.Height, width, height)
	}
	mask := make([]bool, width*height)
	for i := range mask {
		mask[i] = f.Pix[3*i]|f.Pix[3*i+1]|f.Pix[3*i+2] != 0
	}
	return mask, nil
}

// folders lists the folders in a folder, in order.
func folders(path string) ([]string, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		// A link to a folder is a folder as well.
		if stat, err := os.Stat(filepath.Join(path, e.Name())); err == nil && stat.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// firstFolder is the first of some folders that is there, and the first of them where none is.
func firstFolder(paths ...string) string {
	for _, path := range paths {
		if stat, err := os.Stat(path); err == nil && stat.IsDir() {
			return path
		}
	}
	return paths[0]
}

// pool adds up class i of each pair, for each of the classes.
func pool(pairs [][]field.Errors, classes ...int) field.Errors {
	var sum field.Errors
	for _, p := range pairs {
		for _, c := range classes {
			sum.Add(p[c])
		}
	}
	return sum
}
