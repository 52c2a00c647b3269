package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"

	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/internal/pathname"
	"github.com/wwflow/wwflow/pipeline"
)

// textFormats lists the flow file formats.
var textFormats = func() string {
	var s strings.Builder
	s.WriteString("The file extension selects the format:\n")
	for _, f := range flowfile.Formats() {
		fmt.Fprintf(&s, "  %-6s  %s\n", f.Extension(), f.Description())
	}
	s.WriteString("npy16 and exr16 (--to, --export) are .npy and .exr with 16-bit floats.\n")
	s.WriteString("Flow is in pixels, to the right and downwards. A value that a format cannot hold is an error; nothing is clipped.")
	return s.String()
}()

func convertCommand() *cli.Command {
	return &cli.Command{
		Name:      "convert",
		Usage:     "write flow files in another format",
		ArgsUsage: "INPUT OUTPUT",
		Description: textFormats + `

With folders, every flow file of INPUT is written to OUTPUT in the format of --to, under its own name.

Examples:
  wwflow convert a.flo b.exr
  wwflow convert flo/ exr/ --to exr`,
		Action: convert,
		Flags: []cli.Flag{
			text(cli.StringFlag{Name: "to", Usage: "`FORMAT` of the files in a folder: " + joinOr(slices.Concat(flowfile.Formats(), flowfile.Variants()))}, parseFormat),
			forceFlag(),
			quietFlag(),
		},
	}
}

func parseFormat(s string) (flowfile.Format, error) {
	f, err := flowfile.ParseFormat(s)
	if err != nil {
		return "", usagef("%w", err)
	}
	return f, nil
}

func convert(c *cli.Context) error {
	if c.NArg() != 2 {
		return usagef("give an input and an output: wwflow convert a.flo b.exr")
	}
	input, output := c.Args().Get(0), c.Args().Get(1)
	if pathname.IsFolder(input) {
		return convertFolder(c, input, output)
	}
	if c.IsSet("to") {
		return usagef("--to is for folders; the extension of the output selects its format")
	}
	for _, path := range []string{input, output} {
		if err := checkFormat(path); err != nil {
			return err
		}
	}
	if err := checkOutput(output, input, c.Bool("force")); err != nil {
		return err
	}
	if err := checkFolder(output); err != nil {
		return err
	}
	format, _ := flowfile.FormatOf(output) // checkFormat has accepted it
	return convertFile(input, output, format)
}

func convertFile(input, output string, format flowfile.Format) error {
	f, err := readFlow(input)
	if err != nil {
		return err
	}
	return outputError(flowfile.WriteAs(output, f, format))
}

// checkFormat returns an error if a name does not have the extension of a flow file.
func checkFormat(path string) error {
	if _, err := flowfile.FormatOf(path); err != nil {
		return withHint(usagef("%w", err), "one of these extensions; wwflow run reads videos, wwflow pair reads images")
	}
	return nil
}

func readFlow(path string) (*field.Field, error) {
	f, err := flowfile.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = withHint(err, "another name: there is no such file")
	}
	return f, inputError(err)
}

// convertFolder converts the flow files of a folder. Everything that can be checked is checked before the first file.
func convertFolder(c *cli.Context, input, output string) error {
	if !c.IsSet("to") {
		return withHint(usagef("%s is a folder: name the format of its new files", input), "--to "+joinOr(flowfile.Formats()))
	}
	format, _ := parseFormat(c.String("to"))
	entries, err := os.ReadDir(input)
	if err != nil {
		return inputError(err)
	}
	sources := map[string]string{} // by output
	var outputs []string
	for _, e := range entries {
		if _, err := flowfile.FormatOf(e.Name()); err != nil || e.IsDir() {
			continue
		}
		from, name := filepath.Join(input, e.Name()), strings.TrimSuffix(e.Name(), filepath.Ext(e.Name()))
		to := filepath.Join(output, name+format.Extension())
		if other := sources[to]; other != "" {
			return inputError(fmt.Errorf("%s and %s would both become %s; move one of them", other, from, to))
		}
		if err := checkOutput(to, from, c.Bool("force")); err != nil {
			return err
		}
		sources[to] = from
		outputs = append(outputs, to)
	}
	if len(outputs) == 0 {
		return inputError(fmt.Errorf("%s has no flow files (%s)", input, formatList()))
	}
	if err := os.MkdirAll(output, 0o777); err != nil {
		return outputError(err)
	}
	meter := newMeter(c.Bool("quiet"), "file")
	defer meter.stop()
	for i, to := range outputs {
		if err := c.Context.Err(); err != nil {
			return err
		}
		if err := convertFile(sources[to], to, format); err != nil {
			return err
		}
		meter.update(i+1, len(outputs))
	}
	meter.stop()
	if !c.Bool("quiet") {
		fmt.Fprintf(os.Stderr, "%s: %s written\n", output, count(len(outputs), "file"))
	}
	return nil
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

// checkFolder returns an error if a file cannot be created beside an output.
func checkFolder(output string) error {
	folder := filepath.Dir(output)
	if !pathname.IsFolder(folder) {
		return outputError(withHint(fmt.Errorf("cannot write %s: the folder %s does not exist", output, folder), "mkdir -p "+folder))
	}
	if err := unix.Access(folder, unix.W_OK|unix.X_OK); err != nil {
		return outputError(fmt.Errorf("cannot write %s: %w", output, err))
	}
	return nil
}
