// Package pairing turns a run of frames into the pairs between which flow is estimated.
//
// Its policy: with step k, frame i is paired with frame i+k, for every i. N frames give N-k pairs (N-1 with
// step 1), none where N is not above k; the last k frames start no pair. No frame is left out and none is
// used in another order. A pair across a scene cut is a pair like any other, so that the count holds; Cut
// says how much a pair looks like one, for a caller who wants to treat it apart.
//
// It holds the last k frames and nothing else, whatever the length of the video.
package pairing

import (
	"errors"
	"fmt"

	"github.com/wwflow/wwflow/frame"
)

var (
	// ErrSize is matched by the error for a frame whose size is not that of the frames before it.
	ErrSize = errors.New("frames of different sizes")
	// ErrStep is matched by the error for a step below 1.
	ErrStep = errors.New("the step between the frames of a pair must be 1 or more")
)

// SizeError says which frame has another size than the first one. It matches ErrSize.
type SizeError struct {
	Index                   int // of the frame that differs
	Width, Height           int // its size in pixels
	FirstWidth, FirstHeight int // the first frame's
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("frame %d is %dx%d pixels, but the frames before it are %dx%d", e.Index, e.Width, e.Height, e.FirstWidth, e.FirstHeight)
}

func (e *SizeError) Is(target error) bool { return target == ErrSize }

// Pairer pairs the frames that are pushed into it. It is not for use by several goroutines at once.
type Pairer struct {
	ring []*frame.Frame // the last frames; the oldest one at next
	next int
	seen int
}

// New makes a Pairer that pairs each frame with the one step frames later; step is 1 or more.
func New(step int) (*Pairer, error) {
	if step < 1 {
		return nil, fmt.Errorf("%w, not %d", ErrStep, step)
	}
	return &Pairer{ring: make([]*frame.Frame, step)}, nil
}

// Push takes the next frame and returns the pair that it completes: nil for the first step frames. A frame
// of another size is a *SizeError and is not taken.
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
	p.seen++
	return pair, nil
}

// Seen is the number of frames pushed so far.
func (p *Pairer) Seen() int { return p.seen }
