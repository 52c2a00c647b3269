package flow

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flow/internal/ort"
	"github.com/wwflow/wwflow/frame"
)

// Estimate returns the flow from the frame of a to the frame of b, in pixels, with a confidence in (0, 1] for each pixel. A
// vector for which the network gave no finite number is unknown. The error wraps ErrSize if the frames differ in size,
// ErrClosed if the Model or the features are closed, and ErrMemory if the frames are too large for the device. If ctx is
// cancelled the error is the context's cause.
func (m *Model) Estimate(ctx context.Context, a, b *Features) (*field.Field, error) {
	if a.model != m || b.model != m {
		return nil, errors.New("the features belong to another network")
	}
	if a.frame.Width != b.frame.Width || a.frame.Height != b.frame.Height {
		return nil, fmt.Errorf("%w: %dx%d and %dx%d: scale or crop one of them",
			ErrSize, a.frame.Width, a.frame.Height, b.frame.Width, b.frame.Height)
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	if b != a { // to read-lock twice can deadlock with a waiting Close
		b.mu.RLock()
		defer b.mu.RUnlock()
	}
	if a.tensors == nil || b.tensors == nil {
		return nil, ErrClosed
	}
	result := &field.Field{
		Pair:       &frame.Pair{First: a.frame, Second: b.frame},
		Width:      a.frame.Width,
		Height:     a.frame.Height,
		Vectors:    make([]float32, 2*a.frame.Width*a.frame.Height),
		Confidence: make([]float32, a.frame.Width*a.frame.Height),
	}
	err := m.use(ctx, func(_, decoder *graph) error { return m.decode(ctx, decoder, a, b, result) })
	if err != nil {
		return nil, err
	}
	return result, nil
}

// decode runs the decoder and fills the result.
func (m *Model) decode(ctx context.Context, decoder *graph, a, b *Features, result *field.Field) error {
	inputs := make([]*ort.Tensor, len(m.sources))
	for i, source := range m.sources {
		inputs[i] = a.tensors[source.feature]
		if source.second {
			inputs[i] = b.tensors[source.feature]
		}
	}
	width, height := result.Width, result.Height
	// The network writes into the slices of the result, or into staging memory of a GPU.
	flow, vectors, err := ort.NewOutput(decoder.session, result.Vectors, 1, int64(height), int64(width), 2)
	if err != nil {
		return decoder.runError(a.frame, err)
	}
	defer flow.Close()
	logScale, logScales, err := ort.NewOutput(decoder.session, result.Confidence, 1, int64(height), int64(width))
	if err != nil {
		return decoder.runError(a.frame, err)
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
		setVectors(result.Vectors[2*width*from:2*width*to], vectors[2*width*from:])
		setConfidence(result.Confidence[width*from:width*to], logScales[width*from:])
	})
	return nil
}

// setVectors copies vectors, and makes those unknown that are not finite. Both slices may be the same.
func setVectors(vectors, values []float32) {
	for i := 0; i < len(vectors); i += 2 {
		u, v := values[i], values[i+1]
		if u-u != 0 || v-v != 0 {
			u, v = field.Unknown(), field.Unknown()
		}
		vectors[i], vectors[i+1] = u, v
	}
}

// setConfidence turns logarithms of Laplace scales into confidences. For a scale of s pixels, which is the expected error, the
// confidence is 1/(1+s): 1/2 for an error of 1 px. A log scale that is not a number counts as very large. Both slices may be
// the same.
func setConfidence(confidences, logScales []float32) {
	const limit = 40 // e^40 px: the confidence is still a normal float32
	for i := range confidences {
		s := logScales[i]
		if s != s || s > limit {
			s = limit
		}
		confidences[i] = float32(1 / (1 + math.Exp(float64(s))))
	}
}

// parallel calls work for ranges that cover 0 to n, on all cores.
func parallel(n int, work func(from, to int)) {
	parts := min(runtime.GOMAXPROCS(0), n)
	var wait sync.WaitGroup
	for i := range parts {
		wait.Go(func() { work(n*i/parts, n*(i+1)/parts) })
	}
	wait.Wait()
}
