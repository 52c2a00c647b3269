package pipeline

import (
	"context"
	"iter"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/internal/errkind"
	"github.com/wwflow/wwflow/pairing"
)

// Fields estimates the flow fields of a video, in order. The options that concern painting, encoding and exports are
// not used. A field's Pair holds its frames. After an error, which is the last value, there is no field.
//
//	for f, err := range pipeline.Fields(ctx, "in.mp4", pipeline.Options{}) {
//
// The pipeline works ahead while the caller uses a field. It stops when the loop ends.
func Fields(ctx context.Context, input string, o Options) iter.Seq2[*field.Field, error] {
	return func(yield func(*field.Field, error) bool) {
		o.Input = input
		r, err := open(ctx, o, func(Options) error { return nil })
		if err != nil {
			yield(nil, err)
			return
		}
		defer r.close()
		if err := r.fields(yield); err != nil {
			yield(nil, err)
		}
	}
}

// fields calls yield with each field. After yield returned false the error is nil.
func (r *run) fields(yield func(*field.Field, error) bool) error {
	pairs, err := pairing.New(r.Step)
	if err != nil {
		return err
	}
	s := &stages{pairs: pairs, networks: r.estimators()}
	order := s.estimate(r.group, r.frames)
	n := 0
	for f, err := range fields(r.group.ctx, order) {
		if err != nil {
			break
		}
		n++
		if !yield(f, nil) {
			r.group.cancel(nil)
			_ = r.group.Wait() // the error is that the caller has stopped
			return nil
		}
	}
	if err := r.group.wait(); err != nil {
		return err
	}
	if n == 0 {
		return r.tooShort(pairs.Count())
	}
	return errkind.Mark(ErrInput, s.sizeChanged)
}
