package cli

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/wwflow/wwflow/benchmarks/datasets"
	"github.com/wwflow/wwflow/benchmarks/spring"
	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/frame"
)

// What spring and eval share: flags, tables and the source of the flow.

// required returns an error if a flag is missing.
func required(c *cli.Context, names ...string) error {
	for _, name := range names {
		if c.String(name) == "" {
			return usagef("--%s is missing", name)
		}
	}
	return nil
}

// scoringFlags are the flags of the commands that score flow.
func scoringFlags() []cli.Flag {
	return slices.Concat([]cli.Flag{
		&cli.StringFlag{Name: "flow", Usage: "score the flow files in `DIR` instead of the network"},
		&cli.BoolFlag{Name: "json", Usage: "print the table as JSON"},
		&cli.BoolFlag{Name: "csv", Usage: "print the table as CSV"},
		&cli.BoolFlag{Name: "quiet", Usage: "no progress"},
	}, networkFlags())
}

// table is what the benchmarks report.
type table interface {
	WriteText(w io.Writer, perSequence bool) error
	WriteJSON(w io.Writer, perSequence bool) error
	WriteCSV(w io.Writer, perSequence bool) error
}

// tableWriter returns the function that prints a table in the format that the flags select.
func tableWriter(c *cli.Context) (func(t table, perSequence bool) error, error) {
	if c.Bool("json") && c.Bool("csv") {
		return nil, usagef("give either --json or --csv")
	}
	return func(t table, perSequence bool) error {
		switch {
		case c.Bool("json"):
			return t.WriteJSON(os.Stdout, perSequence)
		case c.Bool("csv"):
			return t.WriteCSV(os.Stdout, perSequence)
		}
		return t.WriteText(os.Stdout, perSequence)
	}, nil
}

// flowSource is the network, or nothing where the flow comes from files.
type flowSource struct {
	name              string
	model             *flow.Model
	network           *flow.Estimator
	smallest, largest image.Point // of the sizes at which the network saw frames; zero before the first
	failure           error       // the network's
}

// openFlowSource opens the network in a folder ("" = the built-in one), if the flow does not come from files.
func openFlowSource(c *cli.Context, dir string) (*flowSource, error) {
	if c.String("flow") != "" {
		for _, f := range networkFlags() {
			if name := f.Names()[0]; c.IsSet(name) && name != "ort" && name != "model" { // those may come from the environment
				return nil, usagef("--%s is for the network, which --flow replaces", name)
			}
		}
		return &flowSource{}, nil
	}
	model, err := openModelIn(c, dir)
	if err != nil {
		return nil, err
	}
	card := model.Card()
	name := fmt.Sprintf("network %s %s on %s", card.Name, card.Version, model.Device())
	if model.Detail() != 1 {
		name += fmt.Sprintf(" at detail %v", model.Detail())
	}
	return &flowSource{model: model, network: flow.NewEstimator(model), name: name}, nil
}

// estimator returns what gives the flow, and its name; nil where the flow comes from files.
func (s *flowSource) estimator() (estimate func(ctx context.Context, a, b *frame.Frame) (*field.Field, error), name string) {
	if s.model == nil {
		return nil, ""
	}
	return s.estimate, s.name
}

// seen is a report's source with the size at which the network saw the frames, which is known after the evaluation.
func (s *flowSource) seen(source string) string {
	switch {
	case s.largest == image.Point{}: // the flow came from files or a journal
		return source
	case s.smallest == s.largest:
		return fmt.Sprintf("%s, which sees %dx%d", source, s.largest.X, s.largest.Y)
	}
	return fmt.Sprintf("%s, which sees %dx%d to %dx%d", source, s.smallest.X, s.smallest.Y, s.largest.X, s.largest.Y)
}

// see records the size of a frame.
func (s *flowSource) see(f *frame.Frame) {
	width, height := s.model.InputSize(f.Width, f.Height)
	if area := width * height; s.largest == (image.Point{}) {
		s.smallest, s.largest = image.Pt(width, height), image.Pt(width, height)
	} else if area < s.smallest.X*s.smallest.Y {
		s.smallest = image.Pt(width, height)
	} else if area > s.largest.X*s.largest.Y {
		s.largest = image.Pt(width, height)
	}
}

// estimate returns the flow from a to b. It keeps the features of these two frames, which the next pair may share.
func (s *flowSource) estimate(ctx context.Context, a, b *frame.Frame) (f *field.Field, err error) {
	s.see(a)
	s.network.Keep(a, b)
	if s.network.Kept() == 0 {
		s.failure = s.model.CheckMemory(a.Width, a.Height)
	}
	if s.failure == nil {
		f, s.failure = s.network.Flow(ctx, a, b)
	}
	return f, s.failure
}

// classify marks an error: the network's own say themselves what is wrong, what cannot be written is the output, and
// everything else is the input.
func (s *flowSource) classify(err error) error {
	switch {
	case s.failure != nil && errors.Is(err, s.failure):
		return err
	case errors.Is(err, spring.ErrOutput):
		return outputError(err)
	}
	return dataError(err)
}

// dataError marks an error about an invalid option, or about the data set.
func dataError(err error) error {
	var option *datasets.OptionError
	if errors.As(err, &option) {
		return usagef("%w", err)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = withHint(err, "the folder of the data set in its original layout as --root, which the command's --help shows")
	}
	return inputError(err)
}

func (s *flowSource) Close() error {
	if s.model == nil {
		return nil
	}
	return errors.Join(s.network.Close(), s.model.Close())
}
