package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/pairing"
	"github.com/wwflow/wwflow/visualize"
)

var (
	errSame     = errors.New("the output is the input")
	errNotEmpty = errors.New("the folder is not empty")
	errShared   = errors.New("pictures and flow files would share one folder")
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
	if err := net.checkMemory(i, j.step, j.read.Scale); err != nil {
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
	if j.paint.Style == visualize.Confidence {
		j.paint.MaxFlow = 0 // it shows no lengths
	} else if j.paint.MaxFlow == 0 {
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
	if passed := net[0].model.SkippedGPU(); passed != nil {
		p.Notices = append(p.Notices, "not on the GPU: "+passed.Error())
	}
	if j.input == "-" && info.Audio+info.Subtitles > 0 {
		p.Notices = append(p.Notices, "sound and subtitles are not copied from a pipe, which can be read only once")
	}
	p.Width, p.Height = painter.Size(info.Width, info.Height)
	if j.paint.Legend && !painter.LegendFits(p.Width, p.Height) {
		p.Notices = append(p.Notices, "the pictures are too small for a legend")
	}
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
			if j.cuts && pairing.CutScore(p) > pairing.CutThreshold {
				cuts.Add(1)
				return n.unknown(p), n.drop(p.First.Index + 1)
			}
			f, err := n.next(ctx, p)
			if err == nil {
				f.MaskBelow(float32(j.sure))
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
	done.Read, done.Corrupt, done.Cuts = pairs.Count(), in.Corrupt(), int(cuts.Load())
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
		if err := flowfile.Write(filepath.Join(e.dir, fmt.Sprintf("%06d%s", f.Pair.First.Index, e.extension)), f); err != nil {
			return err
		}
	}
	return nil
}
