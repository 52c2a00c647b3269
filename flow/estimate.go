package flow

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
	ort "github.com/yalue/onnxruntime_go"
)

// Estimate is the flow from the frame of a to the frame of b, in pixels, with a confidence for each pixel.
// A vector for which the network gave no finite number is unknown. The error wraps ErrSize where the frames'
// sizes differ, ErrClosed where something is closed, and is the context's cause where that was cancelled.
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
		inputs := make([]ort.Value, len(m.feeds))
		for i, feed := range m.feeds {
			if feed.second {
				inputs[i] = b.values[feed.feature]
			} else {
				inputs[i] = a.values[feed.feature]
			}
		}
		// The network writes straight into the result's slices.
		var pin runtime.Pinner
		defer pin.Unpin()
		pin.Pin(&result.Vectors[0])
		pin.Pin(&result.Confidence[0])
		vectors, err := ort.NewTensor(ort.NewShape(1, int64(height), int64(width), 2), result.Vectors)
		if err != nil {
			return err
		}
		defer vectors.Destroy()
		logScale, err := ort.NewTensor(ort.NewShape(1, int64(height), int64(width)), result.Confidence)
		if err != nil {
			return err
		}
		defer logScale.Destroy()
		outputs := make([]ort.Value, len(decoder.outputs))
		for i, name := range decoder.outputs {
			outputs[i] = vectors
			if name == "log_scale" {
				outputs[i] = logScale
			}
		}
		return decoder.run(ctx, inputs, outputs)
	})
	if err != nil {
		return nil, err
	}
	parallel(height, func(from, to int) {
		forget(result.Vectors[2*width*from : 2*width*to])
		confidence(result.Confidence[width*from : width*to])
	})
	return result, nil
}

// forget makes both components of every vector unknown that isn't finite.
func forget(vectors []float32) {
	for i := 0; i < len(vectors); i += 2 {
		u, v := vectors[i], vectors[i+1]
		if u-u != 0 || v-v != 0 {
			vectors[i], vectors[i+1] = field.Unknown(), field.Unknown()
		}
	}
}

// confidence turns log scales into confidences, in place: c = 1/(1+s) for a Laplace scale of s pixels, so that
// an expected error of 1 px gives 1/2 and no error gives 1. It falls as s grows and stays above 0; a log scale
// that is no number counts as a boundless scale.
func confidence(values []float32) {
	const bound = 40 // e^40 px: the confidence stays a normal float32
	for i, s := range values {
		if s != s || s > bound {
			s = bound
		}
		values[i] = float32(1 / (1 + math.Exp(float64(s))))
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
