package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/wwflow/wwflow/internal/atomicfile"
	"github.com/wwflow/wwflow/plot"
	"github.com/wwflow/wwflow/stats"
)

const textPlot = `FILE has the motion statistics of a video, as wwflow stats -o FILE and wwflow run --stats FILE write them. The plot shows
  the motion over time: mean and 95th percentile in percent of the frame's diagonal per second, with cuts as dashed lines
  a rose of the directions, in the colours of a flow video; the area of a wedge is its share of the motion
  the path of the camera: the sum of pan and tilt, which begins anew after each cut`

func plotCommand() *cli.Command {
	return &cli.Command{
		Name:        "plot",
		Usage:       "draw the motion statistics of a video",
		ArgsUsage:   "FILE",
		Description: textPlot,
		Action:      runPlot,
		Flags: []cli.Flag{
			outputFlag("the plot, a .svg or a .png", "FILE with .svg, beside it"),
			forceFlag(),
			&cli.StringFlag{Name: "title", Usage: "`TEXT` above the plot", DefaultText: "the name of FILE"},
		},
	}
}

func runPlot(c *cli.Context) error {
	if c.NArg() != 1 {
		return usagef("plot takes one file of statistics, not %d", c.NArg())
	}
	input, output, title := c.Args().First(), c.String("o"), c.String("title")
	name := strings.TrimSuffix(input, filepath.Ext(input))
	if output == "" {
		output = name + ".svg"
	}
	if title == "" {
		title = filepath.Base(name)
	}
	format, err := plot.FormatOf(output)
	if err != nil {
		return usagef("%w", err)
	}
	pairs, err := readStats(input)
	if err != nil {
		return err
	}
	if err := checkOutput(output, input, c.Bool("force")); err != nil {
		return err
	}
	if err := checkFolder(output); err != nil {
		return err
	}
	if len(pairs) == 0 {
		return inputError(fmt.Errorf("%s: %w", input, plot.ErrNothing))
	}
	err = atomicfile.WriteTo(output, func(w io.Writer) error { return plot.Draw(w, format, title, pairs) })
	if err != nil {
		return outputError(err)
	}
	return nil
}

// readStats reads the pairs of a file of statistics.
func readStats(path string) ([]stats.Pair, error) {
	format, err := stats.FormatOf(path)
	if err != nil {
		return nil, inputError(withHint(fmt.Errorf("%s is not a file of statistics, which are .csv, .json or .jsonl", path), "wwflow stats in.mp4 -o motion.csv, then wwflow plot motion.csv"))
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, inputError(err)
	}
	defer file.Close()
	pairs, err := stats.ReadPairs(file, format)
	if err != nil {
		return nil, inputError(withHint(fmt.Errorf("%s is not a file of motion statistics of one video: %w", path, err), "wwflow stats in.mp4 -o motion.csv, then wwflow plot motion.csv"))
	}
	return pairs, nil
}
