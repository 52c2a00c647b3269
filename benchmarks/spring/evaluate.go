package spring

import (
	"context"
	"errors"
	"fmt"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/atomicfile"
	"github.com/wwflow/wwflow/internal/picture"
)

// Options says what to evaluate. Either FlowDir or Estimate is given.
type Options struct {
	Selection
	FlowDir   string    // tree of flows laid out as a submission, in any format of package field
	Estimate  Estimator // what gives the flows
	Source    string    // names the Estimate in the report and the journal
	Float16   bool      // compute as the server does
	ErrorMaps string    // folder that takes an error picture for each flow; "" = none
	Journal   string    // file that keeps each flow's result, so that an evaluation that was ended goes on; "" = none
	Progress  func(done, total int)
}

// Evaluate scores the selected flows and reports. Its memory doesn't grow with their number: up to four ground truths
// are decoded and scored at a time, each on all cores, while the Estimator works on the next flow.
func Evaluate(ctx context.Context, o Options) (*Report, error) {
	if o.Split == "test" {
		return nil, errors.New("split test has no public ground truth: score train or its sequences, and use submit for test")
	}
	if (o.FlowDir == "") == (o.Estimate == nil) {
		panic("spring: give either FlowDir or Estimate")
	}
	jobs, err := o.jobs()
	if err != nil {
		return nil, err
	}
	source := o.Source
	if o.FlowDir != "" {
		if source, err = filepath.Abs(o.FlowDir); err != nil {
			return nil, err
		}
	}
	journal, err := openJournal(o.Journal, journalHead{Root: o.Root, Source: source, Float16: o.Float16})
	if err != nil {
		return nil, err
	}
	e := &evaluation{Options: o, journal: journal, total: len(jobs)}
	err = errors.Join(e.run(ctx, jobs), unwritten(journal.close()))
	if err != nil {
		return nil, err
	}
	return newReport(o, source, jobs), nil
}

// ErrOutput is wrapped by the errors about a file that can't be written: an error picture, the journal, a submission's.
var ErrOutput = errors.New("cannot write")

func unwritten(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrOutput, err)
}

// job is one flow and, in the end, its result.
type job struct {
	Flow
	file    string // the estimate, if it is a file
	stamp   string // changes when the file does
	tallies Tallies
}

// jobs lists the work and makes sure that all files for it are there.
func (o *Options) jobs() ([]*job, error) {
	flows, err := o.Flows()
	if err != nil {
		return nil, err
	}
	jobs := make([]*job, len(flows))
	var paths []string
	missing, firstMissing := 0, error(nil)
	for i, f := range flows {
		jobs[i] = &job{Flow: f}
		paths = append(paths, o.needs(f)...)
		if o.Estimate != nil {
			paths = append(paths, f.picture(o.folder(), f.Frame), f.picture(o.folder(), f.other()))
			continue
		}
		if jobs[i].file, err = o.estimateFile(o.FlowDir, f); err != nil {
			missing++
			if firstMissing == nil {
				firstMissing = err
			}
			continue
		}
		stat, err := os.Stat(jobs[i].file)
		if err != nil {
			return nil, err
		}
		jobs[i].stamp = strconv.FormatInt(stat.Size(), 10) + " " + stat.ModTime().UTC().Format("2006-01-02T15:04:05.999999999")
	}
	if missing == 1 {
		return nil, firstMissing
	} else if missing > 1 {
		return nil, fmt.Errorf("%d of %d flows are missing, the first: %w", missing, len(flows), firstMissing)
	}
	return jobs, present(paths)
}

type evaluation struct {
	Options
	journal *journal

	mu          sync.Mutex
	done, total int
}

// task is a job on its way to a scorer.
type task struct {
	*job
	estimate *field.Field // nil if it is still to be read
}

