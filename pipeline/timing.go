package pipeline

import (
	"context"
	"sync"
	"time"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
)

// stopwatch measures a run from outside: it wraps the functions of each stage and leaves their goroutines alone.
type stopwatch struct {
	mu                sync.Mutex
	busy              [stageCount]time.Duration
	queues            [stageCount]queue // in front of each stage; decode has none
	begin, first, end time.Time         // of the run, of the first image written and of the last
	images            int
	kept              []*frame.Frame // a few consecutive frames, for networkAlone
}

// The stages that are measured, in their order.
const (
	stageDecode = iota
	stageNetwork
	stagePaint
	stageEncode
	stageCount
)

var stageNames = [stageCount]string{"decode", "network", "paint", "encode"}

// keptFrames bounds what is held for networkAlone: five Full-HD frames are 31 MB.
const keptFrames = 5

// queue integrates over time how many values wait in a channel. A value that its sender still holds is not in it.
type queue struct {
	capacity, waiting int
	area              float64 // values times seconds
	last              time.Time
}

func (q *queue) add(n int, now time.Time) {
	if !q.last.IsZero() {
		q.area += float64(min(q.waiting, q.capacity)) * now.Sub(q.last).Seconds()
	}
	q.waiting, q.last = max(0, q.waiting+n), now
}

// attach wraps the stages. It returns the source to read from.
func (w *stopwatch) attach(s *stages, in source) source {
	w.begin = time.Now()
	frames, fields := s.capacity()
	for stage, capacity := range map[int]int{stageNetwork: frames, stagePaint: fields, stageEncode: imageQueue} {
		w.queues[stage].capacity = capacity
	}
	export, paint, create := s.export, s.paint, s.create
	var start sync.Once
	for i, estimate := range s.networks {
		s.networks[i] = func(ctx context.Context, p *frame.Pair) (f *field.Field, err error) {
			taken := 1
			start.Do(func() { taken += p.Second.Index - p.First.Index }) // the pairing has taken the first frames too
			w.stage(stageNetwork, taken, func() int { f, err = estimate(ctx, p); return 1 })
			return f, err
		}
	}
	s.export = func(f *field.Field) (err error) {
		w.stage(stagePaint, 1, func() int { err = export(f); return 0 })
		return err
	}
	s.paint = func(f *field.Field) (image *frame.Frame, err error) {
		w.stage(stagePaint, 0, func() int { image, err = paint(f); return 1 })
		return image, err
	}
	s.create = func(first *frame.Frame) (Sink, error) {
		out, err := create(first)
		return &timedSink{out, w}, err
	}
	return &timedSource{in, w}
}

// stage times one call of a stage, which takes values from its queue and returns how many it gives to the next.
func (w *stopwatch) stage(stage, taken int, call func() (given int)) {
	w.queued(stage, -taken)
	begin := time.Now()
	given := call()
	w.mu.Lock()
	w.busy[stage] += time.Since(begin)
	w.mu.Unlock()
	if given > 0 {
		w.queued(stage+1, given)
	}
}

func (w *stopwatch) queued(stage, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queues[stage].add(n, time.Now())
}

type timedSource struct {
	source
	watch *stopwatch
}

func (s *timedSource) Read() (f *frame.Frame, err error) {
	s.watch.stage(stageDecode, 0, func() int {
		if f, err = s.source.Read(); err != nil {
			return 0
		}
		return 1
	})
	if err == nil && len(s.watch.kept) < keptFrames {
		s.watch.kept = append(s.watch.kept, f)
	}
	return f, err
}

type timedSink struct {
	Sink
	watch *stopwatch
}

func (s *timedSink) Write(image Image) (err error) {
	w := s.watch
	w.stage(stageEncode, 1, func() int { err = s.Sink.Write(image); return 0 })
	w.end = time.Now()
	if w.images++; w.images == 1 {
		w.first = w.end
	}
	return err
}
