package pipeline

// The stages.
//
//	  input                                                                                output
//	    |                                                                                    ^
//	    v         frames            segments of pairs       fields           images          |
//	+--------+  (2 at most)  +------+         +---------+ (1)  +---------------+   (2)  +----+---+
//	| decode +-------------->| deal +-------->| network +----->| export, paint +------->| encode |
//	+--------+               +------+    +--->| network +----->|  (in order)   |        +--------+
//	                                          +---------+      +---------------+
//
// Each stage is a goroutine, the network stage one for each device. The channels between them are bounded: with one
// device about a dozen frames are in memory at any time, whatever the length of the video. The slowest stage, the
// network, sets the pace. Nothing is dropped.
//
// The end of the stream travels forward by closing channels. Only cancellation travels back: the first error, or
// Ctrl-C, cancels the context. Every send selects on it, and libav and the network watch it while they work.
// Each value holds the one before it (a field holds its pair, a pair its frames), so nothing has to be looked up.
//
// Several devices share the work in segments of neighbouring pairs. A free device takes the next segment, and the
// painter takes the segments' fields in their order, so the result is that of one device. The alternatives are worse:
// parts of the file would need a decoder each that seeks (which a pipe cannot and a container does roughly), and the
// fields of the second part would wait for the end of the first one. Single pairs in turn would encode each frame
// twice. In a segment of eight pairs only its first frame (with Step K, its first K frames) is encoded twice, because
// another device may have it.

import (
	"context"
	"errors"
	"io"
	"iter"
	"math"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/errkind"
	"github.com/wwflow/wwflow/pairing"
)

// The ends of the pipeline, as the packages of the stages offer them.
type (
	source interface {
		Read() (*frame.Frame, error) // io.EOF at the end
	}
	// Sink takes the images of a section in their order. Commit is called after the last one; Close always.
	Sink interface {
		Write(Image) error
		Commit() error
		Close() error
	}
)

// Image is an image on its way to a Sink.
type Image struct {
	*frame.Frame
	Pair int  // number of the earlier frame of its pair
	New  bool // made between two frames, by Retime
}

// estimateFunc gives the flow field of a pair. It is called for pairs in the video's order, by one goroutine.
type estimateFunc func(context.Context, *frame.Pair) (*field.Field, error)

// stages are the functions between a source and a sink.
type stages struct {
	pairs    *pairing.Pairer
	sample   int                      // only pairs whose earlier frame has a number that this divides; 0 = all
	networks []estimateFunc           // one for each device; they run concurrently
	export   func(*field.Field) error // writes the field itself
	paint    func(*field.Field) (*frame.Frame, error)
	create   func(first *frame.Frame) (Sink, error) // opens the output, for the first image
	written  func(*frame.Frame)                     // reports an image that was written
	stop     <-chan struct{}                        // closed: no pair is begun any more; nil = never

	// estimated is called when all networks have ended without an error, while the stages after them may still work; may be nil.
	estimated func()

	stopped     bool  // pairs are missing because stop was closed; set before the stages end
	sizeChanged error // the change of resolution that ended the stream early, if there was one; set before the stages end
}

// segment is a run of neighbouring pairs for one device, and their fields.
type segment struct {
	pairs  chan *frame.Pair
	fields chan *field.Field
}

// Capacity of the channels between the stages.
const (
	frameQueue = 2
	fieldQueue = 1
	imageQueue = 2
)

// segmentPairs is the number of pairs in a segment where there are several devices. Fewer would mean more frames
// that are encoded twice, more would mean more fields that wait for their turn: a Full-HD field is 25 MB.
const segmentPairs = 8

// segments returns how segments are made: pairs in each, segments dealt and not painted yet, and the capacity for
// pairs and fields in one. One device has a single segment without an end.
func (s *stages) segments() (length, dealt, pairQueue, fieldsQueue int) {
	if n := len(s.networks); n > 1 {
		return segmentPairs, n + 1, segmentPairs, segmentPairs // one for each device, one for the device that is free first
	}
	return math.MaxInt, 1, 0, fieldQueue
}

// capacity is how many frames can wait in front of the networks, and how many fields behind them.
func (s *stages) capacity() (frames, fields int) {
	_, dealt, pairQueue, fieldsQueue := s.segments()
	return frameQueue + dealt*pairQueue, dealt * fieldsQueue
}

// group runs the goroutines of the stages. The first error cancels ctx, and is its cause.
type group struct {
	errgroup.Group
	ctx    context.Context
	cancel context.CancelCauseFunc
}

func newGroup(ctx context.Context) *group {
	g := &group{}
	g.ctx, g.cancel = context.WithCancelCause(ctx)
	return g
}

// stage starts a goroutine that works and then, in every case, ends: closes its output channels.
func (g *group) stage(work func() error, end func()) {
	g.Go(func() error {
		defer end()
		err := work()
		if err != nil {
			g.cancel(err) // before end closes a channel: without an error, closed means that the stream has ended
		}
		return err
	})
}

// wait waits for all stages. The error is the first one: those after it follow from it.
func (g *group) wait() error {
	if g.Wait() != nil {
		return context.Cause(g.ctx)
	}
	return nil
}

