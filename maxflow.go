package main

import (
	"context"
	"image"
	"io"
	"time"

	"golang.org/x/image/draw"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/visualize"
)

// `--max-flow auto` fixes one scale for the whole video before the first picture is painted. The network
// looks at a few pairs spread over the video, shrunk, and their lengths give the scale (visualize.Scale).
// A second pass over the video would double its time, and keeping all fields until the end would take 17 MB of
// disk for each Full-HD frame and show nothing until the last; eight small pairs cost about half as much as one
// of Full HD. What is longer than the scale is painted darker, so a moment that was missed is still legible.
const (
	looks     = 8   // pairs that are looked at, at most
	lookWidth = 448 // pixels of the longer side that they are shrunk to
)

// spread returns looks pairs from all over the part of the input that o chooses; fewer where it is short.
// It opens the input anew, so it is not for standard input.
func spread(ctx context.Context, path string, o decode.Options, info decode.Info, step int) ([]*frame.Pair, error) {
	length := info.Duration - o.Start
	if o.Duration > 0 {
		length = min(length, o.Duration)
	}
	if rate := info.FrameRate.Float(); o.Frames > 0 && rate > 0 {
		length = min(length, time.Duration(float64(o.Frames)/rate*float64(time.Second)))
	}
	parts := looks
	if info.FramesExact {
		parts = min(parts, max(1, info.Frames-step))
	}
	var pairs []*frame.Pair
	for i := range parts {
		at := o
		// From the middle of each part, so that fades at the ends do not count.
		at.Start += length * time.Duration(2*i+1) / time.Duration(2*parts)
		at.Duration, at.Frames = 0, step+1
		at.Uncounted = true // or each look would walk through the packets of the whole file before it
		at.Hardware = ""    // starting a device takes longer than decoding a few frames
		frames, err := readAll(ctx, path, at)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		// A part that can't be read, or that ends too early, only means one look less.
		if err == nil && len(frames) == step+1 {
			pairs = append(pairs, &frame.Pair{First: frames[0], Second: frames[step]})
		}
	}
	return pairs, nil
}

func readAll(ctx context.Context, path string, o decode.Options) ([]*frame.Frame, error) {
	in, err := decode.Open(ctx, path, o)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	var frames []*frame.Frame
	for {
		f, err := in.Read()
		if err == io.EOF {
			return frames, nil
		} else if err != nil {
			return nil, err
		}
		frames = append(frames, shrink(f))
	}
}

// replay gives back frames that were read ahead, then reads on.
type replay struct {
	held []*frame.Frame
	source
}

// peek reads looks pairs off the source's beginning, for an input that can be read only once or does not say how
// long it is.
func (r *replay) peek(step int) ([]*frame.Pair, error) {
	for len(r.held) < looks+step {
		f, err := r.source.Read()
		if err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
		r.held = append(r.held, f)
	}
	small := make([]*frame.Frame, len(r.held))
	for i, f := range r.held {
		small[i] = shrink(f)
	}
	var pairs []*frame.Pair
	for i := step; i < len(small); i++ {
		pairs = append(pairs, &frame.Pair{First: small[i-step], Second: small[i]})
	}
	return pairs, nil
}

func (r *replay) Read() (*frame.Frame, error) {
	if len(r.held) > 0 {
		f := r.held[0]
		r.held = r.held[1:]
		return f, nil
	}
	return r.source.Read()
}

// findScale is the scale for frames of that width, from pairs that may be smaller.
func findScale(ctx context.Context, pairs []*frame.Pair, width int, estimate func(context.Context, *frame.Pair) (*field.Field, error)) (float64, error) {
	var scale visualize.Scale
	for _, p := range pairs {
		if p.First.Width != p.Second.Width || p.First.Height != p.Second.Height {
			continue // the walk will say which frame differs
		}
		f, err := estimate(ctx, p)
		if err != nil {
			return 0, err
		}
		scale.Add(f, float64(width)/float64(f.Width))
	}
	return scale.Pixels(), nil
}

// shrink returns the frame with its longer side at lookWidth, or the frame itself where it is no longer.
func shrink(f *frame.Frame) *frame.Frame {
	longer := max(f.Width, f.Height)
	if longer <= lookWidth {
		return f
	}
	from := image.NewRGBA(image.Rect(0, 0, f.Width, f.Height))
	for i := range f.Width * f.Height {
		p, q := from.Pix[4*i:4*i+4], f.Pix[3*i:3*i+3]
		p[0], p[1], p[2], p[3] = q[0], q[1], q[2], 255
	}
	small := frame.New(max(1, f.Width*lookWidth/longer), max(1, f.Height*lookWidth/longer))
	to := image.NewRGBA(image.Rect(0, 0, small.Width, small.Height))
	draw.BiLinear.Scale(to, to.Rect, from, from.Rect, draw.Src, nil)
	for i := range small.Width * small.Height {
		copy(small.Pix[3*i:3*i+3], to.Pix[4*i:])
	}
	return small
}