func (e *evaluation) run(ctx context.Context, jobs []*job) error {
	group, ctx := errgroup.WithContext(ctx)
	tasks := make(chan task)
	group.Go(func() error {
		defer close(tasks)
		var pictures pictures
		for _, j := range jobs {
			if e.known(j) {
				continue
			}
			t := task{job: j}
			if e.Estimate != nil {
				var err error
				if t.estimate, err = e.estimate(ctx, &pictures, j.Flow); err != nil {
					return err
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
	for range min(4, runtime.GOMAXPROCS(0)) {
		group.Go(func() error {
			for t := range tasks {
				if err := e.score(t); err != nil {
					return err
				}
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// known fills in what the journal has.
func (e *evaluation) known(j *job) bool {
	tallies, ok := e.journal.look(j.Name(), j.stamp)
	if !ok {
		return false
	}
	if e.ErrorMaps != "" {
		if _, err := os.Stat(e.errorMap(j.Flow)); err != nil {
			return false // its picture is still to be made
		}
	}
	j.tallies = tallies
	e.progress()
	return true
}

func (e *evaluation) progress() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.done++
	if e.Progress != nil {
		e.Progress(e.done, e.total)
	}
}

func (e *evaluation) estimate(ctx context.Context, p *pictures, f Flow) (*field.Field, error) {
	a, err := p.read(f.picture(e.folder(), f.Frame))
	if err != nil {
		return nil, err
	}
	b, err := p.read(f.picture(e.folder(), f.other()))
	if err != nil {
		return nil, err
	}
	out, err := e.Estimate(ctx, a, b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	return out, nil
}

// pictures keeps the last two frames: the next flow mostly starts from one of them.
type pictures struct {
	last [2]struct {
		path  string
		frame *frame.Frame
	}
	next int
}

func (p *pictures) read(path string) (*frame.Frame, error) {
	for i, kept := range p.last {
		if kept.path == path {
			p.next = 1 - i
			return kept.frame, nil
		}
	}
	f, err := picture.Read(path)
	if err != nil {
		return nil, err
	}
	p.last[p.next].path, p.last[p.next].frame = path, f
	p.next = 1 - p.next
	return f, nil
}

// score finishes a task.
func (e *evaluation) score(t task) error {
	name := t.file
	estimate := t.estimate
	if estimate == nil {
		var err error
		if estimate, err = flowfile.Read(t.file); err != nil {
			return err
		}
	} else {
		name = "flow of the network for " + t.Name()
	}
	truthFile := t.truth(e.folder())
	truth, err := flowfile.Read(truthFile)
	if err != nil {
		return err
	}
	if truth.Width%2 != 0 || truth.Height%2 != 0 {
		return fmt.Errorf("%s: %w: it is %dx%d, and has not four samples for each pixel", truthFile, ErrSize, truth.Width, truth.Height)
	}
	if truth.Width != 2*estimate.Width || truth.Height != 2*estimate.Height {
		return fmt.Errorf("%s: %w: it is %dx%d; the ground truth %s is %dx%d and asks for half of that",
			name, ErrSize, estimate.Width, estimate.Height, truthFile, truth.Width, truth.Height)
	}
	class, err := e.readClasses(t.Flow, truth.Width/2, truth.Height/2)
	if err != nil {
		return err
	}
	var errs []float32
	if e.ErrorMaps != "" {
		errs = make([]float32, len(class))
	}
	if t.tallies, err = score(estimate, truth, class, e.Float16, errs); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if errs != nil {
		path := e.errorMap(t.Flow)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return unwritten(err)
		}
		if err := atomicfile.WriteTo(path, func(w io.Writer) error {
			return (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(w, ErrorPicture(errs, estimate.Width))
		}); err != nil {
			return unwritten(err)
		}
	}
	if err := e.journal.keep(t.Name(), t.stamp, &t.tallies); err != nil {
		return unwritten(err)
	}
	e.progress()
	return nil
}

func (e *evaluation) errorMap(f Flow) string { return filepath.Join(e.ErrorMaps, f.Name()+".png") }
