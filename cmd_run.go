package main

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/pairing"
	"github.com/wwflow/wwflow/visualize"
)

var (
	errSame     = errors.New("the output is the input")
	errNotEmpty = errors.New("the folder is not empty")
	errTooShort = errors.New("too few to make a pair")
	errPipe     = errors.New("it came through a pipe, which can't be searched")
)

func runCommand() *cli.Command {
	return &cli.Command{
		Name:        "run",
		Usage:       "make the flow video of a video",
		ArgsUsage:   "INPUT",
		Description: textRun + "\n\n" + textExitCodes,
		Action:      run,
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "o", Aliases: []string{"output"}, Usage: "output video (.mp4 .m4v .mov .mkv .webm), or a folder/ for PNG pictures", DefaultText: "INPUT-STYLE.mp4 beside the input"},
			&cli.BoolFlag{Name: "force", Usage: "replace an output that exists"},
			&cli.StringFlag{Name: "style", Value: string(visualize.Flow), Usage: "flow, overlay, side-by-side, arrows or confidence"},
			&cli.StringFlag{Name: "max-flow", Value: "auto", Usage: "auto, or the length in pixels that is painted in full colour"},
			&cli.BoolFlag{Name: "legend", Usage: "draw the colour wheel and its scale into a corner"},
			&cli.BoolFlag{Name: "backward", Usage: "flow from the later frame of a pair to the earlier one"},
			&cli.IntFlag{Name: "step", Value: 1, Usage: "flow from frame i to frame i+`K`"},
			&cli.BoolFlag{Name: "cuts", Usage: "find hard scene cuts and paint their pairs black, as unknown flow, instead of a flow that means nothing"},
			&cli.Float64Flag{Name: "min-confidence", Usage: "make flow unknown, in the picture and in files, where the network is less sure than this: 0 to 1, where 0.5 is an expected error of 1 pixel", DefaultText: "0, none"},
			&cli.StringFlag{Name: "flo", Usage: "also write `DIR`/%06d.flo, numbered by the frame whose flow it is, from 0"},
			&cli.StringSliceFlag{Name: "export", Usage: "also write the flow as `FORMAT DIR`: flo, flo5, kitti (16-bit PNG), exr, npy or pfm; may be repeated"},
			&cli.StringFlag{Name: "start", Usage: "begin at this `TIME` of the input: seconds, 1:30, or 500ms"},
			&cli.StringFlag{Name: "duration", Usage: "read this `TIME` of the input"},
			&cli.IntFlag{Name: "frames", Usage: "read at most `N` frames", DefaultText: "all"},
			&cli.StringFlag{Name: "rate", Usage: "pictures a second of a folder, which does not say: `N` or N/D", DefaultText: "25"},
			&cli.Float64Flag{Name: "scale", Value: 1, Usage: "work at this fraction of the input's size"},
			&cli.StringFlag{Name: "codec", Usage: strings.Join(encode.Codecs(), ", "), DefaultText: "h264; vp9 in WebM"},
			&cli.IntFlag{Name: "crf", Value: -1, Usage: "constant quality of the codec (NVENC's cq, VA-API's qp), less is better", DefaultText: "the codec's"},
			hwaccelFlag(),
			&cli.StringSliceFlag{Name: "encoder-opt", Usage: "`KEY=VALUE` for the encoder; may be repeated"},
			&cli.BoolFlag{Name: "quiet", Usage: "say nothing but errors"},
			&cli.BoolFlag{Name: "json", Usage: "say everything as JSON lines on standard output"},
		}, networkFlags()),
	}
}

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

