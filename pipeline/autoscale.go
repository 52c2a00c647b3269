package pipeline

import (
	"context"
	"image"
	"io"
	"time"

	"golang.org/x/image/draw"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/visualize"
)

// Without Paint.MaxFlow one scale for the whole video is chosen before the first image is painted: the network
// estimates a few sample pairs spread over the video, shrunk, and their lengths give the scale (visualize.Scale).
// A second pass over the video would double its time, and keeping all fields until the end would take 17 MB of
// disk for each Full-HD frame and show nothing until the last; eight small pairs cost about half as much as one
// of Full HD. The network sees them at their shrunk size whatever its detail, so that the scale does not depend on the
// detail. What is longer than the scale is painted darker, so motion that the samples missed stays legible.
const (
	samplePairs = 8   // sample pairs at most
	sampleSide  = 448 // pixels of their longer side
)

// spreadPairs reads sample pairs from all over the part of the input that o chooses; fewer where it is short.
// It opens the input again, so it is not for standard input. The pairs do not depend on Options.First, so that all sections
// of a video have one scale. Without a known length the pairs are at the beginning.
func spreadPairs(ctx context.Context, path string, o decode.Options, info decode.Info, step int) ([]*frame.Pair, error) {
	o.First = 0
	length := max(0, info.Duration-o.Start)
	if o.Duration > 0 {
		length = min(length, o.Duration)
	}
	if rate := info.FrameRate.Float(); o.Frames > 0 && rate > 0 {
		length = min(length, time.Duration(float64(o.Frames)/rate*float64(time.Second)))
	}
	parts := samplePairs
	if info.FramesExact {
		parts = min(parts, max(1, info.Frames-step))
	}
	var pairs []*frame.Pair
	for i := range parts {
		at := o
		// From the middle of each part, so that fades at the ends do not count.
		at.Start += length * time.Duration(2*i+1) / time.Duration(2*parts)
		at.Duration, at.Frames = 0, step+1
		at.Uncounted = true // counting would read the packets of the whole file for each sample
		at.Hardware = ""    // starting a device takes longer than decoding a few frames
		frames, err := readSmall(ctx, path, at)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		// A part that cannot be read or ends too early only means one sample less.
		if err == nil && len(frames) == step+1 {
			pairs = append(pairs, &frame.Pair{First: frames[0], Second: frames[step]})
		}
	}
	return pairs, nil
}

// readSmall reads all frames that o chooses, shrunk.
func readSmall(ctx context.Context, path string, o decode.Options) ([]*frame.Frame, error) {
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

// replay returns frames that were read ahead, then reads on.
type replay struct {
	held []*frame.Frame
	end  error // of reading ahead
	source
}

// prefetch reads sample pairs from the beginning of the source, for an input that can be read only once or that does
// not say how long it is. An error is left to Read.
func (r *replay) prefetch(step int) []*frame.Pair {
	for len(r.held) < samplePairs+step && r.end == nil {
		f, err := r.source.Read()
		if err != nil {
			r.end = err
			break
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
	return pairs
}

func (r *replay) Read() (*frame.Frame, error) {
	if len(r.held) > 0 {
		f := r.held[0]
		r.held = r.held[1:]
		return f, nil
	}
	if r.end != nil {
		return nil, r.end
	}
	return r.source.Read()
}

// chooseScale returns the scale in pixels for frames of that width, from sample pairs that may be smaller.
func chooseScale(ctx context.Context, pairs []*frame.Pair, width int, estimate estimateFunc) (float64, error) {
	var scale visualize.Scale
	for _, p := range pairs {
		if p.First.Width != p.Second.Width || p.First.Height != p.Second.Height {
			continue // the run will say which frame differs
		}
		f, err := estimate(ctx, p)
		if err != nil {
			return 0, err
		}
		scale.Add(f, float64(width)/float64(f.Width))
	}
	return scale.Pixels(), nil
}

// shrink returns the frame with its longer side at sampleSide, or the frame itself where it is no longer.
func shrink(f *frame.Frame) *frame.Frame {
	longer := max(f.Width, f.Height)
	if longer <= sampleSide {
		return f
	}
	from := f.Image()
	to := image.NewRGBA(image.Rect(0, 0, max(1, f.Width*sampleSide/longer), max(1, f.Height*sampleSide/longer)))
	draw.BiLinear.Scale(to, to.Rect, from, from.Rect, draw.Src, nil)
	return frame.FromImage(to)
}
