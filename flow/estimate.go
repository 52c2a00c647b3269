package flow

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flow/internal/ort"
	"github.com/wwflow/wwflow/frame"
)

// Estimate is the flow from the frame of a to the frame of b, in pixels, with a confidence for each pixel.
// A vector for which the network gave no finite number is unknown. The error wraps ErrSize where the frames'
// sizes differ, ErrClosed where something is closed, ErrMemory where the frames are too large for the device, and
// is the context's cause where that was cancelled.
func (m *Model) Estimate(ctx context.Context, a, b *Features) (*field.Field, error) {
	if a.model != m || b.model != m {
		return nil, fmt.Errorf("features of another network: encode the frame with the network that estimates")
	}
	if a.frame.Width != b.frame.Width || a.frame.Height != b.frame.Height {
		return nil, fmt.Errorf("%w: %dx%d and %dx%d: scale or crop one of them to the other's size",
			ErrSize, a.frame.Width, a.frame.Height, b.frame.Width, b.frame.Height)
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	if b != a { // a lock that is read-locked twice can deadlock with a waiting Close
		b.mu.RLock()
		defer b.mu.RUnlock()
	}
	if a.values == nil || b.values == nil {
		return nil, ErrClosed
	}
	width, height := a.frame.Width, a.frame.Height
	result := &field.Field{
		Pair:  &frame.Pair{First: a.frame, Second: b.frame},
		Width: width, Height: height,
		Vectors:    make([]float32, 2*width*height),
		Confidence: make([]float32, width*height),
	}
	err := m.use(ctx, func(_, decoder *graph) error {
		inputs := make([]*ort.Tensor, len(m.feeds))
		for i, feed := range m.feeds {
			if feed.second {
				inputs[i] = b.values[feed.feature]
			} else {
				inputs[i] = a.values[feed.feature]
			}
		}
		// The network writes into the result's slices, or into memory that a GPU writes faster to.
		flow, vectors, err := ort.NewOutput(decoder.session, result.Vectors, 1, int64(height), int64(width), 2)
		if err != nil {
			return decoder.describe(a.frame, err)
		}
		defer flow.Close()
		logScale, scales, err := ort.NewOutput(decoder.session, result.Confidence, 1, int64(height), int64(width))
		if err != nil {
			return decoder.describe(a.frame, err)
		}
		defer logScale.Close()
		outputs := make([]*ort.Tensor, len(decoder.session.Outputs))
		for i, port := range decoder.session.Outputs {
			outputs[i] = flow
			if port.Name == "log_scale" {
				outputs[i] = logScale
			}
		}
		if err := decoder.run(ctx, a.frame, inputs, outputs); err != nil {
			return err
		}
		parallel(height, func(from, to int) {
			known(result.Vectors[2*width*from:2*width*to], vectors[2*width*from:])
			confidence(result.Confidence[width*from:width*to], scales[width*from:])
		})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// known takes vectors over from values, and makes both components of those unknown that aren't finite.
// The two may be one slice.
func known(vectors, values []float32) {
	for i := 0; i < len(vectors); i += 2 {
		u, v := values[i], values[i+1]
		if u-u != 0 || v-v != 0 {
			u, v = field.Unknown(), field.Unknown()
		}
		vectors[i], vectors[i+1] = u, v
	}
}

// confidence turns log scales into confidences: c = 1/(1+s) for a Laplace scale of s pixels, so that an expected
// error of 1 px gives 1/2 and no error gives 1. It falls as s grows and stays above 0; a log scale that is no
// number counts as a boundless scale. The two may be one slice.
func confidence(confidences, scales []float32) {
	const bound = 40 // e^40 px: the confidence stays a normal float32
	for i := range confidences {
		s := scales[i]
		if s != s || s > bound {
			s = bound
		}
		confidences[i] = float32(1 / (1 + math.Exp(float64(s))))
	}
}

// parallel calls work for disjoint ranges that cover [0, n), on all cores.
func parallel(n int, work func(from, to int)) {
	parts := min(runtime.GOMAXPROCS(0), n)
	var wait sync.WaitGroup
	for i := range parts {
		wait.Go(func() { work(n*i/parts, n*(i+1)/parts) })
	}
	wait.Wait()
}
