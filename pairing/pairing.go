// Package pairing turns a sequence of frames into the pairs between which flow is estimated.
//
// With step k, every frame i is paired with frame i+k. N frames give N-k pairs, or none if N <= k. Pairs come in the
// order of the frames. A pair across a scene cut counts like any other pair. CutScore tells how likely a pair is one.
//
// A Pairer holds the last k frames only.
package pairing

import (
	"errors"
	"fmt"

	"github.com/wwflow/wwflow/frame"
)

var (
	// ErrSize is matched by the error for a frame whose size differs from that of the frames before it.
	ErrSize = errors.New("frames of different sizes")
	// ErrStep is returned for a step below 1.
	ErrStep = errors.New("the step between the frames of a pair must be 1 or more")
)

// SizeError describes a frame whose size differs from that of the frames before it. It matches ErrSize.
type SizeError struct {
	Index                   int // of the frame
	Width, Height           int // size of the frame in pixels
	FirstWidth, FirstHeight int // size of the frames before it in pixels
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("frame %d is %dx%d pixels, but the frames before it are %dx%d", e.Index, e.Width, e.Height, e.FirstWidth, e.FirstHeight)
}

func (e *SizeError) Is(target error) bool { return target == ErrSize }

// Pairer pairs the frames that are pushed into it. It is not safe for concurrent use.
type Pairer struct {
	ring  []*frame.Frame // the last frames, the oldest one at next
	next  int
	count int
}

// New returns a Pairer that pairs frame i with frame i+step. A step below 1 is ErrStep.
func New(step int) (*Pairer, error) {
	if step < 1 {
		return nil, fmt.Errorf("%w, not %d", ErrStep, step)
	}
	return &Pairer{ring: make([]*frame.Frame, step)}, nil
}

// Push adds the next frame and returns the pair that it completes, or nil for the first frames. A frame of another size
// is not added and gives a *SizeError.
func (p *Pairer) Push(f *frame.Frame) (*frame.Pair, error) {
	if first := p.ring[0]; first != nil && (f.Width != first.Width || f.Height != first.Height) {
		return nil, &SizeError{f.Index, f.Width, f.Height, first.Width, first.Height}
	}
	var pair *frame.Pair
	if oldest := p.ring[p.next]; oldest != nil {
		pair = &frame.Pair{First: oldest, Second: f}
	}
	p.ring[p.next] = f
	p.next = (p.next + 1) % len(p.ring)
	p.count++
	return pair, nil
}

// Count returns the number of frames added so far.
func (p *Pairer) Count() int { return p.count }
