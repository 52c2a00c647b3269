package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/pairing"
	"github.com/wwflow/wwflow/pipeline"
	"github.com/wwflow/wwflow/visualize"
)

const textPair = `FIRST and SECOND are images, or videos of which the first frame is taken. The flow is given for each pixel
of FIRST, in pixels, to the right and downwards.`

func pairCommand() *cli.Command {
	return &cli.Command{
		Name:        "pair",
		Usage:       "write the flow between two images",
		ArgsUsage:   "FIRST SECOND",
		Description: textPair + "\n\n" + textFormats + "\n\n" + textExitCodes,
		Action:      pair,
		Flags: slices.Concat([]cli.Flag{
			outputFlag("flow file; its extension selects the format", ""),
			&cli.BoolFlag{Name: "backward", Usage: "flow from the second image to the first"},
			forceFlag(),
			quietFlag(),
		}, networkFlags()),
	}
}

func pair(c *cli.Context) error {
	if c.NArg() != 2 {
		return usagef("pair takes two images, not %d", c.NArg())
	}
	first, second, output := c.Args().Get(0), c.Args().Get(1), c.String("o")
	if output == "" {
		return usagef("name the flow file to write: -o flow.flo")
	}
	if err := checkFormat(output); err != nil {
		return err
	}
	for _, input := range []string{first, second} {
		if err := checkOutput(output, input, c.Bool("force")); err != nil {
			return err
		}
	}
	if err := checkFolder(output); err != nil {
		return err
	}
	a, b, err := readPair(c.Context, first, second)
	if err != nil {
		return err
	}
	model, err := openModel(c)
	if err != nil {
		return err
	}
	defer model.Close()
	if err := model.CheckMemory(a.Width, a.Height); err != nil {
		return err
	}
	if c.Bool("backward") {
		a, b = b, a
	}
	f, err := model.Flow(c.Context, a, b)
	if err != nil {
		return err
	}
	if err := flowfile.Write(output, f); err != nil {
		return outputError(err)
	}
	if !c.Bool("quiet") {
		fmt.Fprint(os.Stderr, pairLine(output, f))
	}
	return nil
}

// readPair reads two images of one size. Their indices are 0 and 1, so that a field's direction is known.
func readPair(ctx context.Context, first, second string) (a, b *frame.Frame, err error) {
	if a, err = readImage(ctx, first); err != nil {
		return nil, nil, err
	}
	if b, err = readImage(ctx, second); err != nil {
		return nil, nil, err
	}
	if a.Width != b.Width || a.Height != b.Height {
		return nil, nil, fmt.Errorf("%s is %dx%d pixels and %s is %dx%d: %w", first, a.Width, a.Height, second, b.Width, b.Height, pairing.ErrSize)
	}
	a.Index, b.Index = 0, 1
	return a, b, nil
}

// readImage reads an image, or the first frame of a video.
func readImage(ctx context.Context, path string) (*frame.Frame, error) {
	in, err := pipeline.Open(ctx, path, decode.Options{Frames: 1})
	if err != nil {
		return nil, err
	}
	defer in.Close()
	f, err := in.Read()
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("cannot read %s: %w", path, decode.ErrNoFrames)
	}
	return f, inputError(err)
}

// pairLine says what was written and how far things moved.
func pairLine(output string, f *field.Field) string {
	median, _ := visualize.Length(f, 0.5)
	p99, _ := visualize.Length(f, 0.99)
	return fmt.Sprintf("%s: %dx%d, flow length: median %.2f pixels, 99th percentile %.2f\n", output, f.Width, f.Height, median, p99)
}
