// Package evaluate runs the loop that all benchmarks share: it takes the flow of each pair of frames from an Estimator
// or from a flow file, and hands it to the benchmark's own scoring.
package evaluate

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/frame"
)

// Estimator returns the flow from a to b, in pixels, at the size of a. It is called from one goroutine at a time.
// Consecutive calls often share frames, which are then the same pointers, so features can be reused.
type Estimator func(ctx context.Context, a, b *frame.Frame) (*field.Field, error)

// Flow is the flow of one pair.
type Flow struct {
	*field.Field
	From string // names its source in errors: the path of a file, or the network and the pair
}

// Loop scores pairs. Memory does not grow with their number: at most Workers+1 flow fields are held at a time.
type Loop struct {
	Pairs    []Pair
	Estimate Estimator // called in the order of Pairs, for the pairs without FlowFiles
	Workers  int       // how many goroutines call Score; they also read the flow files
	// Done, if it is not nil, is called in the order of Pairs and tells which pairs need no scoring.
	Done  func(pair int) (bool, error)
	Score func(pair int, flow Flow) error
	// Progress, if it is not nil, is called after each pair, by one goroutine at a time.
	Progress func(done, total int)

	mu   sync.Mutex
	done int
}

// Run runs the loop once. It returns the first error of a pair, or the cause for which ctx ended.
func (l *Loop) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	tasks := make(chan task)
	group.Go(func() error {
		defer close(tasks)
		return l.produce(ctx, tasks)
	})
	for range l.Workers {
		group.Go(func() error {
			for t := range tasks {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				if err := l.score(t); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// task is a pair on its way to Score.
type task struct {
	pair     int
	estimate *field.Field // nil: the flow is in a file
}

func (l *Loop) produce(ctx context.Context, tasks chan<- task) error {
	var frames frameCache
	for i, p := range l.Pairs {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if l.Done != nil {
			done, err := l.Done(i)
			if err != nil {
				return err
			}
			if done {
				l.advance()
				continue
			}
		}
		t := task{pair: i}
		if len(p.FlowFiles) == 0 {
			var err error
			if t.estimate, err = l.estimate(ctx, &frames, p); err != nil {
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
}

func (l *Loop) estimate(ctx context.Context, frames *frameCache, p Pair) (*field.Field, error) {
	a, b, err := frames.pair(p)
	if err != nil {
		return nil, err
	}
	f, err := l.Estimate(ctx, a, b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.Name, err)
	}
	return f, nil
}

func (l *Loop) score(t task) error {
	p := l.Pairs[t.pair]
	flow := Flow{t.estimate, "flow of the network for " + p.Name}
	if t.estimate == nil {
		var err error
		if flow.From, err = p.FlowFile(); err != nil {
			return err
		}
		if flow.Field, err = flowfile.Read(flow.From); err != nil {
			return err
		}
	}
	if err := l.Score(t.pair, flow); err != nil {
		return err
	}
	l.advance()
	return nil
}

func (l *Loop) advance() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done++
	if l.Progress != nil {
		l.Progress(l.done, len(l.Pairs))
	}
}
