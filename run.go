package main

// The walk of a frame.
//
//	  input                                                                      output
//	    │                                                                          ▲
//	    ▼         frames            fields               pictures                  │
//	┌────────┐  (2 at most)  ┌──────────────┐  (1)  ┌──────────────┐    (2)   ┌────┴───┐
//	│ decode ├──────────────▶│ pair, network├──────▶│ export, paint├─────────▶│ encode │
//	└────────┘               └──────────────┘       └──────────────┘          └────────┘
//
// Four goroutines, three bounded channels: at any time a dozen frames are alive, whatever the video's
// length, and the slowest stage (the network) sets the pace. Nothing is dropped.
// The end of the stream travels forward by closing channels. Only cancellation travels back: the first error,
// or Ctrl-C, cancels the context; every send selects on it, and libav and the network watch it while they work.
// Every value wraps the one before it (a field holds its pair, a pair its frames): nothing is looked up.

import (
	"context"
	"io"

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
	estimate func(context.Context, *frame.Pair) (*field.Field, error) // the flow of a pair
	export   func(*field.Field) error                                 // writes the field itself
	paint    func(*field.Field) (*frame.Frame, error)
	create   func(first *frame.Frame) (sink, error) // makes the output, for the first picture
	done     func(*frame.Frame)                     // tells of a picture that was written
}

// How many values wait between two stages at most.
const (
	roomFrames   = 2
	roomFields   = 1
	roomPictures = 2
)

// walk runs the line until the source ends, and commits the sink. After an error, or where ctx was cancelled,
// nothing is committed. cancel must cancel ctx; the source and the sink should watch ctx too. The error is the
// first one: those after it follow from it.
func (l *line) walk(ctx context.Context, cancel context.CancelCauseFunc, in source) error {
	frames := make(chan *frame.Frame, roomFrames)
	fields := make(chan *field.Field, roomFields)
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
	stage(func() error {
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
	}, func() { close(frames) })
	stage(func() error {
		for f := range frames {
			pair, err := l.pairs.Push(f)
			if err != nil {
				return err
			}
			if pair == nil {
				continue
			}
			flow, err := l.estimate(ctx, pair)
			if err != nil {
				return err
			}
			if err := send(ctx, fields, flow); err != nil {
				return err
			}
		}
		return nil
	}, func() { close(fields) })
	stage(func() error {
		for f := range fields {
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
		return nil
	}, func() { close(pictures) })
	stage(func() error { return place(errOutput, l.write(ctx, pictures)) }, func() {})

	if g.Wait() != nil {
		return context.Cause(ctx)
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
