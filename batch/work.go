package batch

import (
	"context"
	"sync"
	"time"

	"github.com/wwflow/wwflow/parts"
	"github.com/wwflow/wwflow/pipeline"
)

// work is a video of a batch at work.
//
// When its last pair is estimated, its encoder still has to be emptied and its file to be flushed to the disk. The next video begins
// meanwhile, so that the network does not wait. Two videos at most are at work at once, and what is reported of the second one waits for
// the end of the first.
type work struct {
	*item
	n, of  int   // number of the video among those to do, from 1
	before *work // nil for the first
	begin  time.Time
	kept   parts.Continued // of an earlier call

	report func() // reports that the video has begun, once
	free   func() // closes freed, once
	freed  chan struct{}
	ended  chan struct{} // closed: the video is recorded, or an error stops the batch
}

// start records that a video is begun, and begins it. It returns when the next one may begin.
func (b *batch) start(ctx context.Context, n, of int, it *item, before *work) (*work, error) {
	w := &work{item: it, n: n, of: of, before: before, begin: time.Now(), freed: make(chan struct{}), ended: make(chan struct{})}
	w.free = sync.OnceFunc(func() { close(w.freed) })
	w.report = func() { w.wait() }
	if err := b.append(Entry{State: Started, Output: it.name, Input: it.input, Options: it.options}); err != nil {
		return before, temporary(err)
	}
	go func() {
		defer close(w.ended)
		result, err := b.process(ctx, w)
		w.free()
		w.report()
		b.end(ctx, w, result, err)
	}()
	<-w.freed
	w.wait()
	return w, nil
}

// wait waits for the end of the video before.
func (w *work) wait() {
	if w.before != nil {
		<-w.before.ended
	}
}

// process makes the flow video.
func (b *batch) process(ctx context.Context, w *work) (pipeline.Result, error) {
	if w.unreadable != nil {
		return pipeline.Result{}, w.unreadable
	}
	o := w.video
	o.Networks = b.networks
	o.Events = pipeline.Events{
		Started: func(p pipeline.Plan) {
			w.report = sync.OnceFunc(func() {
				w.wait()
				if b.Events.Started != nil {
					b.Events.Started(w.n, p)
				}
			})
			go w.report()
		},
		Written: func(done, total int) {
			w.report()
			if b.Events.Written != nil {
				fraction, left := b.clock.at(w.seconds, done-w.kept.Done, total-w.kept.Done)
				b.Events.Written(Progress{w.n, w.of, w.name, done, total, fraction, left})
			}
		},
		Estimated: w.free,
	}
	if !b.Resume {
		return pipeline.Run(ctx, o)
	}
	r := w.resumed(b.Options)
	r.Video.Networks, r.Video.Events, r.Stop = o.Networks, o.Events, ctx.Done()
	r.Continued = func(c parts.Continued) { b.continued(w, c) }
	return parts.Resume(context.WithoutCancel(ctx), r) // it stops in order
}

// continued reports what is left of an earlier call, which does not count for the time that is left.
func (b *batch) continued(w *work, c parts.Continued) {
	w.wait()
	w.kept = c
	if c.Of > 0 {
		done := w.seconds * float64(c.Done) / float64(c.Of)
		w.seconds -= done
		b.clock.total -= done
	}
	if b.Events.Continued != nil {
		b.Events.Continued(w.n, w.name, c)
	}
}

// end records a video, and stops the batch after an error that has nothing to do with it.
func (b *batch) end(ctx context.Context, w *work, result pipeline.Result, err error) {
	entry := Entry{State: Done, Output: w.name, Input: w.input, Options: w.options,
		Frames: result.Frames, Seconds: time.Since(w.begin).Seconds(), Motion: result.Motion}
	stop := stops(ctx, err)
	switch {
	case stop != nil:
		entry.State = Stopped
		err = stop
	case err != nil:
		entry.State = Failed
	default:
		entry.Bytes = fileSize(w.video.Output)
	}
	if err != nil {
		entry.Error, entry.ExitCode = err.Error(), b.ExitCode(err)
	}
	recorded := b.append(entry)
	if stop == nil && recorded != nil { // after stop the journal need not say so: a video without an end is done again
		stop = temporary(recorded)
	}
	if stop != nil {
		b.cancel(stop)
		if b.stopped == nil {
			b.stopped = stop
		}
		return
	}
	w.last = &entry
	if err == nil {
		b.result.Done++
		b.result.Frames += result.Frames - w.kept.Done
	} else {
		b.result.Failed = append(b.result.Failed, entry)
	}
	b.result.Left--
	b.clock.done += w.seconds
	if b.Events.Ended != nil {
		b.Events.Ended(w.n, entry)
	}
}
