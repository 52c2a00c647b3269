package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/internal/pathname"
	"github.com/wwflow/wwflow/pipeline"
	"github.com/wwflow/wwflow/visualize"
)

func infoCommand() *cli.Command {
	return &cli.Command{
		Name:        "info",
		Usage:       "describe a video, what run would do with it, and the memory that takes",
		ArgsUsage:   "INPUT",
		Description: textExitCodes,
		Action:      info,
		Flags: slices.Concat([]cli.Flag{
			scaleFlag("same as for run"),
			stepFlag("same as for run"),
			hwaccelFlag(),
			bothFlag(),
			&cli.BoolFlag{Name: "json", Usage: "print one JSON object"},
		}, networkFlags()),
	}
}

// infoReport is what info prints.
type infoReport struct {
	decode.Info
	Seconds       float64 `json:"seconds,omitempty"` // Info.Duration
	StartSeconds  float64 `json:"start_seconds"`     // Info.StartTime
	Output        string  `json:"output"`
	OutputFrames  int     `json:"output_frames,omitempty"` // absent where the number of frames is unknown
	Network       string  `json:"network"`
	Device        string  `json:"device"`
	Precision     string  `json:"precision"`
	NetworkWidth  int     `json:"network_width"` // of the size at which the network sees the frames, pixels
	NetworkHeight int     `json:"network_height"`
	NetworkMemory int64   `json:"network_bytes,omitempty"` // peak; absent where the network's card does not tell
	FrameMemory   int64   `json:"frame_bytes"`             // peak of the frames, fields and images between the stages
	FlowBytes     int64   `json:"flow_bytes,omitempty"`    // of all flow as float32, the size of .flo, .npy, npz and h5; absent where the number of frames is unknown
	Fits          bool    `json:"fits"`                    // into the memory that is free now, as far as can be told
	Advice        string  `json:"advice,omitempty"`
}

func info(c *cli.Context) error {
	if c.NArg() != 1 {
		return usagef("info takes one input, not %d", c.NArg())
	}
	input, step, scale := c.Args().First(), c.Int("step"), c.Float64("scale")
	if err := checkURL(input); err != nil {
		return err
	}
	in, err := pipeline.Open(c.Context, input, decode.Options{Scale: scale, Threads: c.Int("threads"), Hardware: c.String("hwaccel")})
	if err != nil {
		return err
	}
	defer in.Close()
	networks, err := pipeline.OpenNetworks(networkOptions(c))
	if err != nil {
		return err
	}
	defer networks.Close()
	i := in.Info()
	r := infoReport{Info: i, Seconds: i.Duration.Seconds(), StartSeconds: i.StartTime.Seconds(), Output: outputName(input, visualize.Flow),
		Network: networks.Name(), Device: networks.Devices(), Precision: networks.Precision(),
		NetworkMemory: networks.Memory(i, step), FrameMemory: pipeline.FrameMemory(i.Width, i.Height, step, len(networks), c.Bool("both")), Fits: true}
	r.NetworkWidth, r.NetworkHeight = networks.InputSize(i.Width, i.Height)
	if i.FramesExact {
		r.OutputFrames = max(0, i.Frames-step)
		r.FlowBytes = pipeline.Export{Format: pipeline.NPZ}.Bytes(i.Width, i.Height, r.OutputFrames)
	}
	if err := networks.CheckMemory(i, step, scale); err != nil {
		r.Fits, r.Advice = false, err.Error()
	}
	if c.Bool("json") {
		return printJSON(r)
	}
	_, err = fmt.Print(r.text())
	return outputError(err)
}

// text is the report for people.
func (r infoReport) text() string {
	var s strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&s, "%-9s "+format+"\n", append([]any{name}, args...)...)
	}
	line("input", "%s: %s, %s, %s", pathname.Input(r.Path), r.Format, r.Codec, r.PixelFormat)
	size := fmt.Sprintf("%dx%d", r.Width, r.Height)
	if a := r.SampleAspect; a.Num != a.Den {
		size += fmt.Sprintf(", pixel aspect %d:%d", a.Num, a.Den)
	}
	if r.Rotation != 0 {
		size += fmt.Sprintf(", rotated by %d degrees to be upright", r.Rotation)
	}
	line("picture", "%s, %d bits, %s range, matrix %s%s, transfer %s%s", size, r.BitDepth, rangeName(r.ColorRange), r.ColorMatrix,
		when(r.ColorAssumed, " (assumed)"), r.ColorTransfer, when(r.ToneMapped, ", tone-mapped to BT.709"))
	if r.Interlaced {
		line("", "interlaced, will be deinterlaced")
	}
	switch {
	case r.Hardware != "":
		line("", "decoded by %s", r.Hardware)
	case r.InSoftware != "":
		line("", "decoded in software; %s", r.InSoftware)
	}
	line("time", "%s, %s, %s", r.frames(), lasts(r.Duration), rate(r.FrameRate))
	line("streams", "%s, %s", count(r.Audio, "audio stream"), count(r.Subtitles, "subtitle stream"))
	images := "one image for each pair of frames"
	if r.OutputFrames > 0 {
		images = count(r.OutputFrames, "image") + " of flow"
	} else if r.FramesExact {
		images = "nothing: there is no second frame to pair with the first"
	}
	line("output", "%s: %s", r.Output, images)
	if r.FlowBytes > 0 {
		line("disk", "%s for the vectors with --export flo, npy, npz or h5, half of it as npy16, npz16 or h5-16", byteSize(r.FlowBytes))
	}
	line("network", "%s on %s in %s", r.Network, r.Device, r.Precision)
	line("", "sees the frames at %dx%d", r.NetworkWidth, r.NetworkHeight)
	memory := "unknown for the network"
	if r.NetworkMemory > 0 {
		memory = fmt.Sprintf("about %s for the network", byteSize(r.NetworkMemory))
	}
	line("memory", "%s, %s for frames in the pipeline; it does not grow with the length of the video", memory, byteSize(r.FrameMemory))
	if !r.Fits {
		line("", "%s", r.Advice)
	}
	return s.String()
}

func (r infoReport) frames() string {
	switch {
	case r.FramesExact:
		return count(r.Frames, "frame")
	case r.Frames > 0:
		return fmt.Sprintf("%d frames according to the container", r.Frames)
	}
	return "number of frames unknown"
}

func rangeName(r string) string {
	if r == "pc" {
		return "full"
	}
	return "limited"
}
