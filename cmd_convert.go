package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/internal/atomicfile"
	"github.com/wwflow/wwflow/visualize"
)

const textFormats = `The format is told from the name's end:
  .flo    Middlebury, 32-bit floats; unknown flow is 1e10
  .flo5   HDF5 as Spring has it, 32-bit floats; unknown is NaN (16-bit and 64-bit floats are read as well)
  .png    KITTI's 16-bit PNG: steps of 1/64 pixel from -512 to 511.98, nearest one; unknown is valid = 0
  .exr    OpenEXR, two 32-bit channels; direction, unit and axes in the header; unknown is NaN
  .npy    NumPy array height x width x 2, 32-bit floats; unknown is NaN
  .pfm    three channels, the third unused; unknown is NaN
Flow is in pixels, to the right and downwards. What a format can't hold is an error; nothing is clipped.`

func convertCommand() *cli.Command {
	return &cli.Command{
		Name:        "convert",
		Usage:       "write a flow file in another format",
		ArgsUsage:   "INPUT OUTPUT",
		Description: textFormats + "\n\nExample: wwflow convert a.flo b.exr",
		Action:      convert,
		Flags:       []cli.Flag{&cli.BoolFlag{Name: "force", Usage: "replace an output that exists"}},
	}
}

func convert(c *cli.Context) error {
	if c.NArg() != 2 {
		return usagef("give an input and an output: wwflow convert a.flo b.exr")
	}
	input, output := c.Args().Get(0), c.Args().Get(1)
	for _, path := range []string{input, output} {
		if _, err := flowfile.FormatOf(path); err != nil {
			return place(errUsage, err)
		}
	}
	if err := vacant(output, input, c.Bool("force")); err != nil {
		return err
	}
	f, err := flowfile.Read(input)
	if err != nil {
		return place(errInput, err)
	}
	return place(errOutput, flowfile.Write(output, f))
}

// vacant is an error where an output is the input, or exists and isn't to be replaced.
func vacant(output, input string, force bool) error {
	out, err := os.Stat(output)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return place(errOutput, err)
	}
	if in, err := os.Stat(input); err == nil && os.SameFile(in, out) {
		return place(errOutput, fmt.Errorf("%s: %w", output, errSame))
	}
	if !force {
		return fmt.Errorf("%s: %w", output, encode.ErrExists)
	}
	return nil
}

func viewCommand() *cli.Command {
	return &cli.Command{
		Name:      "view",
		Usage:     "print a flow file's statistics and paint it",
		ArgsUsage: "INPUT",
		Description: `Prints how large a flow file is, what is unknown in it, and how far things move, and writes a picture of it in the
colours of wwflow run.

` + textFormats,
		Action: view,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "o", Aliases: []string{"output"}, Usage: "the picture, a .png", DefaultText: "INPUT-flow.png beside the input"},
			&cli.StringFlag{Name: "max-flow", Value: "auto", Usage: "auto, or the length in pixels that is painted in full colour"},
			&cli.BoolFlag{Name: "legend", Usage: "draw the colour wheel and its scale into a corner"},
			&cli.BoolFlag{Name: "force", Usage: "replace an output that exists"},
			&cli.BoolFlag{Name: "json", Usage: "print the statistics as JSON"},
		},
	}
}

func view(c *cli.Context) error {
	if c.NArg() != 1 {
		return usagef("give one flow file: wwflow view a.flo")
	}
	input, output := c.Args().First(), c.String("o")
	if _, err := flowfile.FormatOf(input); err != nil {
		return place(errUsage, err)
	}
	if output == "" {
		output = strings.TrimSuffix(input, filepath.Ext(input)) + "-flow.png"
	}
	if !strings.EqualFold(filepath.Ext(output), ".png") {
		return usagef("the picture is a PNG: -o must end in .png, not %q", output)
	}
	scale := 0.0
	if text := c.String("max-flow"); text != "auto" {
		if _, err := fmt.Sscanf(text, "%g", &scale); err != nil || !(scale > 0) || math.IsInf(scale, 0) {
			return usagef("--max-flow %q: give auto or a positive number of pixels", text)
		}
	}
	if err := vacant(output, input, c.Bool("force")); err != nil {
		return err
	}
	f, err := flowfile.Read(input)
	if err != nil {
		return place(errInput, err)
	}
	s := f.Statistics()
	if scale == 0 {
		scale = 1 // of a still field, which stays white
		if s.Length.P99 > 1 {
			scale = s.Length.P99
		}
	}
	painter, err := visualize.New(visualize.Options{MaxFlow: scale, Legend: c.Bool("legend")})
	if err != nil {
		return err
	}
	painted, err := painter.Paint(f)
	if err != nil {
		return err
	}
	m := image.NewRGBA(image.Rect(0, 0, painted.Width, painted.Height))
	for i := range painted.Width * painted.Height {
		copy(m.Pix[4*i:], painted.Pix[3*i:3*i+3])
		m.Pix[4*i+3] = 255
	}
	if err := atomicfile.WriteTo(output, func(w io.Writer) error { return png.Encode(w, m) }); err != nil {
		return place(errOutput, err)
	}
	if c.Bool("json") {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		return place(errOutput, e.Encode(struct {
			Input   string  `json:"input"`
			Picture string  `json:"picture"`
			Scale   float64 `json:"max_flow"`
			field.Statistics
		}{input, output, scale, s}))
	}
	_, err = fmt.Print(statisticsText(input, output, scale, s))
	return place(errOutput, err)
}

// statisticsText is what view prints for people.
func statisticsText(input, output string, scale float64, s field.Statistics) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %dx%d pixels, %d known, %d unknown", input, s.Width, s.Height, s.Known, s.Unknown)
	if s.Infinite > 0 {
		fmt.Fprintf(&b, ", %d infinite and left out below", s.Infinite)
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
	fmt.Fprintf(&b, "%s: its picture; full colour is %s\n", output, pixels(scale))
	return b.String()
}
