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
		if _, err := r.fields(r.frames, yield); err != nil {
			yield(nil, err)
		}
	}
}

// fields calls yield with each field of a source of frames, and returns how many frames were read. After yield returned false the
// error is nil. A section without a field is no error; one that was told to stop ends with ErrStopped.
func (r *run) fields(from source, yield func(*field.Field, error) bool) (read int, err error) {
	pairs, err := pairing.New(r.Step)
	if err != nil {
		return 0, err
	}
	s := &stages{pairs: pairs, sample: r.Sample, networks: r.estimators()}
	if r.section != nil {
		s.stop = r.section.Stop
	}
	order := s.estimate(r.group, from)
	n := 0
	for f, err := range fields(r.group.ctx, order) {
		if err != nil {
			break
		}
		n++
		if !yield(f, nil) {
			r.group.cancel(nil)
			_ = r.group.Wait() // the error is that the caller has stopped
			return pairs.Count(), nil
		}
	}
	if err := r.group.wait(); err != nil {
		return 0, err
	}
	switch {
	case n == 0 && r.section == nil:
		return 0, r.tooShort(pairs.Count())
	case s.stopped:
		return pairs.Count(), ErrStopped
	}
	return pairs.Count(), errkind.Mark(ErrInput, s.sizeChanged)
}
