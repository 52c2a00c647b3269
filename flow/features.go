package flow

import (
	"context"
	"fmt"
	"sync"

	"github.com/wwflow/wwflow/flow/internal/ort"
	"github.com/wwflow/wwflow/frame"
)

// Features is what the encoder made of one frame, for any number of estimates. It keeps the frame.
// It lies on the device of the Model that made it. Close it when no estimate needs it any more.
type Features struct {
	model *Model
	frame *frame.Frame

	mu     sync.RWMutex  // held for reading by an estimate, for writing by Close
	values []*ort.Tensor // in the order of the encoder's outputs; nil once closed
}

// Frame is the frame that the features were made of.
func (f *Features) Frame() *frame.Frame { return f.frame }

// Close gives the features' memory back. It waits for an estimate that uses them.
func (f *Features) Close() error {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, value := range f.values {
		value.Close()
	}
	f.values = nil
	return nil
}

// Encode runs the encoder on one frame. The error is the context's cause where that was cancelled, and wraps
// ErrMemory where the frame is too large for the device.
func (m *Model) Encode(ctx context.Context, f *frame.Frame) (*Features, error) {
	if err := checkFrame(f); err != nil {
		return nil, err
	}
	features := &Features{model: m, frame: f}
	err := m.use(ctx, func(encoder, _ *graph) error {
		picture, err := ort.NewInput(encoder.session, f.Pix, 1, int64(f.Height), int64(f.Width), 3)
		if err != nil {
			return encoder.describe(f, err)
		}
		defer picture.Close()
		values := make([]*ort.Tensor, len(encoder.session.Outputs))
		if err := encoder.run(ctx, f, []*ort.Tensor{picture}, values); err != nil {
			return err
		}
		features.values = values
		return nil
	})
	if err != nil {
		return nil, err
	}
	return features, nil
}

func checkFrame(f *frame.Frame) error {
	if f == nil || f.Width <= 0 || f.Height <= 0 || len(f.Pix) != 3*f.Width*f.Height {
		return fmt.Errorf("a frame without pixels can't be encoded")
	}
	return nil
}
