package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/pairing"
)

func pairCommand() *cli.Command {
	return &cli.Command{
		Name:        "pair",
		Usage:       "write the flow between two pictures",
		ArgsUsage:   "FIRST SECOND",
		Description: textPair + "\n\n" + textFormats + "\n\n" + textExitCodes,
		Action:      pair,
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "o", Aliases: []string{"output"}, Usage: "flow file; its name's end tells the format"},
			&cli.BoolFlag{Name: "backward", Usage: "flow from the second picture to the first"},
			&cli.BoolFlag{Name: "force", Usage: "replace an output that exists"},
			&cli.BoolFlag{Name: "quiet", Usage: "say nothing but errors"},
		}, networkFlags()),
	}
}

func pair(c *cli.Context) error {
	if c.NArg() != 2 {
		return usagef("pair takes two pictures, not %d", c.NArg())
	}
	first, second, output := c.Args().Get(0), c.Args().Get(1), c.String("o")
	if output == "" {
		return usagef("pair needs to know where the flow goes: -o flow.flo")
	}
	if _, err := flowfile.FormatOf(output); err != nil {
		return place(errUsage, err)
	}
	for _, input := range []string{first, second} {
		if err := vacant(output, input, c.Bool("force")); err != nil {
			return err
		}
	}
	a, err := readPicture(c.Context, first)
	if err != nil {
		return err
	}
	b, err := readPicture(c.Context, second)
	if err != nil {
		return err
	}
	if a.Width != b.Width || a.Height != b.Height {
		return fmt.Errorf("%s is %dx%d pixels and %s is %dx%d: %w", first, a.Width, a.Height, second, b.Width, b.Height, pairing.ErrSize)
	}
	a.Index, b.Index = 0, 1 // the order gives the flow its direction: forward or, with --backward, backward
	net, err := openNetwork(c)
	if err != nil {
		return err
	}
	defer net.Close()
	if err := net.model.CheckMemory(a.Width, a.Height); err != nil {
		return err
	}
	f, err := net.estimate(c.Context, &frame.Pair{First: a, Second: b})
	if err != nil {
		return err
	}
	if err := flowfile.Write(output, f); err != nil {
		return place(errOutput, err)
	}
	if !c.Bool("quiet") {
		fmt.Fprint(os.Stderr, pairLine(output, f))
	}
	return nil
}

// readPicture reads a picture, or the first frame of a video.
func readPicture(ctx context.Context, path string) (*frame.Frame, error) {
	in, err := open(ctx, path, decode.Options{Frames: 1})
	if err != nil {
		return nil, err
	}
	defer in.Close()
	f, err := in.Read()
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("cannot read %s: %w", path, decode.ErrNoFrames)
	}
	return f, place(errInput, err)
}
