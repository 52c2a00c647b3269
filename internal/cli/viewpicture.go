package cli

import (
	"fmt"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/internal/atomicfile"
	"github.com/wwflow/wwflow/visualize"
)

// viewPicture prints the statistics of a flow file and paints it.
func viewPicture(c *cli.Context) error {
	input, output := c.Args().First(), c.String("o")
	if err := checkFormat(input); err != nil {
		return err
	}
	if output == "" {
		output = strings.TrimSuffix(input, filepath.Ext(input)) + "-flow.png"
	}
	if !strings.EqualFold(filepath.Ext(output), ".png") {
		return usagef("the image is a PNG: -o must end in .png, not %q", output)
	}
	if err := checkOutput(output, input, c.Bool("force")); err != nil {
		return err
	}
	f, err := readFlow(input)
	if err != nil {
		return err
	}
	if err := checkFolder(output); err != nil {
		return err
	}
	s := f.Statistics()
	scale, _ := parseMaxFlow(c.String("max-flow"))
	if scale == 0 {
		scale = max(1, s.Length.P99) // at least a pixel, so that a static field stays white
	}
	if err := writeImage(output, f, scale, c.Bool("legend")); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(struct {
			Input   string  `json:"input"`
			Picture string  `json:"picture"`
			Scale   float64 `json:"max_flow"`
			field.Statistics
		}{input, output, scale, s})
	}
	_, err = fmt.Print(statisticsText(input, output, scale, s))
	return outputError(err)
}

// writeImage paints a field into a PNG.
func writeImage(path string, f *field.Field, scale float64, legend bool) error {
	painter, err := visualize.New(visualize.Options{MaxFlow: scale, Legend: legend})
	if err != nil {
		return err
	}
	painted, err := painter.Paint(f)
	if err != nil {
		return err
	}
	return outputError(atomicfile.WriteTo(path, func(w io.Writer) error { return png.Encode(w, painted.Image()) }))
}

// statisticsText is what view prints for people.
func statisticsText(input, output string, scale float64, s field.Statistics) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %dx%d pixels, %d known, %d unknown", input, s.Width, s.Height, s.Known, s.Unknown)
	if s.Infinite > 0 {
		fmt.Fprintf(&b, ", %d infinite, not counted below", s.Infinite)
	}
	b.WriteString("\n")
	if s.Known > s.Infinite {
		line := func(name string, d field.Distribution) {
			fmt.Fprintf(&b, "%-7s min %.3f, median %.3f, mean %.3f, 99th percentile %.3f, max %.3f pixels\n", name, d.Min, d.Median, d.Mean, d.P99, d.Max)
		}
		line("u", s.U)
		line("v", s.V)
		line("length", s.Length)
	}
	fmt.Fprintf(&b, "%s: the image; full saturation is %s\n", output, pixels(scale))
	return b.String()
}

// printJSON prints one indented JSON object on standard output.
func printJSON(v any) error { return outputError(writeJSON(os.Stdout, v)) }