func run(c *cli.Context) error {
	j, err := newJob(c)
	if err != nil {
		return err
	}
	if err := j.checkOutput(); err != nil {
		return place(errOutput, err)
	}
	// One cancellation for the walk and for all C code under it.
	ctx, cancel := context.WithCancelCause(c.Context)
	defer cancel(nil)
	in, err := open(ctx, j.input, j.read)
	if err != nil {
		return err
	}
	defer in.Close()
	i := in.Info()
	if i.FramesExact && i.Frames <= j.step {
		return j.tooShort(i.Frames)
	}
	net, err := openNetworks(c)
	if err != nil {
		return err
	}
	defer net.Close()
	if err := net.checkMemory(i.Width, i.Height); err != nil {
		return err
	}
	out := newReport(c.Bool("quiet"), c.Bool("json"))
	defer out.stop()
	return j.run(ctx, cancel, in, net, out)
}

// open opens an input for reading.
func open(ctx context.Context, input string, o decode.Options) (*decode.Reader, error) {
	in, err := decode.Open(ctx, input, o)
	if input == "-" && (errors.Is(err, decode.ErrFormat) || errors.Is(err, decode.ErrNoFrames)) {
		err = fmt.Errorf("%w; %w", err, errPipe)
	}
	return in, place(errInput, err)
}

// run does the job with what has been opened for it.
func (j *job) run(ctx context.Context, cancel context.CancelCauseFunc, in *decode.Reader, net networks, out report) error {
	begin, info := time.Now(), in.Info()
	counted := &counting{Reader: in}
	frames := &replay{source: counted}
	if j.paint.MaxFlow == 0 {
		out.looking()
		pairs, err := j.look(ctx, frames, info)
		if err != nil {
			return place(errInput, err)
		}
		if j.paint.MaxFlow, err = findScale(ctx, pairs, info.Width, net[0].look); err != nil {
			return err
		}
	}
	painter, err := visualize.New(j.paint)
	if err != nil {
		return err
	}
	pairs, err := pairing.New(j.step)
	if err != nil {
		return err
	}
	total := func() int {
		if !info.FramesExact {
			return 0
		}
		return max(0, info.Frames-int(counted.damaged.Load())-j.step)
	}
	p := plan{Input: j.input, Output: j.output, Frames: total(), Style: string(j.paint.Style), MaxFlow: j.paint.MaxFlow,
		Network: net.name(), Device: net.devices(), Precision: net.precision()}
	if info.InSoftware != "" {
		p.Notices = append(p.Notices, "decoded in software; "+info.InSoftware)
	}
	if passed := net[0].model.Passed(); passed != nil {
		p.Notices = append(p.Notices, "not on the GPU: "+passed.Error())
	}
	p.Width, p.Height = painter.Size(info.Width, info.Height)
	out.start(p)

	done := result{Output: j.output}
	var cuts atomic.Int64
	var written *encode.Writer
	l := &line{
		pairs:  pairs,
		export: j.export,
		paint:  painter.Paint,
		create: func(first *frame.Frame) (sink, error) {
			o := j.write
			o.Width, o.Height = first.Width, first.Height
			o.TimeBase, o.FrameRate, o.SampleAspect, o.Origin = info.TimeBase, info.FrameRate, info.SampleAspect, info.StartTime
			if info.Audio+info.Subtitles > 0 && j.input != "-" {
				o.CopyFrom = j.input
			}
			var err error
			written, err = encode.Create(ctx, j.output, o)
			return written, err
		},
		done: func(*frame.Frame) {
			done.Frames++
			out.frame(done.Frames, total())
		},
	}
	for _, n := range net {
		l.networks = append(l.networks, func(ctx context.Context, p *frame.Pair) (*field.Field, error) {
			if j.cuts && pairing.Cut(p) > pairing.CutAbove {
				cuts.Add(1)
				return n.unknown(p), n.drop(p.First.Index + 1)
			}
			f, err := n.next(ctx, p)
			if err == nil {
				f.DropUnsure(float32(j.sure))
			}
			return f, err
		})
	}
	var from source = frames
	if j.watch != nil {
		from = j.watch(l, from)
	}
	if err := l.walk(ctx, cancel, from); err != nil {
		return err
	}
	done.Read, done.Corrupt, done.Cuts = pairs.Seen(), in.Corrupt(), int(cuts.Load())
	if done.Frames == 0 {
		return j.tooShort(done.Read)
	}
	done.Seconds, done.Notices = time.Since(begin).Seconds(), written.Notices()
	out.finish(done)
	return nil
}