// estimate starts the stages up to the networks. The segments' fields are in the order of the video.
func (s *stages) estimate(g *group, in source) <-chan *segment {
	_, dealt, _, _ := s.segments()
	frames := make(chan *frame.Frame, frameQueue)
	work := make(chan *segment, dealt)    // for the networks: a free one takes the next
	order := make(chan *segment, dealt-1) // for the painter, which holds one more
	g.stage(func() error { return s.read(g.ctx, in, frames) }, func() { close(frames) })
	g.stage(func() error { return s.deal(g.ctx, frames, order, work) }, func() { close(order); close(work) })
	var working atomic.Int32
	working.Store(int32(len(s.networks)))
	for _, n := range s.networks {
		g.stage(func() error {
			err := estimateSegments(g.ctx, n, work)
			if err == nil && working.Add(-1) == 0 && s.estimated != nil {
				s.estimated()
			}
			return err
		}, func() {})
	}
	return order
}

// run runs all stages until the source ends, and commits the sink. After an error or a cancellation nothing is
// committed. The source and the sink should watch the group's context too.
func (s *stages) run(g *group, in source) error {
	order := s.estimate(g, in)
	images := make(chan Image, imageQueue)
	g.stage(func() error { return s.show(g.ctx, order, images) }, func() { close(images) })
	g.stage(func() error { return errkind.Mark(ErrOutput, s.write(g.ctx, images)) }, func() {})
	return g.wait()
}

// read is the first stage. A change of resolution ends the stream: what comes before it is complete.
func (s *stages) read(ctx context.Context, in source, frames chan<- *frame.Frame) error {
	var size *decode.SizeError
	for {
		f, err := in.Read()
		switch {
		case err == io.EOF:
			return nil
		case errors.As(err, &size):
			s.sizeChanged = err
			return nil
		case err != nil:
			return errkind.Mark(ErrInput, err)
		}
		if err := send(ctx, frames, f); err != nil {
			return err
		}
	}
}

// deal pairs the frames and deals the pairs in segments, each first to the painter: its queue bounds how far the
// networks run ahead.
func (s *stages) deal(ctx context.Context, frames <-chan *frame.Frame, order, work chan<- *segment) error {
	length, _, pairQueue, fieldsQueue := s.segments()
	var current *segment
	left := 0 // pairs that the current segment still takes
	for f := range frames {
		if isClosed(s.stop) {
			s.stopped = true
			continue // the source ends soon
		}
		pair, err := s.pairs.Push(f)
		if err != nil {
			return err
		}
		if pair == nil || s.sample > 1 && pair.First.Index%s.sample != 0 {
			continue
		}
		if left == 0 {
			if current != nil {
				close(current.pairs)
			}
			current, left = &segment{make(chan *frame.Pair, pairQueue), make(chan *field.Field, fieldsQueue)}, length
			if err := send(ctx, order, current); err != nil {
				return err
			}
			if err := send(ctx, work, current); err != nil {
				return err
			}
		}
		left--
		if err := send(ctx, current.pairs, pair); err != nil {
			return err
		}
	}
	if current != nil {
		close(current.pairs)
	}
	return nil
}

// estimateSegments is a network's stage. After an error a segment's channel stays open: its reader watches ctx.
func estimateSegments(ctx context.Context, network estimateFunc, work <-chan *segment) error {
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

// fields gives the segments' fields in their order. It ends after an error.
func fields(ctx context.Context, order <-chan *segment) iter.Seq2[*field.Field, error] {
	return func(yield func(*field.Field, error) bool) {
		for s := range order {
			for {
				f, err := receive(ctx, s.fields)
				if err == io.EOF {
					break
				}
				if !yield(f, err) || err != nil {
					return
				}
			}
		}
	}
}

// show exports and paints the fields.
func (s *stages) show(ctx context.Context, order <-chan *segment, images chan<- Image) error {
	for f, err := range fields(ctx, order) {
		if err != nil {
			return err
		}
		if err := s.export(f); err != nil {
			return errkind.Mark(ErrOutput, err)
		}
		image, err := s.paint(f)
		if err != nil {
			return err
		}
		if err := send(ctx, images, Image{Frame: image, Pair: min(f.Pair.First.Index, f.Pair.Second.Index)}); err != nil {
			return err
		}
	}
	return nil
}

// write is the last stage. The sink is opened with the first image: without one there is no file.
func (s *stages) write(ctx context.Context, images <-chan Image) (err error) {
	var out Sink
	for image := range images {
		if ctx.Err() != nil {
			break
		}
		if out == nil {
			if out, err = s.create(image.Frame); err != nil {
				return err
			}
			defer func() {
				if e := out.Close(); err == nil {
					err = e
				}
			}()
		}
		if err := out.Write(image); err != nil {
			return err
		}
		s.written(image.Frame)
	}
	if out == nil || ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return out.Commit()
}

// isClosed reports whether a channel that carries no values is closed.
func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// send waits until the channel takes the value or ctx is cancelled.
func send[T any](ctx context.Context, to chan<- T, v T) error {
	select {
	case to <- v:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// receive waits for a value or until ctx is cancelled; io.EOF where no value follows.
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
