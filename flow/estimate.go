package flow

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flow/internal/ort"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/parallel"
)

// Estimate returns the flow from the frame of a to the frame of b, in pixels, with a confidence in (0, 1] for each pixel. A
// vector for which the network gave no finite number is unknown. The field has the size of the frames, and its vectors are in
// their pixels, at every detail. The error wraps ErrSize if the frames differ in size or were encoded at different detail,
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
	if a.width != b.width || a.height != b.height {
		return nil, fmt.Errorf("%w: the network saw one at %dx%d and the other at %dx%d: encode both at the same detail",
			ErrSize, a.width, a.height, b.width, b.height)
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
	result := newField(a.frame.Width, a.frame.Height)
	seen := result
	if a.width != result.Width || a.height != result.Height {
		seen = newField(a.width, a.height)
	}
	err := m.use(ctx, func(_, decoder *graph) error { return m.decode(ctx, decoder, a, b, seen, logScaleOffset(result, seen)) })
	if err != nil {
		return nil, err
	}
	if seen != result {
		resizeField(result, seen)
	}
	result.Pair = &frame.Pair{First: a.frame, Second: b.frame}
	return result, nil
}

// newField returns a field with confidence.
func newField(width, height int) *field.Field {
	f := field.New(width, height)
	f.Confidence = make([]float32, width*height)
	return f
}

// decode runs the decoder and fills the result, which has the size at which the network saw the frames. offset is added to the
// logarithms of the errors that the network expects.
func (m *Model) decode(ctx context.Context, decoder *graph, a, b *Features, result *field.Field, offset float32) error {
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
		return decoder.runError(width, height, err)
	}
	defer flow.Close()
	logScale, logScales, err := ort.NewOutput(decoder.session, result.Confidence, 1, int64(height), int64(width))
	if err != nil {
		return decoder.runError(width, height, err)
	}
	defer logScale.Close()
	outputs := make([]*ort.Tensor, len(decoder.session.Outputs))
	for i, port := range decoder.session.Outputs {
		outputs[i] = flow
		if port.Name == "log_scale" {
			outputs[i] = logScale
		}
	}
	if err := decoder.run(ctx, width, height, inputs, outputs); err != nil {
		return err
	}
	parallel.Ranges(height, 0, func(from, to int) {
		setVectors(result.Vectors[2*width*from:2*width*to], vectors[2*width*from:])
		setConfidence(result.Confidence[width*from:width*to], logScales[width*from:], offset)
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
// confidence is 1/(1+s): 1/2 for an error of 1 px. offset is added to each logarithm. A log scale that is not a number counts as
// very large. Both slices may be the same.
func setConfidence(confidences, logScales []float32, offset float32) {
	const limit = 40 // e^40 px: the confidence is still a normal float32
	for i := range confidences {
		s := logScales[i] + offset
		if s != s || s > limit {
			s = limit
		}
		confidences[i] = float32(1 / (1 + math.Exp(float64(s))))
	}
}
