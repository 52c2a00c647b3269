package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/frame"
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
	Output        string
	OutputFrames  int // 0 where the number of frames is not known
	Network       string
	Device        string
	Precision     string
	NetworkMemory int64 // bytes at the peak; 0 where the network's card does not tell
	FrameMemory   int64 // bytes that the frames, fields and pictures between the stages take at most
	Fits          bool  // into the memory that is free now, as far as can be told
	Advice        string
}

// MarshalJSON names things as run's and bench's JSON do. Times are in seconds, ratios as 30000/1001.
func (p prospect) MarshalJSON() ([]byte, error) {
	ratio := func(r frame.Rational) string {
		if r.Den == 0 {
			return ""
		}
		return r.String()
	}
	return json.Marshal(struct {
		Input         string  `json:"input"`
		Format        string  `json:"format"`
		Codec         string  `json:"codec"`
		PixelFormat   string  `json:"pixel_format"`
		Width         int     `json:"width"`
		Height        int     `json:"height"`
		SampleAspect  string  `json:"sample_aspect,omitempty"`
		FrameRate     string  `json:"frame_rate,omitempty"`
		TimeBase      string  `json:"time_base"`
		Frames        int     `json:"frames,omitempty"`
		FramesExact   bool    `json:"frames_exact"`
		Duration      float64 `json:"seconds,omitempty"`
		StartTime     float64 `json:"start_seconds"`
		Rotation      int     `json:"rotation"`
		BitDepth      int     `json:"bit_depth"`
		ColorRange    string  `json:"color_range"`
		ColorMatrix   string  `json:"color_matrix"`
		ColorAssumed  bool    `json:"color_assumed"`
		ColorTransfer string  `json:"color_transfer"`
		ToneMapped    bool    `json:"tone_mapped"`
		Interlaced    bool    `json:"interlaced"`
		Deinterlaced  bool    `json:"deinterlaced"`
		Audio         int     `json:"audio_streams"`
		Subtitles     int     `json:"subtitle_streams"`
		Hardware      string  `json:"hwaccel,omitempty"`
		InSoftware    string  `json:"in_software_because,omitempty"`
		Output        string  `json:"output"`
		OutputFrames  int     `json:"output_frames,omitempty"`
		Network       string  `json:"network"`
		Device        string  `json:"device"`
		Precision     string  `json:"precision"`
		NetworkMemory int64   `json:"network_bytes,omitempty"`
		FrameMemory   int64   `json:"frame_bytes"`
		Fits          bool    `json:"fits"`
		Advice        string  `json:"advice,omitempty"`
	}{p.Path, p.Format, p.Codec, p.PixelFormat, p.Width, p.Height, ratio(p.SampleAspect), ratio(p.FrameRate), ratio(p.TimeBase), p.Frames, p.FramesExact,
		p.Duration.Seconds(), p.StartTime.Seconds(), p.Rotation, p.BitDepth, p.ColorRange, p.ColorMatrix, p.ColorAssumed, p.ColorTransfer, p.ToneMapped, p.Interlaced, p.Deinterlaced,
		p.Audio, p.Subtitles, p.Hardware, p.InSoftware, p.Output, p.OutputFrames, p.Network, p.Device, p.Precision, p.NetworkMemory, p.FrameMemory, p.Fits, p.Advice})
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
	kept := keptFor(step, i)
	p := prospect{Info: i, Output: outputName(input, visualize.Flow), Network: net.name(), Device: net.devices(), Precision: net.precision(),
		NetworkMemory: net.memory(i.Width, i.Height, kept), FrameMemory: frameMemory(i.Width, i.Height, step, len(net)), Fits: true}
	if i.FramesExact {
		p.OutputFrames = max(0, i.Frames-step)
	}
	if err := net.checkMemory(i.Width, i.Height, kept, c.Float64("scale")); err != nil {
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
