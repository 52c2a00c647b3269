package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/internal/pathname"
	"github.com/wwflow/wwflow/pipeline"
	"github.com/wwflow/wwflow/stats"
	"github.com/wwflow/wwflow/visualize"
)

// commonOptions reads the flags of videoFlags and networkFlags. The flags' values are valid: cli has checked them.
func commonOptions(c *cli.Context) (o pipeline.Options, err error) {
	threads := c.Int("threads")
	o = pipeline.Options{
		Step: c.Int("step"), Backward: c.Bool("backward"), Cuts: c.Bool("cuts"), MinConfidence: c.Float64("min-confidence"),
		Both: c.Bool("both"), DropOccluded: c.Bool("drop-occluded"),
		Decode:  decode.Options{Frames: c.Int("frames"), Scale: c.Float64("scale"), Threads: threads, Hardware: c.String("hwaccel")},
		Encode:  encode.Options{Container: c.String("container"), Codec: c.String("codec"), Threads: threads, Force: c.Bool("force"), Hardware: c.String("hwaccel")},
		Paint:   visualize.Options{Legend: c.Bool("legend"), Gray: c.Bool("gray"), Threads: threads},
		Network: networkOptions(c),
	}
	if c.IsSet("consistency") {
		o.Both = true
		o.Consistency, _ = parseThresholds(c.String("consistency"))
	}
	if c.IsSet("crf") {
		o.Encode.CRF = new(c.Int("crf"))
	}
	o.Paint.Style, _ = parseStyle(c.String("style"))
	o.Paint.MaxFlow, _ = parseMaxFlow(c.String("max-flow"))
	o.Decode.Start, _ = parseTime(c.String("start"))
	o.Decode.Duration, _ = parseTime(c.String("duration"))
	o.Decode.FrameRate, _ = parseRate(c.String("rate"))
	o.Encode.EncoderOptions, err = keyValues(c.StringSlice("encoder-opt"))
	return o, err
}

// videoOptions reads the flags of run.
func videoOptions(c *cli.Context, input string) (pipeline.Options, error) {
	o, err := commonOptions(c)
	if err != nil {
		return o, err
	}
	if err := checkURL(input); err != nil {
		return o, err
	}
	o.Input, o.Output = input, c.String("o")
	if o.Output == "" {
		o.Output = outputName(input, o.Paint.Style)
	}
	if c.IsSet("rate") && !decode.IsSequence(input) {
		return o, usagef("--rate is for image sequences: %s has its own times", pathname.Input(input))
	}
	if o.Output == "-" && c.Bool("json") {
		return o, usagef("-o - and --json would both write to standard output")
	}
	if o.Output == "-" && isTerminal(os.Stdout) {
		return o, withHint(usagef("standard output is a terminal"), "a pipe, such as wwflow run in.mp4 -o - | ffplay -")
	}
	if o.Stats = c.String("stats"); o.Stats != "" {
		if _, err := stats.FormatOf(o.Stats); err != nil {
			return o, usagef("%w", err)
		}
	}
	o.Exports, err = exports(c)
	return o, err
}

// exports reads --flo and --export.
func exports(c *cli.Context) (list []pipeline.Export, err error) {
	if dir := c.String("flo"); dir != "" {
		list = append(list, pipeline.Export{Format: flowfile.Flo, Dir: dir})
	}
	for _, s := range c.StringSlice("export") {
		name, dir, _ := strings.Cut(s, "=")
		if !canExport(name) || dir == "" {
			return nil, usagef("--export takes a folder and one of the formats %s, not %q", joinOr(pipeline.ExportFormats()), s)
		}
		list = append(list, pipeline.Export{Format: flowfile.Format(name), Dir: dir, Bound: c.Float64("bound")})
	}
	return list, setTarget(c, list)
}

// canExport reports whether --export takes a format.
func canExport(name string) bool {
	return slices.Contains(pipeline.ExportFormats(), flowfile.Format(name))
}

// outputName appends the style to the input's name: clip.mp4 gives clip-flow.mp4.
func outputName(input string, style visualize.Style) string {
	if decode.IsStream(input) {
		return string(style) + ".mp4"
	}
	name, extension := filepath.Clean(input), ".mp4"
	if !pathname.IsFolder(input) {
		own := filepath.Ext(name)
		name = strings.TrimSuffix(name, own)
		switch own = strings.ToLower(own); own {
		case ".mkv", ".mov", ".m4v": // hold H.264 and whatever audio and subtitles they came with
			extension = own
		}
	}
	return name + "-" + string(style) + extension
}

// checkURL returns an error for an input that is a URL and not the name of a file.
func checkURL(input string) error {
	if _, err := os.Stat(input); err == nil || !strings.Contains(input, "://") {
		return nil
	}
	return withHint(inputError(fmt.Errorf("cannot read %s: URLs are not supported", input)), "ffmpeg -i URL -c copy -f matroska - | wwflow run -")
}
