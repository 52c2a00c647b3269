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
	var result, seen *field.Field
	err := m.use(ctx, func(_, decoder *graph) error {
		result = m.newField(a.frame.Width, a.frame.Height)
		seen = result
		if a.width != result.Width || a.height != result.Height {
			seen = m.newField(a.width, a.height)
		}
		return m.decode(ctx, decoder, a, b, seen, logScaleOffset(result, seen))
	})
	if err != nil {
		return nil, err
	}
	if seen != result {
		resizeField(result, seen)
	}
	result.Pair = &frame.Pair{First: a.frame, Second: b.frame}
	return result, nil
}

// newField returns a field, with confidence if the network gives one.
func (m *Model) newField(width, height int) *field.Field {
	f := field.New(width, height)
	if m.HasConfidence() {
		f.Confidence = make([]float32, width*height)
	}
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
	p := m.images.padded(width, height)
	// Where the form allows it the network writes into the slices of the result, or into staging memory of a GPU.
	vectors, confidences := result.Vectors, result.Confidence
	whole := p == plane{width: width, height: height}
	if !whole || m.layout != NHWC {
		vectors = make([]float32, 2*p.width*p.height)
	}
	if !whole && confidences != nil {
		confidences = make([]float32, p.width*p.height)
	}
	outputs := make([]*ort.Tensor, len(decoder.session.Outputs))
	defer func() {
		for _, t := range outputs {
			t.Close()
		}
	}()
	var logScales []float32
	flow := decoder.output("flow")
	var err error
	if outputs[flow], vectors, err = ort.NewOutput(decoder.session, vectors, p.shape(m.layout, 2)...); err != nil {
		return decoder.runError(width, height, err)
	}
	if i := decoder.output("log_scale"); i >= 0 {
		shape := []int64{1, int64(p.height), int64(p.width)}
		if len(decoder.session.Outputs[i].Shape) == 4 {
			shape = p.shape(m.layout, 1)
		}
		if outputs[i], logScales, err = ort.NewOutput(decoder.session, confidences, shape...); err != nil {
			return decoder.runError(width, height, err)
		}
	}
	if err := decoder.run(ctx, width, height, inputs, outputs); err != nil {
		return err
	}
	pixelStride, channelStride := 2, 1
	if m.layout == NCHW {
		pixelStride, channelStride = 1, p.width*p.height
	}
	parallel.Ranges(height, 0, func(from, to int) {
		for y := from; y < to; y++ {
			at := (y+p.top)*p.width + p.left
			setVectors(result.Vectors[2*width*y:2*width*(y+1)], vectors[at*pixelStride:], pixelStride, channelStride)
			if logScales != nil {
				setConfidence(result.Confidence[width*y:width*(y+1)], logScales[at:], offset)
			}
		}
	})
	return nil
}

// setVectors copies vectors, and makes those unknown that are not finite. The strides are those of values, between pixels and
// from u to v. Both slices may be the same.
func setVectors(vectors, values []float32, pixelStride, channelStride int) {
	for i := range len(vectors) / 2 {
		u, v := values[i*pixelStride], values[i*pixelStride+channelStride]
		if u-u != 0 || v-v != 0 {
			u, v = field.Unknown(), field.Unknown()
		}
		vectors[2*i], vectors[2*i+1] = u, v
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
