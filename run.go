package main

// The walk of a frame.
//
//	  input                                                                                output
//	    │                                                                                    ▲
//	    ▼         frames           stretches of pairs       fields          pictures         │
//	┌────────┐  (2 at most)  ┌──────┐         ┌─────────┐ (1)  ┌───────────────┐   (2)  ┌────┴───┐
//	│ decode ├──────────────▶│ pair ├────────▶│ network ├─────▶│ export, paint ├───────▶│ encode │
//	└────────┘               └──────┘    └───▶│ network ├─────▶│  (in order)   │        └────────┘
//	                                          └─────────┘      └───────────────┘
//
// Five goroutines, one more for each device after the first, and bounded channels: at any time a dozen frames are
// alive on one device, whatever the video's length, and the slowest stage (the network) sets the pace. Nothing is
// dropped.
// The end of the stream travels forward by closing channels. Only cancellation travels back: the first error,
// or Ctrl-C, cancels the context; every send selects on it, and libav and the network watch it while they work.
// Every value wraps the one before it (a field holds its pair, a pair its frames): nothing is looked up.
//
// Several devices take stretches of neighbouring pairs, whoever is free the next one, and the painter takes the
// stretches' fields in the order in which they were dealt: what comes out is what one device gives. Segments of the
// file would each need a decoder that seeks (which a pipe can't and a container does roughly), and the second
// segment's fields would all have to be kept until the first one's end. Single pairs in turn would have every
// frame encoded twice. In a stretch of eight, each frame is encoded once, but for the one (with --step K, the K)
// that the next stretch begins with, which another device may have: one frame in eight is encoded twice, and no
// pair is estimated twice.

import (
	"context"
	"io"
	"math"

	"golang.org/x/sync/errgroup"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/pairing"
)

// The ends of the walk, as the stages' packages offer them.
type (
	source interface {
		Read() (*frame.Frame, error) // io.EOF at the end
	}
	sink interface {
		Write(*frame.Frame) error
		Commit() error
		Close() error
	}
)

// line is what stands between a source and a sink.
type line struct {
	pairs    *pairing.Pairer
	networks []estimator              // one for each device; they work side by side
	export   func(*field.Field) error // writes the field itself
	paint    func(*field.Field) (*frame.Frame, error)
	create   func(first *frame.Frame) (sink, error) // makes the output, for the first picture
	done     func(*frame.Frame)                     // tells of a picture that was written
}

// estimator gives the flow of a pair. It is called for pairs in the video's order, by one goroutine.
type estimator func(context.Context, *frame.Pair) (*field.Field, error)

// stretch is a run of neighbouring pairs, for one device, and what it made of them.
type stretch struct {
	pairs  chan *frame.Pair
	fields chan *field.Field
}

// How many values wait between two stages at most.
const (
	roomFrames   = 2
	roomFields   = 1
	roomPictures = 2
)

// stretchPairs is how many pairs a stretch has where there are several devices. Fewer would mean more frames
// that are encoded twice, more would mean more fields that wait for their turn: a Full-HD field is 25 MB.
const stretchPairs = 8

// stretches says how the line's stretches are made: so many pairs each, so many of them dealt and not painted
// yet, and how many pairs and fields wait in one. One device has a single stretch without an end.
func (l *line) stretches() (length, dealt, roomPairs, roomDone int) {
	if n := len(l.networks); n > 1 {
		return stretchPairs, n + 1, stretchPairs, stretchPairs // one for each device, one for who is first to be free
	}
	return math.MaxInt, 1, 0, roomFields
}

// waiting is how many frames can wait in front of the networks, and how many fields behind them.
func (l *line) waiting() (frames, fields int) {
	_, dealt, roomPairs, roomDone := l.stretches()
	return roomFrames + dealt*roomPairs, dealt * roomDone
}

