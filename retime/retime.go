// Package retime makes frames between two frames from the flow between them in both directions.
//
// Both frames are splatted to the time of the new one, the first along the forward flow and the second along the backward flow
// (softmax splatting, Niklaus and Liu, CVPR 2020). A pixel's weight falls with the distance by which forward and backward flow
// miss it, so that of two pixels that meet the one whose flow can be trusted wins, and what only one frame shows comes from
// that frame. A flow that explains the frames worse than no motion does, as in repeating patterns, is not trusted either.
// Where both frames have pixels and none can be trusted, or neither has one, the blend of both frames shows through.
package retime

import (
	"math"

	"github.com/wwflow/wwflow/consistency"
	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/warp"
)

// Constants of the weights, chosen on clips for training, see docs/retiming.md.
const (
	decay    = 1.0  // the weight of a pixel is exp(-decay * d), where d is its distance in pixels
	tolerant = 0.05 // a distance of this share of the flow's length counts as nothing
	worse    = 1.0  // levels by which the flow may explain the frames worse than no motion: the weight falls by e for each
	radius   = 3    // pixels around one over which differences between frames are averaged
	blend    = 0.01 // weight of the blend of both frames where both have pixels
	hole     = 1e-9 // ... and elsewhere
)

// Interpolator makes the frames between two frames. It is for one goroutine.
type Interpolator struct {
	first, second *frame.Frame
	there, back   *field.Field
	weights       [2][]float32
}

// New returns an Interpolator for the pair of a field that has a Reverse.
func New(f *field.Field) *Interpolator {
	i := &Interpolator{first: f.Pair.First, second: f.Pair.Second, there: f, back: f.Reverse}
	for k, side := range [2]*field.Field{f, f.Reverse} {
		i.weights[k] = weights(side, side.Reverse)
		doubt(i.weights[k], side)
	}
	return i
}

// Possible reports whether anything is known about the motion: not across a scene cut or a damaged frame.
func Possible(f *field.Field) bool { return f.Reverse != nil && f.Share(field.Unchecked) < 1 }

// weights returns the weight of each pixel of a field. A pixel whose flow leads out of the other frame has a small one: nothing
// contradicts its flow, but what is visible in both frames goes first.
func weights(f, reverse *field.Field) []float32 {
	list := make([]float32, f.Width*f.Height)
	for i := range list {
		u, v := f.Vectors[2*i], f.Vectors[2*i+1]
		if !field.Known(u, v) {
			continue
		}
		d := 2.0
		if f.Visibility[i] != field.Outside {
			bu, bv := consistency.At(reverse, float32(i%f.Width)+u, float32(i/f.Width)+v)
			if !field.Known(bu, bv) {
				continue
			}
			d = math.Hypot(float64(u+bu), float64(v+bv)) - tolerant*math.Hypot(float64(u), float64(v))
		}
		list[i] = float32(math.Exp(-decay * max(d, 0)))
	}
	return list
}

// doubt lowers the weights of pixels whose flow explains the other frame worse than no motion does: by their mean differences to
// the pixels there, around each pixel.
func doubt(weights []float32, f *field.Field) {
	first, second := f.Pair.First, f.Pair.Second
	moved, known, err := warp.Backward(second, f)
	if err != nil {
		return // the sizes of a field and its frames are equal
	}
	gain := make([]float32, f.Width*f.Height) // what the flow explains worse
	for i := range gain {
		if !known[i] {
			continue
		}
		for c := 3 * i; c < 3*i+3; c++ {
			gain[i] += (difference(first.Pix[c], moved.Pix[c]) - difference(first.Pix[c], second.Pix[c])) / 3
		}
	}
	average(gain, f.Width, f.Height)
	for i, g := range gain {
		weights[i] *= float32(math.Exp(-float64(max(g, 0)) / worse))
	}
}

func difference(a, b uint8) float32 {
	d := float32(a) - float32(b)
	return max(d, -d)
}

// average replaces each value by the mean of those around it.
func average(values []float32, width, height int) {
	line := make([]float32, max(width, height))
	mean := func(n, first, stride int) {
		sum, count := float32(0), 0
		for k := range n + radius {
			if k < n {
				line[k] = values[first+k*stride]
				sum, count = sum+line[k], count+1
			}
			if old := k - 2*radius - 1; old >= 0 {
				sum, count = sum-line[old], count-1
			}
			if at := k - radius; at >= 0 {
				values[first+at*stride] = sum / float32(count)
			}
		}
	}
	for y := range height {
		mean(width, y*width, 1)
	}
	for x := range width {
		mean(height, x, width)
	}
}

// At returns the frame at the share t, between 0 and 1, of the time from the first to the second frame. Its index and times are
// the caller's to set.
func (p *Interpolator) At(t float64) (*frame.Frame, error) {
	w, h := p.first.Width, p.first.Height
	from := [2]*warp.Splat{warp.NewSplat(w, h), warp.NewSplat(w, h)}
	errs := make(chan error, 2)
	go func() { errs <- from[0].Add(p.first, p.there, float32(t), p.weights[0]) }()
	go func() { errs <- from[1].Add(p.second, p.back, float32(1-t), p.weights[1]) }()
	for range from {
		if err := <-errs; err != nil {
			return nil, err
		}
	}
	out := frame.New(w, h)
	share := [2]float32{float32(1 - t), float32(t)}
	for i := range w * h {
		a, b := share[0]*from[0].Weight[i], share[1]*from[1].Weight[i]
		ground := float32(hole) + blend*min(from[0].Coverage[i], from[1].Coverage[i], 1)
		total := a + b + ground
		for c := range 3 {
			k := 3*i + c
			sum := share[0]*from[0].Colour[k] + share[1]*from[1].Colour[k]
			sum += ground * (share[0]*float32(p.first.Pix[k]) + share[1]*float32(p.second.Pix[k]))
			out.Pix[k] = uint8(min(sum/total+0.5, 255))
		}
	}
	return out, nil
}
