package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/wwflow/wwflow/benchmarks/datasets"
	"github.com/wwflow/wwflow/benchmarks/spring"
	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
)

const textSpring = `Scores optical flow on the Spring benchmark by the rule of its own server: a pixel's endpoint error is the least of
those to its four ground-truth samples, pixels with an unknown sample are left out, and all figures are pooled over
pixels. Codes that take one of the four samples have other figures.

DIR is the data set as it is on disk: DIR/train/0001/flow_FW_left/flow_FW_left_0001.flo5 and so on. The flow comes
from the network, or with --flow from files laid out as a submission, in any format that wwflow writes:
FLOW/0001/flow_FW_left/flow_FW_left_0001.flo5. The official rule needs flow in every pixel: where it is unknown, the
pixel is not scored, the table has a column "density %", and its rule says that it is not official.

  1px    pixels with an endpoint error above 1 pixel
  EPE    mean endpoint error in pixels
  Fl     pixels with an error above 3 pixels and above 5 % of the longest of the four true lengths
  WAUC   weighted area under the curve of errors up to 5 pixels; 100 is best

Examples:
  wwflow spring --root spring --split 0045,0047
  wwflow spring --root spring --flow my-flow --float16 --per-sequence --json >table.json
  wwflow spring --root spring --journal spring.journal     goes on from there if it is ended
  wwflow spring submit --root spring --out submission`

const textSubmit = `Writes the flow of every frame of the test split, forwards and backwards, left and right, and checks that the tree is
complete and has a number everywhere. What is there already and right is kept, so it goes on if it is ended.
The file to upload is then made by the site's own tool, because the list of pixels it takes is secret.`

func springCommand() *cli.Command {
	return &cli.Command{
		Name:        "spring",
		Usage:       "score flow on the Spring benchmark, or write a submission",
		Description: textSpring,
		Action:      springScore,
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "root", Usage: "`DIR` of the data set, with train in it"},
			&cli.StringFlag{Name: "split", Value: "train", Usage: "train, or sequences of it: 0045,0047"},
			&cli.StringFlag{Name: "direction", Value: "both", Usage: "FW, BW or both"},
			&cli.StringFlag{Name: "camera", Value: "both", Usage: "left, right or both"},
			&cli.BoolFlag{Name: "float16", Usage: "compute in float16 as the server does"},
			&cli.BoolFlag{Name: "per-sequence", Usage: "a row for each sequence as well"},
			&cli.StringFlag{Name: "error-maps", Usage: "also write a picture of the errors of each flow into `DIR`"},
			&cli.StringFlag{Name: "journal", Usage: "keep the result of each flow in `FILE`, and go on from there after an interruption"},
		}, scoringFlags()),
		Subcommands: []*cli.Command{{
			Name:        "submit",
			Usage:       "write the files of a submission for the test split",
			Description: textSubmit,
			Action:      springSubmit,
			Flags: slices.Concat([]cli.Flag{
				&cli.StringFlag{Name: "root", Usage: "`DIR` of the data set, with test in it"},
				&cli.StringFlag{Name: "out", Usage: "`DIR` that takes the files"},
				&cli.StringFlag{Name: "flow", Usage: "take the flow from the files in `DIR` instead of the network"},
				&cli.BoolFlag{Name: "quiet", Usage: "say nothing but errors"},
			}, networkFlags()),
		}},
	}
}

func springScore(c *cli.Context) error {
	if c.Args().Present() {
		return usagef("spring takes no argument, there is %q: the data set goes after --root", c.Args().First())
	}
	if err := required(c, "root"); err != nil {
		return err
	}
	write, err := tableWriter(c)
	if err != nil {
		return err
	}
	o := spring.Options{
		Selection: spring.Selection{Root: c.String("root"), Split: c.String("split"), Direction: c.String("direction"), Camera: c.String("camera")},
		FlowDir:   c.String("flow"), Float16: c.Bool("float16"), ErrorMaps: c.String("error-maps"), Journal: c.String("journal"),
		Progress: progress(c.Bool("quiet"), "flow"),
	}
	source, err := openForSpring(c, &o)
	if err != nil {
		return err
	}
	defer source.Close()
	report, err := spring.Evaluate(c.Context, o)
	if err != nil {
		return source.blame(err)
	}
	return place(errOutput, write(report, c.Bool("per-sequence")))
}

// openForSpring opens the source of the flow that o is about. What is wrong with the data set is said before the network is loaded.
func openForSpring(c *cli.Context, o *spring.Options) (*flowSource, error) {
	if _, err := o.Flows(); err != nil {
		return nil, placeInput(err)
	}
	source, err := openFlowSource(c)
	if err == nil {
		o.Estimate, o.Source = source.estimator()
	}
	return source, err
}

