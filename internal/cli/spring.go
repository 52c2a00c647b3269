package cli

import (
	"fmt"
	"os"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/wwflow/wwflow/benchmarks/spring"
)

const textSpring = `Scores optical flow on the Spring benchmark by the rule of its server: the endpoint error of a pixel is the minimum
over its four ground-truth samples, pixels with an unknown sample are excluded, and all figures are pooled over
pixels. Figures of programs that use one of the four samples are not comparable.

DIR is the data set in its original layout: DIR/train/0001/flow_FW_left/flow_FW_left_0001.flo5 and so on. The flow
comes from the network, or with --flow from files in the layout of a submission, in any format that wwflow writes:
FLOW/0001/flow_FW_left/flow_FW_left_0001.flo5. The official rule needs flow in every pixel: a pixel of unknown flow is
not scored, the table has a column "density %", and its rule says that it is not official.

  1px    pixels with an endpoint error above 1 pixel
  EPE    mean endpoint error in pixels
  Fl     pixels with an error above 3 pixels and above 5 % of the longest of the four true vectors
  WAUC   weighted area under the curve of errors up to 5 pixels; 100 is best

Examples:
  wwflow spring --root spring --split 0045,0047
  wwflow spring --root spring --flow my-flow --float16 --per-sequence --json >table.json
  wwflow spring --root spring --journal spring.journal     resumes if it was interrupted
  wwflow spring submit --root spring --out submission`

const textSubmit = `Writes the flow of every frame of the test split, forward and backward, left and right, and checks that all files are
there and that every pixel has a number. Files that are complete are kept, so an interrupted command resumes.
The file to upload is then made by the site's own tool, because its list of pixels is secret.`

func springCommand() *cli.Command {
	return &cli.Command{
		Name:        "spring",
		Usage:       "score flow on the Spring benchmark, or write a submission",
		Description: textSpring,
		Action:      springScore,
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "root", Usage: "`DIR` of the data set, which contains train"},
			&cli.StringFlag{Name: "split", Value: "train", Usage: "train, or sequences of it: 0045,0047"},
			&cli.StringFlag{Name: "direction", Value: "both", Usage: "FW, BW or both"},
			&cli.StringFlag{Name: "camera", Value: "both", Usage: "left, right or both"},
			&cli.BoolFlag{Name: "float16", Usage: "compute in float16 as the server does"},
			&cli.BoolFlag{Name: "per-sequence", Usage: "also print a row for each sequence"},
			&cli.StringFlag{Name: "error-maps", Usage: "also write an image of the errors of each flow into `DIR`"},
			&cli.StringFlag{Name: "journal", Usage: "record the result of each flow in `FILE`, and resume from it"},
		}, scoringFlags()),
		Subcommands: []*cli.Command{{
			Name:        "submit",
			Usage:       "write the files of a submission for the test split",
			Description: textSubmit,
			Action:      springSubmit,
			Flags: slices.Concat([]cli.Flag{
				&cli.StringFlag{Name: "root", Usage: "`DIR` of the data set, which contains test"},
				&cli.StringFlag{Name: "out", Usage: "`DIR` to write the files into"},
				&cli.StringFlag{Name: "flow", Usage: "take the flow from the files in `DIR` instead of the network"},
				quietFlag(),
			}, networkFlags()),
		}},
	}
}

func springScore(c *cli.Context) error {
	if c.Args().Present() {
		return usagef("spring takes no argument, got %q: name the data set with --root", c.Args().First())
	}
	if err := required(c, "root"); err != nil {
		return err
	}
	write, err := tableWriter(c)
	if err != nil {
		return err
	}
	meter := newMeter(c.Bool("quiet"), "flow")
	defer meter.stop()
	o := spring.Options{
		Selection: spring.Selection{Root: c.String("root"), Split: c.String("split"), Direction: c.String("direction"), Camera: c.String("camera")},
		FlowDir:   c.String("flow"), Float16: c.Bool("float16"), ErrorMaps: c.String("error-maps"), Journal: c.String("journal"),
		Progress: meter.update,
	}
	source, err := openForSpring(c, &o)
	if err != nil {
		return err
	}
	defer source.Close()
	report, err := spring.Evaluate(c.Context, o)
	meter.stop()
	if err != nil {
		return source.classify(err)
	}
	report.Source = source.seen(report.Source)
	return outputError(write(report, c.Bool("per-sequence")))
}

// openForSpring opens the source of the flow for o. A mistake in the data set is reported before the network is loaded.
func openForSpring(c *cli.Context, o *spring.Options) (*flowSource, error) {
	if _, err := o.Flows(); err != nil {
		return nil, dataError(err)
	}
	source, err := openFlowSource(c, c.String("model"))
	if err == nil {
		o.Estimate, o.Source = source.estimator()
	}
	return source, err
}

func springSubmit(c *cli.Context) error {
	if c.Args().Present() {
		return usagef("spring submit takes no argument, got %q", c.Args().First())
	}
	if err := required(c, "root", "out"); err != nil {
		return err
	}
	meter := newMeter(c.Bool("quiet"), "flow")
	defer meter.stop()
	o := spring.Options{Selection: spring.Selection{Root: c.String("root"), Split: "test"}, FlowDir: c.String("flow"), Progress: meter.update}
	source, err := openForSpring(c, &o)
	if err != nil {
		return err
	}
	defer source.Close()
	n, err := spring.Submit(c.Context, o, c.String("out"))
	meter.stop()
	if err != nil {
		return source.classify(err)
	}
	if c.Bool("quiet") {
		return nil
	}
	fmt.Fprintf(os.Stderr, "%s: %s, each with a number in every pixel.\n", c.String("out"), count(n, "flow"))
	if n != spring.TestFlows {
		fmt.Fprintf(os.Stderr, "The test split of the benchmark has %d: this submission is incomplete, and the site would refuse it.\n", spring.TestFlows)
		return nil
	}
	fmt.Fprintf(os.Stderr, `To upload: get the program flow_subsampling from the Spring site's download page and run
  ./flow_subsampling %s
It writes flow_submission.hdf5 into the current folder; give that to the site's submission form.
`, c.String("out"))
	return nil
}
