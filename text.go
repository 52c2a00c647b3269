package main

// Every word that the user reads is here, in report.go and in complain.go, except for the errors of the packages, which
// know what happened, and the usage line of a flag that one command alone has, which stands beside the flag.

import (
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/visualize"
)

const textExitCodes = `Exit codes:
  0    done; damaged frames that were skipped are counted in the last line
  1    something unforeseen
  2    the command line is wrong
  3    the input can't be used: missing, no video, too short, frames of different size
  4    the output can't be written: it exists, it is the input, the disk is full
  5    the network can't run: no ONNX Runtime, no such device, no network, too little memory; or no --hwaccel
  130  interrupted
No failure leaves a file under the output's name.`

const textRun = `INPUT is a video file, a folder of PNG or JPEG pictures, or - for standard input.

For N frames the output has N-1 (N-K with --step K): picture i shows the flow from frame i to
frame i+1 and has frame i's presentation time, so the input's frame times are kept, constant or
not. With --backward it shows the flow from frame i+1 back to frame i, has the later frame's time,
and there is none for the first frame. Audio and subtitles are copied, but not from standard input.

Colours are the Middlebury wheel's: hue is direction (right is red, down yellow, left cyan, up
violet), strength is length, white is still, black is unknown. One scale holds for the whole video:
  --max-flow PIXELS  flow of that length is in full colour, longer flow is darker
  --max-flow auto    eight pairs spread over the video are looked at first, shrunk to 448 pixels:
                     the scale is the length that 99.8 % of the flow stays below in all of them but one,
                     as far as it is sure, rounded up, and at least 1 pixel, so that a still scene stays
                     white. Standard input can't be looked at twice: there it is the first eight
                     pairs. A second pass over the video would take twice the time.`

const textPair = `FIRST and SECOND are pictures (or videos, of which the first frame is taken). The flow is given for each
pixel of FIRST, in pixels, to the right and downwards.`

const (
	textDevice    = "auto, cpu, cuda[:N], tensorrt[:N] or webgpu, for run and bench also several: cuda:0,cuda:1; a device that can't be used is an error"
	textHwaccel   = "what decodes the video, and encodes it where --codec doesn't say: none; cuda (NVDEC, NVENC) or vaapi, an error where there is none; auto tries them, and says why not"
	textPrecision = "number format of the network: auto (fp16 on an NVIDIA GPU where the network has it), fp32 or fp16"
	textModel     = "folder of another network (encoder.onnx, decoder.onnx, model.json)"
	textORT       = "ONNX Runtime to use: libonnxruntime.so or its folder"
	textThreads   = "CPU threads"
)

// version is the version that Go's build recorded.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "unknown"
	}
	return strings.Trim(info.Main.Version, "()")
}

const textLooking = "looking at a few pairs for the scale"

// count writes a number and its noun: 1 frame, 2 frames.
func count(n int, noun string) string { return counted(n, noun, noun+"s") }

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// pairLine says what pair wrote: a file, and how far things moved.
func pairLine(output string, f *field.Field) string {
	median, _ := visualize.Length(f, 0.5)
	most, _ := visualize.Length(f, 0.99)
	return fmt.Sprintf("%s: %dx%d, half of the flow is below %.2f pixels, 99 %% below %.2f\n", output, f.Width, f.Height, median, most)
}

// infoText is what info prints for people.
func infoText(p prospect) string {
	var s strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&s, "%-9s "+format+"\n", append([]any{name}, args...)...)
	}
	line("input", "%s: %s, %s, %s", named(p.Path), p.Format, p.Codec, p.PixelFormat)
	size := fmt.Sprintf("%dx%d", p.Width, p.Height)
	if a := p.SampleAspect; a.Num != a.Den {
		size += fmt.Sprintf(", pixel aspect %d:%d", a.Num, a.Den)
	}
	if p.Rotation != 0 {
		size += fmt.Sprintf(", turned by %d degrees to stand upright", p.Rotation)
	}
	line("picture", "%s, %d bits, %s range, matrix %s%s, transfer %s%s", size, p.BitDepth, rangeName(p.ColorRange), p.ColorMatrix,
		when(p.ColorAssumed, " (assumed)"), p.ColorTransfer, when(p.ToneMapped, ", tone-mapped to BT.709"))
	if p.Interlaced {
		line("", "interlaced, will be deinterlaced")
	}
	frames := "number of frames not known"
	switch {
	case p.FramesExact:
		frames = count(p.Frames, "frame")
	case p.Frames > 0:
		frames = fmt.Sprintf("%d frames by the container's word", p.Frames)
	}
	switch {
	case p.Hardware != "":
		line("", "decoded by %s", p.Hardware)
	case p.InSoftware != "":
		line("", "decoded in software; %s", p.InSoftware)
	}
	line("time", "%s, %s, %s", frames, lasts(p.Duration), rate(p.FrameRate))
	line("streams", "%s, %s", count(p.Audio, "audio stream"), count(p.Subtitles, "subtitle stream"))
	flows := "one picture for each pair of frames"
	if p.OutputFrames > 0 {
		flows = count(p.OutputFrames, "picture") + " of flow"
	} else if p.FramesExact {
		flows = "nothing: there is no second frame to pair with the first"
	}
	line("output", "%s: %s", p.Output, flows)
	line("network", "%s on %s in %s", p.Network, p.Device, p.Precision)
	memory := "the network's card does not say what it takes"
	if p.NetworkMemory > 0 {
		memory = fmt.Sprintf("about %s for the network", byteSize(p.NetworkMemory))
	}
	line("memory", "%s, %s for frames on their way, however long the video is", memory, byteSize(p.FrameMemory))
	if !p.Fits {
		line("", "%s", p.Advice)
	}
	return s.String()
}

func when(yes bool, s string) string {
	if yes {
		return s
	}
	return ""
}

func rangeName(r string) string {
	if r == "pc" {
		return "full"
	}
	return "limited"
}

func lasts(d time.Duration) string {
	if d <= 0 {
		return "length not known"
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

func rate(r frame.Rational) string {
	if r.Float() <= 0 {
		return "frame rate not known"
	}
	return fmt.Sprintf("%.5g frames a second on average", r.Float())
}

func byteSize(n int64) string {
	if n >= 1<<30 {
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	}
	return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20))
}

// formatList names the kinds of flow file and their extensions.
func formatList() string {
	var list []string
	for _, f := range formats {
		list = append(list, fmt.Sprintf("%s (%s)", f.name, f.extension))
	}
	return strings.Join(list, ", ")
}