// walk runs the line until the source ends, and commits the sink. After an error, or where ctx was cancelled,
// nothing is committed. cancel must cancel ctx; the source and the sink should watch ctx too. The error is the
// first one: those after it follow from it.
func (l *line) walk(ctx context.Context, cancel context.CancelCauseFunc, in source) error {
	_, dealt, _, _ := l.stretches()
	frames := make(chan *frame.Frame, roomFrames)
	work := make(chan *stretch, dealt)    // for the networks, whoever comes first
	order := make(chan *stretch, dealt-1) // for the painter, who holds one more
	pictures := make(chan *frame.Frame, roomPictures)

	var g errgroup.Group
	stage := func(work func() error, end func()) {
		g.Go(func() error {
			defer end()
			err := work()
			if err != nil {
				cancel(err) // before end closes a channel: in a walk that goes on, closed means that the stream has ended
			}
			return err
		})
	}
	stage(func() error { return read(ctx, in, frames) }, func() { close(frames) })
	stage(func() error { return l.deal(ctx, frames, order, work) }, func() { close(order); close(work) })
	for _, n := range l.networks {
		stage(func() error { return estimate(ctx, n, work) }, func() {})
	}
	stage(func() error { return l.show(ctx, order, pictures) }, func() { close(pictures) })
	stage(func() error { return place(errOutput, l.write(ctx, pictures)) }, func() {})

	if g.Wait() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// read is the first stage.
func read(ctx context.Context, in source, frames chan<- *frame.Frame) error {
	for {
		f, err := in.Read()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return place(errInput, err)
		}
		if err := send(ctx, frames, f); err != nil {
			return err
		}
	}
}

// deal pairs the frames and deals the pairs in stretches, each first to the painter, whose place bounds how far the
// networks run ahead.
func (l *line) deal(ctx context.Context, frames <-chan *frame.Frame, order, work chan<- *stretch) error {
	length, _, roomPairs, roomDone := l.stretches()
	var s *stretch
	left := 0 // pairs that s still takes
	for f := range frames {
		pair, err := l.pairs.Push(f)
		if err != nil {
			return err
		}
		if pair == nil {
			continue
		}
		if left == 0 {
			if s != nil {
				close(s.pairs)
			}
			s, left = &stretch{make(chan *frame.Pair, roomPairs), make(chan *field.Field, roomDone)}, length
			if err := send(ctx, order, s); err != nil {
				return err
			}
			if err := send(ctx, work, s); err != nil {
				return err
			}
		}
		left--
		if err := send(ctx, s.pairs, pair); err != nil {
			return err
		}
	}
	if s != nil {
		close(s.pairs)
	}
	return nil
}

// estimate is a network's stage. A stretch's ends are closed only where all went well: who waits for one watches ctx.
func estimate(ctx context.Context, network estimator, work <-chan *stretch) error {
	for s := range work {
		for {
			pair, err := receive(ctx, s.pairs)
			if err == io.EOF {
				break
			} else if err != nil {
				return err
			}
			f, err := network(ctx, pair)
			if err != nil {
				return err
			}
			if err := send(ctx, s.fields, f); err != nil {
				return err
			}
		}
		close(s.fields)
	}
	return nil
}

// show exports and paints the stretches' fields in their order.
func (l *line) show(ctx context.Context, order <-chan *stretch, pictures chan<- *frame.Frame) error {
	for s := range order {
		for {
			f, err := receive(ctx, s.fields)
			if err == io.EOF {
				break
			} else if err != nil {
				return err
			}
			if err := l.export(f); err != nil {
				return place(errOutput, err)
			}
			picture, err := l.paint(f)
			if err != nil {
				return err
			}
			if err := send(ctx, pictures, picture); err != nil {
				return err
			}
		}
	}
	return nil
}

// write is the last stage. The sink is made with the first picture: where there is none, there is no file.
func (l *line) write(ctx context.Context, pictures <-chan *frame.Frame) (err error) {
	var out sink
	for p := range pictures {
		if ctx.Err() != nil {
			break
		}
		if out == nil {
			if out, err = l.create(p); err != nil {
				return err
			}
			defer func() {
				if e := out.Close(); err == nil {
					err = e
				}
			}()
		}
		if err := out.Write(p); err != nil {
			return err
		}
		l.done(p)
	}
	if out == nil || ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return out.Commit()
}

// send waits until there is room or the walk is over.
func send[T any](ctx context.Context, to chan<- T, v T) error {
	select {
	case to <- v:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// receive waits for a value or until the walk is over; io.EOF where no value follows.
func receive[T any](ctx context.Context, from <-chan T) (v T, err error) {
	select {
	case v, more := <-from:
		if !more {
			return v, io.EOF
		}
		return v, nil
	case <-ctx.Done():
		return v, context.Cause(ctx)
	}
}
