package flow

import (
	"cmp"
	"context"
	"errors"
	"sync"

	"github.com/wwflow/wwflow/flow/internal/ort"
	"github.com/wwflow/wwflow/frame"
)

// Features are the encoder's output for one frame, in the memory of the device; for a network of one graph, its input. They serve any number of calls of Estimate.
type Features struct {
	model *Model
	frame *frame.Frame
	// The size at which the network saw the frame, in pixels.
	width, height int

	mu      sync.RWMutex  // read-locked during Estimate, locked by Close
	tensors []*ort.Tensor // in the order of the encoder's outputs; nil after Close
}

// Frame returns the frame that was encoded.
func (f *Features) Frame() *frame.Frame { return f.frame }

// Close frees the features. It waits until no Estimate uses them. It always returns nil.
func (f *Features) Close() error {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, tensor := range f.tensors {
		tensor.Close()
	}
	f.tensors = nil
	return nil
}

// Encode runs the encoder on a frame, resized by Detail. The error wraps ErrMemory if the frame is too large for the device, and
// ErrClosed if the Model is closed. If ctx is cancelled the error is the context's cause.
func (m *Model) Encode(ctx context.Context, f *frame.Frame) (*Features, error) {
	return m.EncodeAt(ctx, f, m.Detail())
}

// EncodeAt is Encode with another detail, in the range of Options.Detail, than the Model's.
func (m *Model) EncodeAt(ctx context.Context, f *frame.Frame, detail float64) (*Features, error) {
	if f == nil || f.Width <= 0 || f.Height <= 0 || len(f.Pix) != 3*f.Width*f.Height {
		return nil, errors.New("the frame has no pixels, or not as many as its size says")
	}
	if err := CheckDetail(detail); err != nil {
		return nil, err
	}
	features := &Features{model: m, frame: f}
	features.width, features.height = m.seenSize(f.Width, f.Height, cmp.Or(detail, 1))
	err := m.use(ctx, func(encoder, decoder *graph) (err error) {
		seen := resizeFrame(f, features.width, features.height)
		if encoder == nil {
			image, err := decoder.image(m.images, seen)
			features.tensors = []*ort.Tensor{image}
			return err
		}
		features.tensors, err = encoder.encode(ctx, m.images, seen)
		return err
	})
	if err != nil {
		return nil, err
	}
	return features, nil
}

// image returns a frame as an input of the graph.
func (g *graph) image(i images, f *frame.Frame) (*ort.Tensor, error) {
	t, err := i.tensor(g.session, f)
	if err != nil {
		return nil, g.runError(f.Width, f.Height, err)
	}
	return t, nil
}

// encode runs the encoder on a frame as it is.
func (g *graph) encode(ctx context.Context, i images, f *frame.Frame) ([]*ort.Tensor, error) {
	input, err := g.image(i, f)
	if err != nil {
		return nil, err
	}
	defer input.Close()
	tensors := make([]*ort.Tensor, len(g.session.Outputs))
	if err := g.run(ctx, f.Width, f.Height, []*ort.Tensor{input}, tensors); err != nil {
		return nil, err
	}
	return tensors, nil
}