func springSubmit(c *cli.Context) error {
	if c.Args().Present() {
		return usagef("spring submit takes no argument, there is %q", c.Args().First())
	}
	if err := required(c, "root", "out"); err != nil {
		return err
	}
	o := spring.Options{Selection: spring.Selection{Root: c.String("root"), Split: "test"}, FlowDir: c.String("flow"), Progress: progress(c.Bool("quiet"), "flow")}
	source, err := openForSpring(c, &o)
	if err != nil {
		return err
	}
	defer source.Close()
	n, err := spring.Submit(c.Context, o, c.String("out"))
	if err != nil {
		return source.blame(err)
	}
	if c.Bool("quiet") {
		return nil
	}
	fmt.Fprintf(os.Stderr, "%s: %s, each with a number in every pixel.\n", c.String("out"), count(n, "flow"))
	if n != spring.TestFlows {
		fmt.Fprintf(os.Stderr, "The benchmark's own test split has %d: this is not all of it, and the site would refuse it.\n", spring.TestFlows)
		return nil
	}
	fmt.Fprintf(os.Stderr, `To upload: get the program flow_subsampling from the Spring site's download page and run
  ./flow_subsampling %s
It writes flow_submission.hdf5 into the current folder; give that to the site's submission form.
`, c.String("out"))
	return nil
}

// required is an error where a flag is missing.
func required(c *cli.Context, names ...string) error {
	for _, name := range names {
		if c.String(name) == "" {
			return usagef("give --%s", name)
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

// tableWriter is how the flags want a table printed.
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
	name    string
	net     *network
	failure error // the network's
}

func openFlowSource(c *cli.Context) (*flowSource, error) {
	if c.String("flow") != "" {
		for _, f := range networkFlags() {
			if name := f.Names()[0]; c.IsSet(name) && name != "ort" { // which the environment may set
				return nil, usagef("--%s is for the network, and with --flow there is none", name)
			}
		}
		return &flowSource{}, nil
	}
	net, err := openNetwork(c)
	if err != nil {
		return nil, err
	}
	card := net.model.Card()
	return &flowSource{net: net, name: fmt.Sprintf("network %s %s on %s", card.Name, card.Version, net.model.Device())}, nil
}

// estimator is what gives the flow and its name; nothing where the flow comes from files.
func (s *flowSource) estimator() (estimate func(ctx context.Context, a, b *frame.Frame) (*field.Field, error), name string) {
	if s.net == nil {
		return nil, ""
	}
	return s.estimate, s.name
}

// estimate is the flow from a to b. Features are kept of the last two frames.
func (s *flowSource) estimate(ctx context.Context, a, b *frame.Frame) (*field.Field, error) {
	var errs []error
	for f := range s.net.features {
		if f != a && f != b {
			errs = append(errs, s.net.forget(f))
		}
	}
	if len(s.net.features) == 0 {
		errs = append(errs, s.net.model.CheckMemory(a.Width, a.Height))
	}
	if s.failure = errors.Join(errs...); s.failure != nil {
		return nil, s.failure
	}
	f, err := s.net.estimate(ctx, &frame.Pair{First: a, Second: b})
	s.failure = err
	return f, err
}

// blame sets the place of an error: the network says itself what is wrong with it, what can't be written is the
// output, all else is the input.
func (s *flowSource) blame(err error) error {
	if isTerminal(os.Stderr) {
		fmt.Fprint(os.Stderr, "\r\x1b[K") // takes the progress away
	}
	if s.failure != nil && errors.Is(err, s.failure) {
		return err
	}
	if errors.Is(err, spring.ErrOutput) {
		return place(errOutput, err)
	}
	return placeInput(err)
}

// placeInput places an error about an invalid option, or about the data set.
func placeInput(err error) error {
	var option *datasets.OptionError
	if errors.As(err, &option) {
		return place(errUsage, err)
	}
	return place(errInput, err)
}

func (s *flowSource) Close() error { return s.net.Close() }

// progress tells on standard error how far it is: over and over on one line of a terminal, a line now and then elsewhere.
func progress(quiet bool, noun string) func(done, total int) {
	if quiet {
		return nil
	}
	var p pace
	last := time.Now()
	terminal := isTerminal(os.Stderr)
	return func(done, total int) {
		perSecond, left, ok := p.at(done, total)
		every := 5 * time.Second
		if terminal {
			every = time.Second / 5
		}
		if time.Since(last) < every && !(terminal && done == total) {
			return
		}
		last = time.Now()
		s := fmt.Sprintf("%d of %s", done, count(total, noun))
		if ok {
			s += fmt.Sprintf(", %.3g a second, %s left", perSecond, clock(left))
		}
		switch {
		case !terminal:
			fmt.Fprintln(os.Stderr, s)
		case done == total:
			fmt.Fprint(os.Stderr, "\r\x1b[K") // the table says it all
		default:
			fmt.Fprint(os.Stderr, "\r\x1b[K"+s)
		}
	}
}
