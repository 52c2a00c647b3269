package pipeline

import (
	"context"
	"errors"

	"github.com/wwflow/wwflow/consistency"
	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/frame"
)

// Network is one network on one device. It encodes each frame once, however many pairs it belongs to. It is for one
// goroutine at a time.
type Network struct {
	model     *flow.Model
	estimator *flow.Estimator
}

func newNetwork(m *flow.Model) *Network { return &Network{m, flow.NewEstimator(m)} }

// directed returns the pair from the frame whose pixels the flow moves: for backward flow that is the later frame.
func directed(p *frame.Pair, backward bool) *frame.Pair {
	if backward {
		return &frame.Pair{First: p.Second, Second: p.First}
	}
	return p
}

// next returns the flow field of the next pair of a video. Features of frames that no later pair has are freed, before
// (another device may have had the pairs between) and after.
func (n *Network) next(ctx context.Context, p *frame.Pair, backward bool) (*field.Field, error) {
	n.estimator.ForgetBefore(p.First.Index)
	d := directed(p, backward)
	f, err := n.estimator.Flow(ctx, d.First, d.Second)
	n.estimator.ForgetBefore(p.First.Index + 1)
	return f, err
}

// nextBoth is next, with the flow in the other direction as the field's Reverse. Each frame is encoded once for both.
func (n *Network) nextBoth(ctx context.Context, p *frame.Pair, backward bool, t consistency.Thresholds) (*field.Field, error) {
	n.estimator.ForgetBefore(p.First.Index)
	d := directed(p, backward)
	f, err := n.estimator.Flow(ctx, d.First, d.Second)
	if err != nil {
		return nil, err
	}
	reverse, err := n.estimator.Flow(ctx, d.Second, d.First)
	if err != nil {
		return nil, err
	}
	n.estimator.ForgetBefore(p.First.Index + 1)
	return f, consistency.Check(f, reverse, t)
}

// sample returns the flow field of a pair that is not part of the run, and keeps nothing. The network sees the frames at their own
// size, because sample pairs are shrunk already: at the model's detail they would be resized twice.
func (n *Network) sample(ctx context.Context, p *frame.Pair) (*field.Field, error) {
	first, err := n.model.EncodeAt(ctx, p.First, 1)
	if err != nil {
		return nil, err
	}
	defer first.Close()
	second, err := n.model.EncodeAt(ctx, p.Second, 1)
	if err != nil {
		return nil, err
	}
	defer second.Close()
	return n.model.Estimate(ctx, first, second)
}

func (n *Network) close() error {
	return errors.Join(n.estimator.Close(), n.model.Close())
}

// unknownField is the field of a pair that is not estimated.
func unknownField(p *frame.Pair) *field.Field {
	f := field.New(p.First.Width, p.First.Height)
	f.Pair, f.Confidence = p, make([]float32, f.Width*f.Height)
	for i := range f.Vectors {
		f.Vectors[i] = field.Unknown()
	}
	return f
}
