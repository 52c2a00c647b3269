package flow

import (
	"context"
	"errors"
	"sync"

	"github.com/wwflow/wwflow/flow/internal/ort"
	"github.com/wwflow/wwflow/frame"
)

// Features are the encoder's output for one frame, in the memory of the device. They serve any number of calls of Estimate.
type Features struct {
	model *Model
	frame *frame.Frame

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

// Encode runs the encoder on a frame. The error wraps ErrMemory if the frame is too large for the device, and ErrClosed if the
// Model is closed. If ctx is cancelled the error is the context's cause.
func (m *Model) Encode(ctx context.Context, f *frame.Frame) (*Features, error) {
	if f == nil || f.Width <= 0 || f.Height <= 0 || len(f.Pix) != 3*f.Width*f.Height {
		return nil, errors.New("the frame has no pixels, or not as many as its size says")
	}
	features := &Features{model: m, frame: f}
	err := m.use(ctx, func(encoder, _ *graph) error {
		input, err := ort.NewInput(encoder.session, f.Pix, 1, int64(f.Height), int64(f.Width), 3)
		if err != nil {
			return encoder.runError(f, err)
		}
		defer input.Close()
		tensors := make([]*ort.Tensor, len(encoder.session.Outputs))
		if err := encoder.run(ctx, f, []*ort.Tensor{input}, tensors); err != nil {
			return err
		}
		features.tensors = tensors
		return nil
	})
	if err != nil {
		return nil, err
	}
	return features, nil
}
