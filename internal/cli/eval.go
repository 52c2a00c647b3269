package cli

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/wwflow/wwflow/benchmarks/datasets"
)

const textEval = `Scores optical flow on a data set in its original layout, by the data set's own measures. The flow comes from the
network, or with --flow from files in any format that wwflow writes, named as below (after "flow:").
Pixels of unknown flow are not scored: the table then has a column "density %", the share of the pixels with ground
truth that were scored.

Layouts:
`

func evalCommand() *cli.Command {
	return &cli.Command{
		Name:  "eval",
		Usage: "score flow on Sintel, KITTI, Middlebury or FlyingChairs",
		Description: textEval + indent(datasets.Layout()) + `
Examples:
  wwflow eval --dataset sintel --root MPI-Sintel-complete --pass final
  wwflow eval --dataset kitti2015 --root data_scene_flow --flow my-flow --json
For Spring there is wwflow spring.`,
		Action: eval,
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "dataset", Usage: strings.Join(datasets.Names(), ", ")},
			&cli.StringFlag{Name: "root", Usage: "`DIR` of the data set"},
			&cli.StringFlag{Name: "pass", Usage: "Sintel: clean, final or both", DefaultText: "both"},
			&cli.StringFlag{Name: "split", Usage: "FlyingChairs: train, val or all", DefaultText: "all"},
			&cli.BoolFlag{Name: "per-pair", Usage: "also print a row for each pair"},
		}, scoringFlags()),
	}
}

func indent(s string) string {
	return "  " + strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n  ") + "\n"
}

func eval(c *cli.Context) error {
	if c.Args().Present() {
		return usagef("eval takes no argument, there is %q: the data set goes after --root", c.Args().First())
	}
	if err := required(c, "dataset", "root"); err != nil {
		return err
	}
	write, err := tableWriter(c)
	if err != nil {
		return err
	}
	meter := newMeter(c.Bool("quiet"), "pair")
	defer meter.stop()
	o := datasets.Options{
		Dataset: c.String("dataset"), Root: c.String("root"), FlowDir: c.String("flow"),
		Pass: c.String("pass"), Split: c.String("split"), Progress: meter.update,
	}
	// A mistake in the data set is reported before the network is loaded.
	if err := datasets.Check(o); err != nil {
		return dataError(err)
	}
	source, err := openFlowSource(c)
	if err != nil {
		return err
	}
	defer source.Close()
	o.Estimate, o.Source = source.estimator()
	report, err := datasets.Evaluate(c.Context, o)
	meter.stop()
	if err != nil {
		return source.classify(err)
	}
	report.Source = source.seen(report.Source)
	return outputError(write(report, c.Bool("per-pair")))
}