// counting lets every goroutine see how many damaged frames its reader has skipped.
type counting struct {
	*decode.Reader
	damaged atomic.Int64
}

func (r *counting) Read() (*frame.Frame, error) {
	f, err := r.Reader.Read()
	r.damaged.Store(int64(r.Corrupt()))
	return f, err
}

func (j *job) tooShort(frames int) error {
	return place(errInput, fmt.Errorf("%s gave %s: %w", named(j.input), count(frames, "frame"), errTooShort))
}

// look returns the pairs that the automatic scale is found from.
func (j *job) look(ctx context.Context, frames *replay, info decode.Info) ([]*frame.Pair, error) {
	if j.input == "-" || info.Duration <= 0 {
		return frames.peek(j.step)
	}
	return spread(ctx, j.input, j.read, info, j.step)
}

func (j *job) export(f *field.Field) error {
	for _, e := range j.exports {
		if err := os.MkdirAll(e.dir, 0o777); err != nil {
			return err
		}
		if err := field.WriteFile(filepath.Join(e.dir, fmt.Sprintf("%06d%s", f.Pair.First.Index, e.extension)), f); err != nil {
			return err
		}
	}
	return nil
}

func newJob(c *cli.Context) (*job, error) {
	if c.NArg() != 1 {
		return nil, usagef("run takes one input, not %d", c.NArg())
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

// hwaccels are what --hwaccel may be; the first one is its default.
var hwaccels = []string{"none", "auto", "cuda", "vaapi"}

func hwaccelFlag() cli.Flag {
	return &cli.StringFlag{Name: "hwaccel", Value: hwaccels[0], Usage: textHwaccel}
}

func hwaccel(c *cli.Context) (string, error) {
	s := c.String("hwaccel")
	if !slices.Contains(hwaccels, s) {
		return "", usagef("--hwaccel is one of %s, not %q", strings.Join(hwaccels, ", "), s)
	}
	return s, nil
}

// parseTime reads seconds (12.5), minutes or hours (1:30, 0:01:30) or what Go calls a duration (500ms); "" is 0.
func parseTime(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return d, nil
	}
	total := 0.0
	for part := range strings.SplitSeq(s, ":") {
		x, err := strconv.ParseFloat(part, 64)
		if err != nil || !(x >= 0) || x > 1e9 {
			return 0, fmt.Errorf("%q is no time", s)
		}
		total = 60*total + x
	}
	if total > 1e9 {
		return 0, fmt.Errorf("%q is too long", s)
	}
	return time.Duration(total * float64(time.Second)), nil
}

// parseRate reads 25, 29.97 or 30000/1001; "" is zero, unknown.
func parseRate(s string) (frame.Rational, error) {
	if s == "" {
		return frame.Rational{}, nil
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok || r.Sign() <= 0 || !r.Num().IsInt64() || !r.Denom().IsInt64() || r.Num().Int64() > 1e6 || r.Denom().Int64() > 1e6 {
		return frame.Rational{}, usagef("--rate is a number such as 25 or 30000/1001, not %q", s)
	}
	return frame.Rational{Num: int(r.Num().Int64()), Den: int(r.Denom().Int64())}, nil
}

func keyValues(list []string) (map[string]string, error) {
	m := map[string]string{}
	for _, s := range list {
		key, value, ok := strings.Cut(s, "=")
		if !ok || key == "" {
			return nil, usagef("--encoder-opt takes KEY=VALUE, not %q", s)
		}
		m[key] = value
	}
	return m, nil
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
	if s, err := os.Lstat(j.output); err == nil && !s.IsDir() && !j.write.Force {
		return fmt.Errorf("%s: %w", j.output, encode.ErrExists)
	}
	for _, e := range j.exports {
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
