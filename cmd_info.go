package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/visualize"
)

func infoCommand() *cli.Command {
	return &cli.Command{
		Name:        "info",
		Usage:       "say what a video is, what run would do with it, and the memory that takes",
		ArgsUsage:   "INPUT",
		Description: textExitCodes,
		Action:      info,
		Flags: slices.Concat([]cli.Flag{
			&cli.Float64Flag{Name: "scale", Value: 1, Usage: "as run would be told"},
			&cli.IntFlag{Name: "step", Value: 1, Usage: "as run would be told"},
			hwaccelFlag(),
			&cli.BoolFlag{Name: "json", Usage: "as one JSON object"},
		}, networkFlags()),
	}
}

// prospect is what info tells.
type prospect struct {
	decode.Info
	Seconds       float64 `json:"seconds,omitempty"` // Info.Duration
	StartSeconds  float64 `json:"start_seconds"`     // Info.StartTime
	Output        string  `json:"output"`
	OutputFrames  int     `json:"output_frames,omitempty"` // absent where the number of frames is not known
	Network       string  `json:"network"`
	Device        string  `json:"device"`
	Precision     string  `json:"precision"`
	NetworkMemory int64   `json:"network_bytes,omitempty"` // at the peak; absent where the network's card does not tell
	FrameMemory   int64   `json:"frame_bytes"`             // that the frames, fields and pictures between the stages take at most
	Fits          bool    `json:"fits"`                    // into the memory that is free now, as far as can be told
	Advice        string  `json:"advice,omitempty"`
}

func info(c *cli.Context) error {
	if c.NArg() != 1 {
		return usagef("info takes one input, not %d", c.NArg())
	}
	step := c.Int("step")
	if scale := c.Float64("scale"); step < 1 || !(scale > 0) || scale > 16 {
		return usagef("--step is 1 or more, --scale above 0 and up to 16")
	}
	hardware, err := hwaccel(c)
	if err != nil {
		return err
	}
	input := c.Args().First()
	in, err := open(c.Context, input, decode.Options{Scale: c.Float64("scale"), Threads: c.Int("threads"), Hardware: hardware})
	if err != nil {
		return err
	}
	defer in.Close()
	net, err := openNetworks(c)
	if err != nil {
		return err
	}
	defer net.Close()
	i := in.Info()
	p := prospect{Info: i, Seconds: i.Duration.Seconds(), StartSeconds: i.StartTime.Seconds(), Output: outputName(input, visualize.Flow), Network: net.name(), Device: net.devices(), Precision: net.precision(),
		NetworkMemory: net.memory(i, step), FrameMemory: frameMemory(i.Width, i.Height, step, len(net)), Fits: true}
	if i.FramesExact {
		p.OutputFrames = max(0, i.Frames-step)
	}
	if err := net.checkMemory(i, step, c.Float64("scale")); err != nil {
		p.Fits, p.Advice = false, err.Error()
	}
	if c.Bool("json") {
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		return out.Encode(p)
	}
	_, err = fmt.Print(infoText(p))
	return err
}

// frameMemory counts what run.go holds between its stages at the most: the frames that are read, on both sides of
// the first channel and for the pairing; a field with its confidence and the frame that its pair adds, for each
// that waits or is worked on; and the pictures.
func frameMemory(width, height, step, devices int) int64 {
	const picture, flow = 3, 4*2 + 4
	l := line{networks: make([]estimator, devices)}
	_, waiting := l.waiting()
	frames := roomFrames + 2 + (step + 1)
	fields := waiting + devices + 1 // in the networks' and in the painter's hands
	pictures := roomPictures + 2
	return int64(width) * int64(height) * int64((frames+pictures)*picture+fields*(flow+picture))
}
