package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/visualize"
)

// job is a checked command line.
type job struct {
	input, output string
	read          decode.Options
	write         encode.Options
	paint         visualize.Options // MaxFlow 0 = auto
	step          int
	cuts          bool
	sure          float64 // least confidence of known flow
	exports       []export
	watch         func(*line, source) source // wraps the stages, to measure them; nil: nobody does
}

// export is a folder of flow files.
type export struct{ dir, extension string }

// format is a kind of flow file: its name for --export, and how its files are called.
type format struct{ name, extension string }

var formats = []format{{"flo", ".flo"}, {"flo5", ".flo5"}, {"kitti", ".png"}, {"exr", ".exr"}, {"npy", ".npy"}, {"pfm", ".pfm"}}

func newJob(c *cli.Context) (*job, error) {
	if c.NArg() != 1 {
		return nil, usagef("%s takes one input, not %d", c.Command.Name, c.NArg())
	}
	j := &job{
		input:  c.Args().First(),
		output: c.String("o"),
		step:   c.Int("step"),
		cuts:   c.Bool("cuts"),
		sure:   c.Float64("min-confidence"),
		read:   decode.Options{Frames: c.Int("frames"), Scale: c.Float64("scale"), Threads: c.Int("threads")},
		write:  encode.Options{Codec: c.String("codec"), CRF: c.Int("crf"), Threads: c.Int("threads"), Force: c.Bool("force"), Shortest: c.IsSet("frames")},
		paint:  visualize.Options{Legend: c.Bool("legend"), Threads: c.Int("threads")},
	}
	var err error
	if j.paint.Style, err = visualize.ParseStyle(c.String("style")); err != nil {
		return nil, usagef("%w", err)
	}
	if j.output == "" {
		j.output = outputName(j.input, j.paint.Style)
	}
	if s := c.String("max-flow"); s != "auto" {
		if j.paint.MaxFlow, err = strconv.ParseFloat(s, 64); err != nil || !(j.paint.MaxFlow > 0) || j.paint.MaxFlow > 1e6 {
			return nil, usagef("--max-flow is auto or a positive number of pixels, not %q", s)
		}
	}
	for name, to := range map[string]*time.Duration{"start": &j.read.Start, "duration": &j.read.Duration} {
		if *to, err = parseTime(c.String(name)); err != nil || c.IsSet("duration") && name == "duration" && *to == 0 {
			return nil, usagef("--%s is a time such as 12.5, 1:30 or 500ms, not %q", name, c.String(name))
		}
	}
	if j.read.Hardware, err = hwaccel(c); err != nil {
		return nil, err
	}
	j.write.Hardware = j.read.Hardware
	if j.read.FrameRate, err = parseRate(c.String("rate")); err != nil {
		return nil, err
	}
	j.write.Start, j.write.Duration = j.read.Start, j.read.Duration
	for name, bad := range map[string]bool{
		"step":    j.step < 1,
		"frames":  c.IsSet("frames") && j.read.Frames < 1,
		"threads": j.read.Threads < 0,
		"scale":   !(j.read.Scale > 0) || j.read.Scale > 16,

		"min-confidence": !(j.sure >= 0) || j.sure > 1,
		"crf":            c.IsSet("crf") && j.write.CRF < 0,
	} {
		if bad {
			return nil, usagef("--%s %v is out of range", name, c.Value(name))
		}
	}
	if c.IsSet("rate") && !isFolder(j.input) {
		return nil, usagef("--rate is for a folder of pictures: %s has its own times", named(j.input))
	}
	if j.write.EncoderOptions, err = keyValues(c.StringSlice("encoder-opt")); err != nil {
		return nil, err
	}
	if c.IsSet("flo") {
		j.exports = append(j.exports, export{c.String("flo"), ".flo"})
	}
	for _, s := range c.StringSlice("export") {
		name, dir, _ := strings.Cut(s, "=")
		i := slices.IndexFunc(formats, func(f format) bool { return f.name == name })
		if i < 0 || dir == "" {
			return nil, usagef("--export takes a folder and one of the formats %s, not %q", formatList(), s)
		}
		j.exports = append(j.exports, export{dir, formats[i].extension})
	}
	return j, nil
}

// outputName puts the style behind the input's name: clip.mp4 gives clip-flow.mp4.
func outputName(input string, style visualize.Style) string {
	if input == "-" {
		return string(style) + ".mp4"
	}
	name, extension := filepath.Clean(input), ".mp4"
	if !isFolder(input) {
		own := filepath.Ext(name)
		name = strings.TrimSuffix(name, own)
		switch own = strings.ToLower(own); own {
		case ".mkv", ".mov", ".m4v": // hold H.264 and whatever audio and subtitles they came with
			extension = own
		}
	}
	return name + "-" + string(style) + extension
}

// checkOutput finds what would make the run fail at its first picture or, worse, destroy the input: before
// any work is done.
func (j *job) checkOutput() error {
	if same(j.input, j.output) {
		return fmt.Errorf("%w: %s", errSame, j.output)
	}
	if folder := filepath.Dir(filepath.Clean(j.output)); !isFolder(folder) {
		return fmt.Errorf("cannot write %s: there is no folder %s; make it first", j.output, folder)
	}
	if err := encode.Check(j.output, j.write); err != nil {
		return err
	}
	for _, e := range j.exports {
		if filepath.Clean(e.dir) == filepath.Clean(j.output) || same(e.dir, j.output) {
			return fmt.Errorf("%w: %s", errShared, e.dir)
		}
		if same(j.input, e.dir) {
			return fmt.Errorf("%w: %s", errSame, e.dir)
		}
		if entries, err := os.ReadDir(e.dir); err == nil && len(entries) > 0 && !j.write.Force {
			return fmt.Errorf("%w: %s", errNotEmpty, e.dir)
		}
	}
	return nil
}

func isFolder(name string) bool {
	s, err := os.Stat(name)
	return err == nil && s.IsDir()
}

// same says whether two names lead to one file, over links of either kind.
func same(a, b string) bool {
	if a == "-" {
		return false
	}
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

func named(input string) string {
	if input == "-" {
		return "standard input"
	}
	return input
}
