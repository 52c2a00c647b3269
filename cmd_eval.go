package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/wwflow/wwflow/benchmarks/datasets"
)

const textEval = `Scores optical flow on a data set as it is on disk, by that data set's own measures. The flow comes from the network,
or with --flow from files in any format that wwflow writes, named as below (after "flow:"). Pixels of unknown flow are not
scored: the table then has a column "density %", the share of the pixels with ground truth that were scored.

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
			&cli.StringFlag{Name: "pass", Usage: "Sintel: clean, final or both (default: both)"},
			&cli.StringFlag{Name: "split", Usage: "FlyingChairs: train, val or all (default: all)"},
			&cli.BoolFlag{Name: "per-pair", Usage: "a row for each pair as well"},
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
	o := datasets.Options{
		Dataset: c.String("dataset"), Root: c.String("root"), FlowDir: c.String("flow"),
		Pass: c.String("pass"), Split: c.String("split"), Progress: progress(c.Bool("quiet"), "pair"),
	}
	// What is wrong with the data set is said before the network is loaded.
	if err := datasets.Check(o); err != nil {
		return placeInput(err)
	}
	source, err := openFlowSource(c)
	if err != nil {
		return err
	}
	defer source.Close()
	o.Estimate, o.Source = source.estimator()
	report, err := datasets.Evaluate(c.Context, o)
	if err != nil {
		return source.blame(err)
	}
	return place(errOutput, write(report, c.Bool("per-pair")))
}
