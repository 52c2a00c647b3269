package cli

import (
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/wwflow/wwflow/benchmarks/datasets"
)

const textEval = `Scores optical flow on a data set in its original layout, by the data set's own measures. The flow comes from the
network, or with --flow from files in any format that wwflow writes, named as below (after "flow:"). With several --model
the networks are scored one after the other, and the table has a line for each of them.
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
  wwflow eval --dataset middlebury --root middlebury --model models/a --model models/b
For Spring there is wwflow spring.`,
		Action: eval,
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "dataset", Usage: strings.Join(datasets.Names(), ", ")},
			&cli.StringFlag{Name: "root", Usage: "`DIR` of the data set"},
			&cli.StringFlag{Name: "pass", Usage: "Sintel: clean, final or both", DefaultText: "both"},
			&cli.StringFlag{Name: "split", Usage: "FlyingChairs: train, val or all", DefaultText: "all"},
			&cli.BoolFlag{Name: "per-pair", Usage: "also print a row for each pair"},
		}, severalModels(scoringFlags())),
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
	models := c.StringSlice("model")
	if len(models) > 1 && o.FlowDir != "" {
		return usagef("--model is for the network, which --flow replaces")
	}
	if err := differentFolders(models); err != nil {
		return err
	}
	// A mistake in the data set is reported before the network is loaded.
	if err := datasets.Check(o); err != nil {
		return dataError(err)
	}
	var t table
	if len(models) > 1 {
		t, err = evalSeveral(c, o, models)
	} else {
		t, err = evalOne(c, o, strings.Join(models, ""))
	}
	meter.stop()
	if err != nil {
		return err
	}
	return outputError(write(t, c.Bool("per-pair")))
}

// evalOne scores the network in a folder, "" = the built-in one, or flow files.
func evalOne(c *cli.Context, o datasets.Options, dir string) (*datasets.Report, error) {
	source, err := openFlowSource(c, dir)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	o.Estimate, o.Source = source.estimator()
	report, err := datasets.Evaluate(c.Context, o)
	if err != nil {
		return nil, source.classify(err)
	}
	report.Source = source.seen(report.Source)
	return report, nil
}

// evalSeveral scores networks one after the other. All are opened once before, so that a folder that does not work is named before
// hours of work.
func evalSeveral(c *cli.Context, o datasets.Options, dirs []string) (*datasets.Comparison, error) {
	for _, dir := range dirs {
		source, err := openFlowSource(c, dir)
		if err != nil {
			return nil, err
		}
		if err := source.Close(); err != nil {
			return nil, err
		}
	}
	comparison := &datasets.Comparison{Networks: dirs}
	progress := o.Progress
	for k, dir := range dirs {
		o.Progress = func(done, total int) { progress(k*total+done, len(dirs)*total) }
		report, err := evalOne(c, o, dir)
		if err != nil {
			return nil, err
		}
		comparison.Reports = append(comparison.Reports, report)
	}
	return comparison, nil
}

// severalModels returns flags of which --model may be given several times.
func severalModels(flags []cli.Flag) []cli.Flag {
	for i, f := range flags {
		if one, ok := f.(*cli.StringFlag); ok && one.Name == "model" {
			flags[i] = &cli.StringSliceFlag{Name: one.Name, Usage: one.Usage + "; several to compare them", DefaultText: one.DefaultText, EnvVars: one.EnvVars}
		}
	}
	return flags
}

// differentFolders returns an error if two paths lead to the same folder. Folders that are missing are reported later.
func differentFolders(dirs []string) error {
	for i, a := range dirs {
		for _, b := range dirs[:i] {
			one, err1 := os.Stat(a)
			other, err2 := os.Stat(b)
			if err1 == nil && err2 == nil && os.SameFile(one, other) {
				return usagef("--model %s and --model %s are the same folder: name two different networks", b, a)
			}
		}
	}
	return nil
}
