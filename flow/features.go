package flow

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"github.com/wwflow/wwflow/frame"
	ort "github.com/yalue/onnxruntime_go"
)

// Features is what the encoder made of one frame, for any number of estimates. It keeps the frame.
// It belongs to the Model that made it. Close it when no estimate needs it any more.
type Features struct {
	model *Model
	frame *frame.Frame

	mu     sync.RWMutex // held for reading by an estimate, for writing by Close
	values []ort.Value  // in the order of the encoder's outputs; nil once closed
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
	if f.values != nil {
		f.model.pool.put(f.frame.Width, f.frame.Height, f.values)
		f.values = nil
	}
	return nil
}

// Encode runs the encoder on one frame. The error is the context's cause where that was cancelled.
func (m *Model) Encode(ctx context.Context, f *frame.Frame) (*Features, error) {
	if err := checkFrame(f); err != nil {
		return nil, err
	}
	features := &Features{model: m, frame: f}
	err := m.use(ctx, func(encoder, _ *graph) error {
		var pin runtime.Pinner
		defer pin.Unpin()
		pin.Pin(&f.Pix[0])
		picture, err := ort.NewTensor(ort.NewShape(1, int64(f.Height), int64(f.Width), 3), f.Pix)
		if err != nil {
			return err
		}
		defer picture.Destroy()
		values := m.pool.get(f.Width, f.Height)
		if values == nil {
			values = make([]ort.Value, len(encoder.outputs))
		}
		if err := encoder.run(ctx, []ort.Value{picture}, values); err != nil {
			destroy(values)
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

// pool keeps the feature tensors of one frame size for the next frame of that size, so that the features of
// a video are written into the same few buffers, and onnxruntime_go, which copies every tensor that it has
// to make, copies nothing. The size is the last one that was asked for.
type pool struct {
	mu            sync.Mutex
	width, height int
	free          [][]ort.Value
	closed        bool
}

// get is a free set of tensors for this frame size, or nil.
func (p *pool) get(width, height int) []ort.Value {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.width != width || p.height != height {
		p.empty()
		p.width, p.height = width, height
	}
	if len(p.free) == 0 {
		return nil
	}
	last := len(p.free) - 1
	values := p.free[last]
	p.free = p.free[:last]
	return values
}

func (p *pool) put(width, height int, values []ort.Value) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.width != width || p.height != height {
		destroy(values)
		return
	}
	p.free = append(p.free, values)
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.empty()
}

func (p *pool) empty() {
	for _, values := range p.free {
		destroy(values)
	}
	p.free = nil
}

func destroy(values []ort.Value) {
	for _, value := range values {
		if value != nil {
			value.Destroy()
		}
	}
}
