package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/frame"
)

// network estimates the flow of pairs on one device and encodes each frame once, however many pairs it is in. It is for one
// goroutine at a time.
type network struct {
	model    *flow.Model
	backward bool // from the second frame of a pair to the first
	features map[*frame.Frame]*flow.Features
	spent    spent
}

// spent is how long the network has taken so far, for bench.
type spent struct{ features, flow time.Duration }

// openNetwork opens the network for a command that works on one pair at a time.
func openNetwork(c *cli.Context) (*network, error) {
	if strings.Contains(c.String("device"), ",") {
		return nil, usagef("--device %s: %s works on one device; run and bench take several", c.String("device"), c.Command.Name)
	}
	return openNetworkOn(c, c.String("device"))
}

func openNetworkOn(c *cli.Context, device string) (*network, error) {
	if _, err := flow.ParseDevice(device); err != nil {
		return nil, place(errUsage, err)
	}
	if _, err := flow.ParsePrecision(c.String("precision")); err != nil {
		return nil, place(errUsage, err)
	}
	model, err := flow.Open(flow.Options{
		ModelDir: c.String("model"), Device: device, Precision: c.String("precision"), Runtime: c.String("ort"), Threads: c.Int("threads"),
	})
	if err != nil {
		return nil, err
	}
	return &network{model: model, backward: c.Bool("backward"), features: map[*frame.Frame]*flow.Features{}}, nil
}

// networkFlags are the flags that openNetwork reads.
func networkFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "device", Value: "auto", Usage: textDevice},
		&cli.StringFlag{Name: "precision", Value: string(flow.AutoPrecision), Usage: textPrecision},
		&cli.StringFlag{Name: "model", Usage: textModel, DefaultText: "the network inside the program"},
		&cli.StringFlag{Name: "ort", Usage: textORT, EnvVars: []string{"WWFLOW_ORT"}},
		&cli.IntFlag{Name: "threads", Usage: textThreads, DefaultText: "all cores"},
	}
}

// next is estimate for the next pair of a video: features of earlier frames are given back, before and after.
func (n *network) next(ctx context.Context, p *frame.Pair) (*field.Field, error) {
	if err := n.drop(p.First.Index); err != nil {
		return nil, err
	}
	f, err := n.estimate(ctx, p)
	return f, errors.Join(err, n.drop(p.First.Index+1))
}

// drop frees what is kept of the frames before this one. Another device may have had the pairs that they were for.
func (n *network) drop(before int) error {
	var errs []error
	for f := range n.features {
		if f.Index < before {
			errs = append(errs, n.forget(f))
		}
	}
	return errors.Join(errs...)
}

// estimate is the flow of a pair. A field belongs to its Pair.First, whose pixels it moves: for backward flow
// that is the later frame.
func (n *network) estimate(ctx context.Context, p *frame.Pair) (*field.Field, error) {
	first, err := n.encode(ctx, p.First)
	if err != nil {
		return nil, err
	}
	second, err := n.encode(ctx, p.Second)
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	defer func() { n.spent.flow += time.Since(begin) }()
	if n.backward {
		return n.model.Estimate(ctx, second, first)
	}
	return n.model.Estimate(ctx, first, second)
}

func (n *network) encode(ctx context.Context, f *frame.Frame) (*flow.Features, error) {
	if known := n.features[f]; known != nil {
		return known, nil
	}
	begin := time.Now()
	features, err := n.model.Encode(ctx, f)
	n.spent.features += time.Since(begin)
	if err != nil {
		return nil, err
	}
	n.features[f] = features
	return features, nil
}

// forget frees what is kept of a frame that no later pair holds.
func (n *network) forget(f *frame.Frame) error {
	features := n.features[f]
	delete(n.features, f)
	return features.Close()
}

// Close frees the network and all that it keeps.
func (n *network) Close() error {
	if n == nil {
		return nil
	}
	var errs []error
	for f := range n.features {
		errs = append(errs, n.forget(f))
	}
	return errors.Join(append(errs, n.model.Close())...)
}

// look is estimate for a pair that is looked at once: nothing of it is kept.
func (n *network) look(ctx context.Context, p *frame.Pair) (*field.Field, error) {
	defer func(before spent) { n.spent = before }(n.spent) // bench counts the walk
	f, err := n.estimate(ctx, p)
	return f, errors.Join(err, n.forget(p.First), n.forget(p.Second))
}

// unknown is the field of a pair that is not estimated.
func (n *network) unknown(p *frame.Pair) *field.Field {
	f := field.New(p.First.Width, p.First.Height)
	f.Pair, f.Confidence = p, make([]float32, f.Width*f.Height)
	if n.backward {
		f.Pair = &frame.Pair{First: p.Second, Second: p.First}
	}
	for i := range f.Vectors {
		f.Vectors[i] = field.Unknown()
	}
	return f
}
