package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/sync/errgroup"

	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/frame"
)

const textBench = `bench does what run does, into a folder that it removes, and measures it. Without INPUT it makes a
video of 1920x1080 itself. A stage's share is the part of the time that it was at work; a queue's fill says
how many frames waited for the stage on the mean, of those that have room. The slowest stage is the one
whose share is near 100 % and whose queue is full. Rates are counted from the first picture to the
last, so that loading counts for nothing.`

// benchFrames is how much is measured where --frames says nothing.
const benchFrames = 30

func benchCommand() *cli.Command {
	kept := slices.DeleteFunc(runCommand().Flags, func(f cli.Flag) bool {
		return slices.ContainsFunc(f.Names(), func(name string) bool {
			return slices.Contains([]string{"o", "force", "flo", "export", "quiet", "json"}, name)
		})
	})
	return &cli.Command{
		Name:        "bench",
		Usage:       "measure the stages of a run and name the slowest",
		ArgsUsage:   "[INPUT]",
		Description: textBench + "\n\n" + textExitCodes,
		Flags:       append([]cli.Flag{&cli.BoolFlag{Name: "json", Usage: "one JSON object for programs"}}, kept...),
		Action:      bench,
	}
}

func bench(c *cli.Context) (err error) {
	folder, err := os.MkdirTemp("", "wwflow-bench-")
	if err != nil {
		return place(errOutput, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	net, err := openNetworks(c) // before a video is made in vain
	if err != nil {
		return err
	}
	defer net.Close()
	if !c.Args().Present() {
		made := filepath.Join(folder, "made.mp4")
		frames := benchFrames
		if n := c.Int("frames"); n > 0 {
			frames = n
		}
		if err := makeVideo(c.Context, made, 1920, 1080, frames); err != nil {
			return err
		}
		if c, err = withArgument(c, made); err != nil {
			return err
		}
	}
	j, err := newJob(c)
	if err != nil {
		return err
	}
	j.output = filepath.Join(folder, "flow.mp4")
	if errors.Is(encode.Check(j.output, j.write), encode.ErrCodecContainer) {
		j.output = filepath.Join(folder, "flow.mkv") // which holds them all
	}
	if !c.IsSet("max-flow") {
		j.paint.MaxFlow = 20 // finding a scale is no part of what is measured
	}
	if j.read.Frames == 0 {
		j.read.Frames = benchFrames
	}
	ctx, cancel := context.WithCancelCause(c.Context)
	defer cancel(nil)
	in, err := open(ctx, j.input, j.read)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := net.checkMemory(in.Info(), j.step, j.read.Scale); err != nil {
		return err
	}
	watch, said := &stopwatch{}, &noticeReport{}
	j.watch = watch.attach
	if err := j.run(ctx, cancel, in, net, said); err != nil {
		return err
	}
	if watch.pictures < 2 {
		return place(errInput, fmt.Errorf("%s: %w to measure: %s of flow", named(j.input), errTooShort, count(watch.pictures, "picture")))
	}
	m := watch.measure(in.Info(), net)
	m.Notices = said.notices
	if m.NetworkAlone, err = networksAlone(ctx, net, watch.kept); err != nil {
		return err
	}
	if c.Bool("json") {
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", " ")
		return place(errOutput, out.Encode(m))
	}
	return place(errOutput, m.print(os.Stdout))
}

// withArgument is the command line with one argument more: INPUT.
func withArgument(c *cli.Context, input string) (*cli.Context, error) {
	set := flag.NewFlagSet("bench", flag.ContinueOnError)
	err := set.Parse([]string{"--", input})
	return cli.NewContext(c.App, set, c), err
}

// makeVideo writes a picture of waves that moves by (3, 1) pixels from frame to frame.
func makeVideo(ctx context.Context, path string, width, height, frames int) error {
	base := frame.Rational{Num: 1, Den: 25}
	out, err := encode.Create(ctx, path, encode.Options{
		Width: width, Height: height, TimeBase: base, FrameRate: frame.Rational{Num: 25, Den: 1}, CRF: -1,
		EncoderOptions: map[string]string{"preset": "veryfast"}, // it only has to be there soon
	})
	if err != nil {
		return place(errOutput, err)
	}
	defer out.Close()
	const period = 256
	var wave [period]float64
	for i := range wave {
		wave[i] = math.Sin(2 * math.Pi * float64(i) / period)
	}
	scene := frame.New(width+3*(frames-1), height+frames-1)
	for y := range scene.Height {
		for x := range scene.Width {
			// Three waves of other directions and lengths for each colour.
			for k := range 3 {
				v := wave[((5+k)*x+3*y)%period] + wave[(2*x+(9-k)*y)%period] + wave[(17*x+(13+k)*y)%period]
				scene.Pix[3*(y*scene.Width+x)+k] = byte(128 + 40*v)
			}
		}
	}
	for n := range frames {
		f := frame.New(width, height)
		f.Index, f.PTS, f.Duration, f.TimeBase = n, int64(n), 1, base
		for y := range height {
			back := frames - 1 - n // the window moves to the left and up over the scene
			copy(f.Pix[3*y*width:3*(y+1)*width], scene.Pix[3*((y+back)*scene.Width+3*back):])
		}
		if err := out.Write(f); err != nil {
			return place(errOutput, err)
		}
	}
	return place(errOutput, out.Commit())
}

// networksAlone is how many pairs a second the networks do with nothing beside them, each frame encoded once.
func networksAlone(ctx context.Context, net networks, frames []*frame.Frame) (perSecond float64, err error) {
	var g errgroup.Group
	rates := make([]float64, len(net))
	for i, n := range net {
		g.Go(func() (err error) {
			rates[i], err = networkAlone(ctx, n, frames)
			return err
		})
	}
	err = g.Wait()
	for _, r := range rates {
		perSecond += r
	}
	return perSecond, err
}

func networkAlone(ctx context.Context, n *network, frames []*frame.Frame) (float64, error) {
	// What the walk left encoded would be found, and cost nothing.
	if err := n.drop(math.MaxInt); err != nil {
		return 0, err
	}
	if _, err := n.encode(ctx, frames[0]); err != nil {
		return 0, err
	}
	begin := time.Now()
	for i := 0; ; i++ {
		// Round and round, until all had their turn and long enough to tell.
		if spent := time.Since(begin).Seconds(); i >= len(frames)-1 && spent > 1 {
			return float64(i) / spent, nil
		}
		p := &frame.Pair{First: frames[i%len(frames)], Second: frames[(i+1)%len(frames)]}
		if _, err := n.estimate(ctx, p); err != nil {
			return 0, err
		}
		if err := n.forget(p.First); err != nil {
			return 0, err
		}
	}
}

// noticeReport keeps what a run has to say about itself.
type noticeReport struct {
	quietReport
	notices []string
}

func (r *noticeReport) start(p plan)    { r.notices = append(r.notices, p.Notices...) }
func (r *noticeReport) finish(x result) { r.notices = append(r.notices, x.Notices...) }
