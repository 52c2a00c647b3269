package decode

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/asticode/go-astiav"

	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/libav"
)

// decoder produces decoded pictures. decode fills raw, which is empty; io.EOF at the end.
type decoder interface {
	decode(ctx context.Context, raw *astiav.Frame) (stamp, error)
}

// stamp is what a frame keeps of its picture beside the pixels.
type stamp struct {
	pts, duration int64  // in units of the time base
	index         int    // in the selected part of the input
	name          string // file name; "" in a video
}

// converter turns the pictures of a decoder into RGB frames through a filter graph. Filters may delay pictures, but
// they return one picture per picture and in order.
type converter struct {
	decoder       decoder
	width, height int // of the frames
	base          frame.Rational
	aspect        frame.Rational
	threads       int
	interlaced    bool        // an interlaced picture was found
	turn          orientation // of raw
	fixedTurn     bool        // turn holds for all pictures; otherwise each one states its own

	raw, rgb *astiav.Frame
	held     bool // raw waits, with heldAt, to enter a graph
	heldAt   stamp
	graph    *libav.Graph
	input    filterInput // of the current graph; zero before the first
	stamps   []stamp     // of the pictures inside the graph
	ended    bool        // the decoder has no more pictures
}

func (c *converter) open() error {
	c.raw, c.rgb = astiav.AllocFrame(), astiav.AllocFrame()
	if c.raw == nil || c.rgb == nil {
		return errors.New("out of memory")
	}
	return nil
}

// hold decodes a picture into raw, if none is there.
func (c *converter) hold(ctx context.Context) (err error) {
	if c.held {
		return nil
	}
	if c.heldAt, err = c.decoder.decode(ctx, c.raw); err != nil {
		return err
	}
	c.held = true
	c.interlaced = c.interlaced || libav.Interlaced(c.raw)
	if !c.fixedTurn {
		c.turn = orientationOf(c.raw, nil)
	}
	return nil
}

// next returns the next frame.
func (c *converter) next(ctx context.Context) (*frame.Frame, error) {
	for {
		if c.graph != nil {
			switch err := c.graph.Pull(c.rgb); {
			case err == nil:
				return c.take(), nil
			case err == io.EOF:
				c.graph.Close()
				c.graph = nil
			case err != libav.ErrMore:
				return nil, err
			}
		}
		if c.graph == nil && c.ended {
			return nil, io.EOF
		}
		err := c.hold(ctx)
		switch {
		case err == nil:
			err = c.push()
		case err == io.EOF:
			c.ended, err = true, nil
			if c.graph != nil {
				err = c.graph.Push(nil)
			}
		}
		if err != nil {
			return nil, err
		}
	}
}

// push hands raw to the graph. If the picture does not fit the graph, push ends the graph's input instead and keeps
// raw until the graph is empty.
func (c *converter) push() error {
	in := filterInputOf(c.raw, c.turn, c.interlaced)
	if c.graph != nil && in != c.input {
		return c.graph.Push(nil)
	}
	if c.graph == nil {
		w, h := in.uprightSize()
		if fw, fh := c.input.uprightSize(); c.input.width != 0 && (w != fw || h != fh) {
			return &SizeError{cmp.Or(c.heldAt.name, fmt.Sprintf("frame %d", c.heldAt.index)), w, h, fw, fh}
		}
		p := libav.Picture{Width: in.width, Height: in.height, Format: in.format, TimeBase: c.base, SampleAspect: c.aspect, Colors: in.colors}
		g, err := libav.NewGraph(p, filterSpec(in, c.width, c.height), c.threads)
		if err != nil {
			return err
		}
		c.graph, c.input = g, in
	}
	libav.SetColors(c.raw, in.colors)
	c.stamps = append(c.stamps, c.heldAt)
	c.held = false
	return c.graph.Push(c.raw)
}

// take copies rgb into a Frame.
func (c *converter) take() *frame.Frame {
	s := c.stamps[0]
	c.stamps = c.stamps[1:]
	f := frame.New(c.rgb.Width(), c.rgb.Height())
	f.Index, f.PTS, f.Duration, f.TimeBase = s.index, s.pts, s.duration, c.base
	libav.CopyRGB(f.Pix, c.rgb)
	c.rgb.Unref()
	return f
}

func (c *converter) close() {
	c.graph.Close()
	c.graph = nil
	if c.raw != nil {
		c.raw.Free()
	}
	if c.rgb != nil {
		c.rgb.Free()
	}
	c.raw, c.rgb = nil, nil
}
