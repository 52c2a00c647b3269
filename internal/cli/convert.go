package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/pipeline"
)

const textFormats = `The file extension selects the format:
  .flo    Middlebury, 32-bit floats; unknown flow is 1e10
  .flo5   HDF5 in Spring's layout, 32-bit floats; unknown is NaN (16-bit and 64-bit floats can be read)
  .png    KITTI's 16-bit PNG: steps of 1/64 pixel from -512 to 511.98, rounded; unknown is valid = 0
  .exr    OpenEXR, two 32-bit channels; direction, unit and axes in the header; unknown is NaN
  .npy    NumPy array height x width x 2, 32-bit floats; unknown is NaN
  .pfm    three channels, the third unused; unknown is NaN
Flow is in pixels, to the right and downwards. A value that a format cannot hold is an error; nothing is clipped.`

func convertCommand() *cli.Command {
	return &cli.Command{
		Name:        "convert",
		Usage:       "write a flow file in another format",
		ArgsUsage:   "INPUT OUTPUT",
		Description: textFormats + "\n\nExample: wwflow convert a.flo b.exr",
		Action:      convert,
		Flags:       []cli.Flag{forceFlag()},
	}
}

func convert(c *cli.Context) error {
	if c.NArg() != 2 {
		return usagef("give an input and an output: wwflow convert a.flo b.exr")
	}
	input, output := c.Args().Get(0), c.Args().Get(1)
	for _, path := range []string{input, output} {
		if _, err := flowfile.FormatOf(path); err != nil {
			return usagef("%w", err)
		}
	}
	if err := checkOutput(output, input, c.Bool("force")); err != nil {
		return err
	}
	f, err := flowfile.Read(input)
	if err != nil {
		return inputError(err)
	}
	return outputError(flowfile.Write(output, f))
}

// checkOutput returns an error if an output is the input, or exists and must not be replaced.
func checkOutput(output, input string, force bool) error {
	out, err := os.Stat(output)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return outputError(err)
	}
	if in, err := os.Stat(input); err == nil && os.SameFile(in, out) {
		return outputError(fmt.Errorf("%s: %w", output, pipeline.ErrSame))
	}
	if !force {
		return fmt.Errorf("%s: %w", output, encode.ErrExists)
	}
	return nil
}
