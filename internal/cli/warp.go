package cli

import (
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/atomicfile"
	"github.com/wwflow/wwflow/warp"
)

const textWarp = `PICTURE is an image, or a video of which the first frame is taken. FLOW is a flow file in any format that wwflow reads,
an STMap that wwflow has written, or with --stmap one of another program.

By default pixels are fetched: the pixel x of the result is what PICTURE shows at x + flow(x). So the second frame of a
pair, warped by the flow from the first to the second frame, looks like the first one. With --forward pixels are
thrown: the pixel x of PICTURE goes to x + flow(x), so the first frame looks like the second one; pixels that meet are
averaged.

The result is a PNG. Pixels about which nothing is known are transparent: their flow is unknown or leads out of the
picture, or with --forward no pixel arrives.

Examples:
  wwflow pair a.png b.png -o ab.flo
  wwflow warp b.png ab.flo -o like-a.png
  wwflow warp a.png ab.flo --forward -o like-b.png`

func warpCommand() *cli.Command {
	return &cli.Command{
		Name:        "warp",
		Usage:       "move the pixels of a picture along a flow file or an STMap",
		ArgsUsage:   "PICTURE FLOW",
		Description: textWarp,
		Action:      runWarp,
		Flags: []cli.Flag{
			outputFlag("the result, a .png", "PICTURE-warped.png beside the picture"),
			&cli.BoolFlag{Name: "forward", Usage: "throw the pixels along the flow, instead of fetching them"},
			&cli.BoolFlag{Name: "stmap", Usage: "FLOW is an STMap: an EXR whose R and G are the place, from 0 at the left and lower edges to 1"},
			forceFlag(),
			quietFlag(),
		},
	}
}

func runWarp(c *cli.Context) error {
	if c.NArg() != 2 {
		return withHint(usagef("warp takes a picture and a flow file"), "wwflow warp b.png ab.flo")
	}
	picture, flow, output := c.Args().Get(0), c.Args().Get(1), c.String("o")
	if err := checkFormat(flow); err != nil {
		return err
	}
	if output == "" {
		output = strings.TrimSuffix(picture, filepath.Ext(picture)) + "-warped.png"
	}
	if !strings.EqualFold(filepath.Ext(output), ".png") {
		return usagef("the result is a PNG: -o must end in .png, not %q", output)
	}
	for _, input := range []string{picture, flow} {
		if err := checkOutput(output, input, c.Bool("force")); err != nil {
			return err
		}
	}
	if err := checkFolder(output); err != nil {
		return err
	}
	f, err := readWarp(c, flow)
	if err != nil {
		return err
	}
	in, err := readImage(c.Context, picture)
	if err != nil {
		return err
	}
	out, known, err := applyWarp(in, f, c.Bool("forward"))
	if err != nil {
		return withHint(inputError(fmt.Errorf("%s and %s: %w", picture, flow, err)), "a picture and a flow file of one size")
	}
	m, holes := transparent(out, known)
	if err := atomicfile.WriteTo(output, func(w io.Writer) error { return png.Encode(w, m) }); err != nil {
		return outputError(err)
	}
	if !c.Bool("quiet") {
		fmt.Fprintf(os.Stderr, "%s: %dx%d, %.1f %% of the pixels are unknown, and transparent\n", output, out.Width, out.Height, 100*float64(holes)/float64(len(known)))
	}
	return nil
}

func readWarp(c *cli.Context, path string) (*field.Field, error) {
	if !c.Bool("stmap") {
		return readFlow(path)
	}
	if !strings.EqualFold(filepath.Ext(path), flowfile.EXR.Extension()) {
		return nil, usagef("--stmap: %s is not an EXR file", path)
	}
	f, err := flowfile.ReadSTMap(path)
	return f, inputError(err)
}

func applyWarp(in *frame.Frame, f *field.Field, forward bool) (*frame.Frame, []bool, error) {
	if !forward {
		return warp.Backward(in, f)
	}
	s := warp.NewSplat(in.Width, in.Height)
	if err := s.Add(in, f, 1, nil); err != nil {
		return nil, nil, err
	}
	out, known := s.Frame()
	return out, known, nil
}

// transparent returns an image in which unknown pixels are transparent, and their number.
func transparent(f *frame.Frame, known []bool) (m *image.NRGBA, holes int) {
	m = image.NewNRGBA(image.Rect(0, 0, f.Width, f.Height))
	for i, k := range known {
		if !k {
			holes++
			continue
		}
		copy(m.Pix[4*i:], f.Pix[3*i:3*i+3])
		m.Pix[4*i+3] = 255
	}
	return m, holes
}
