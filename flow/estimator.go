package flow

import (
	"context"
	"slices"
	"time"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
)

// Estimator estimates the flow of many pairs with one Model. It keeps the features of every frame that it has seen, so that
// a frame is encoded once, however many pairs it belongs to, until ForgetBefore or Keep frees its features. Frames are told
// apart by their pointer.
//
//	e := flow.NewEstimator(model)
//	defer e.Close()
//	for each pair of the video {
//		f, err := e.Flow(ctx, pair.First, pair.Second)
//		e.ForgetBefore(pair.First.Index + 1)
//	}
//
// An Estimator is for one goroutine at a time. Several Estimators may share a Model.
type Estimator struct {
	model    *Model
	features map[*frame.Frame]*Features
	stats    Stats
}

// Stats counts the work that an Estimator has done.
type Stats struct {
	Encoded    int           // frames that went through the encoder
	Decoded    int           // pairs that went through the decoder
	EncodeTime time.Duration // spent in the encoder
	DecodeTime time.Duration // spent in the decoder
}

// NewEstimator returns an Estimator that runs m. It does not own m: Close leaves m open.
func NewEstimator(m *Model) *Estimator {
	return &Estimator{model: m, features: map[*frame.Frame]*Features{}}
}

// Flow returns the flow from frame a to frame b, in pixels, with a confidence for each pixel. It encodes the frames whose
// features it does not hold, and keeps the features. Its errors are those of Model.Encode and Model.Estimate.
func (e *Estimator) Flow(ctx context.Context, a, b *frame.Frame) (*field.Field, error) {
	first, err := e.encode(ctx, a)
	if err != nil {
		return nil, err
	}
	second, err := e.encode(ctx, b)
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	f, err := e.model.Estimate(ctx, first, second)
	e.stats.DecodeTime += time.Since(begin)
	if err != nil {
		return nil, err
	}
	e.stats.Decoded++
	return f, nil
}

func (e *Estimator) encode(ctx context.Context, f *frame.Frame) (*Features, error) {
	if features := e.features[f]; features != nil {
		return features, nil
	}
	begin := time.Now()
	features, err := e.model.Encode(ctx, f)
	e.stats.EncodeTime += time.Since(begin)
	if err != nil {
		return nil, err
	}
	e.stats.Encoded++
	e.features[f] = features
	return features, nil
}

// ForgetBefore frees the features of all frames whose Index is below index.
func (e *Estimator) ForgetBefore(index int) {
	e.forget(func(f *frame.Frame) bool { return f.Index < index })
}

// Keep frees the features of all frames except these.
func (e *Estimator) Keep(frames ...*frame.Frame) {
	e.forget(func(f *frame.Frame) bool { return !slices.Contains(frames, f) })
}

func (e *Estimator) forget(drop func(*frame.Frame) bool) {
	for f, features := range e.features {
		if drop(f) {
			features.Close()
			delete(e.features, f)
		}
	}
}

// Kept returns the number of frames whose features are held.
func (e *Estimator) Kept() int { return len(e.features) }

// Stats returns the work done so far.
func (e *Estimator) Stats() Stats { return e.stats }

// Close frees all features. It is nil-safe, and the Estimator may be used again afterwards.
func (e *Estimator) Close() error {
	if e != nil {
		e.Keep()
	}
	return nil
}

// Flow returns the flow from frame a to frame b, in pixels, with a confidence for each pixel. It keeps no features: for the
// pairs of a video, which share frames, an Estimator is about twice as fast. Its errors are those of Encode and Estimate.
func (m *Model) Flow(ctx context.Context, a, b *frame.Frame) (*field.Field, error) {
	e := NewEstimator(m)
	defer e.Close()
	return e.Flow(ctx, a, b)
}
