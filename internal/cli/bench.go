package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/pipeline"
)

const textBench = `Does what run does, into a folder that it removes, and measures it. Without INPUT it makes a video of
1920x1080 itself. A stage's share is the part of the time in which it worked. The queue is the average number
of frames that waited in front of the stage, and its capacity. The slowest stage is the one whose share is near
100 % and whose queue is full. Rates are counted from the first image to the last, so loading does not count.`

// benchFrames is how many frames are measured without --frames.
const benchFrames = 30

func benchCommand() *cli.Command {
	return &cli.Command{
		Name:        "bench",
		Usage:       "measure the stages of a run and name the slowest",
		ArgsUsage:   "[INPUT]",
		Description: textBench + "\n\n" + textExitCodes,
		Flags:       slices.Concat([]cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print one JSON object"}}, videoFlags(), networkFlags()),
		Action:      bench,
	}
}

func bench(c *cli.Context) (err error) {
	if c.NArg() > 1 {
		return usagef("bench takes one input at most, not %d", c.NArg())
	}
	folder, err := os.MkdirTemp("", "wwflow-bench-")
	if err != nil {
		return outputError(err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	networks, err := pipeline.OpenNetworks(networkOptions(c)) // before a video is made in vain
	if err != nil {
		return err
	}
	defer networks.Close()
	frames := benchFrames
	if n := c.Int("frames"); n > 0 {
		frames = n
	}
	input := c.Args().First()
	if input == "" {
		input = filepath.Join(folder, "waves.mp4")
		if err := makeVideo(c.Context, input, 1920, 1080, frames); err != nil {
			return err
		}
	}
	o, err := videoOptions(c, input)
	if err != nil {
		return err
	}
	o.Networks, o.Decode.Frames = networks, frames
	o.Output = filepath.Join(folder, "flow.mp4")
	if errors.Is(encode.Check(o.Output, o.Encode), encode.ErrCodecContainer) {
		o.Output = filepath.Join(folder, "flow.mkv") // takes every codec
	}
	if o.Paint.MaxFlow == 0 {
		o.Paint.MaxFlow = 20 // choosing the scale is not part of what is measured
	}
	m, err := pipeline.Bench(c.Context, o)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(m)
	}
	return outputError(printMeasurement(os.Stdout, m))
}

func printMeasurement(out io.Writer, m pipeline.Measurement) error {
	var s strings.Builder
	fmt.Fprintf(&s, "%s: %dx%d, %s, %s on %s in %s", m.Input, m.Width, m.Height, count(m.Images, "image"), m.Network, m.Device, m.Precision)
	if m.NetworkWidth != m.Width || m.NetworkHeight != m.Height {
		fmt.Fprintf(&s, ", which sees %dx%d", m.NetworkWidth, m.NetworkHeight)
	}
	s.WriteByte('\n')
	fmt.Fprintf(&s, "%-9s%14s%9s  %s\n", "stage", "ms per frame", "share", "queue: average length of capacity")
	for _, t := range m.Stages {
		fmt.Fprintf(&s, "%-9s%14.2f%7.1f %%", t.Name, t.Milliseconds, 100*t.Share)
		if t.QueueCapacity > 0 {
			fmt.Fprintf(&s, "  %.1f of %d", t.QueueLength, t.QueueCapacity)
		}
		if t.Workers > 1 {
			fmt.Fprintf(&s, ", %d devices", t.Workers)
		}
		s.WriteByte('\n')
		for _, p := range t.Parts {
			fmt.Fprintf(&s, "  %-9s%12.2f%7.1f %%\n", p.Name, p.Milliseconds, 100*p.Share)
		}
	}
	fmt.Fprintf(&s, "whole run %s frames/s, network alone %s frames/s: %.0f %%\nbottleneck: %s\n",
		significant(m.PerSecond), significant(m.NetworkAlone), 100*m.PerSecond/m.NetworkAlone, m.Bottleneck)
	for _, n := range m.Notices {
		fmt.Fprintf(&s, "note: %s\n", n)
	}
	if m.PeakMemory > 0 {
		fmt.Fprintf(&s, "peak memory %s\n", byteSize(m.PeakMemory))
	}
	_, err := io.WriteString(out, s.String())
	return err
}

// makeVideo writes a video of waves that move by (3, 1) pixels from frame to frame.
func makeVideo(ctx context.Context, path string, width, height, frames int) error {
	base := frame.Rational{Num: 1, Den: 25}
	out, err := encode.Create(ctx, path, encode.Options{
		Width: width, Height: height, TimeBase: base, FrameRate: frame.Rational{Num: 25, Den: 1},
		EncoderOptions: map[string]string{"preset": "veryfast"},
	})
	if err != nil {
		return outputError(err)
	}
	defer out.Close()
	scene := waves(width+3*(frames-1), height+frames-1)
	for n := range frames {
		f := frame.New(width, height)
		f.Index, f.PTS, f.Duration, f.TimeBase = n, int64(n), 1, base
		for y := range height {
			back := frames - 1 - n // the frame moves to the left and up over the scene
			copy(f.Pix[3*y*width:3*(y+1)*width], scene.Pix[3*((y+back)*scene.Width+3*back):])
		}
		if err := out.Write(f); err != nil {
			return outputError(err)
		}
	}
	return outputError(out.Commit())
}

// waves paints three waves of different directions and lengths into each colour channel.
func waves(width, height int) *frame.Frame {
	const period = 256
	var wave [period]float64
	for i := range wave {
		wave[i] = math.Sin(2 * math.Pi * float64(i) / period)
	}
	f := frame.New(width, height)
	for y := range height {
		for x := range width {
			for k := range 3 {
				v := wave[((5+k)*x+3*y)%period] + wave[(2*x+(9-k)*y)%period] + wave[(17*x+(13+k)*y)%period]
				f.Pix[3*(y*width+x)+k] = byte(128 + 40*v)
			}
		}
	}
	return f
}
