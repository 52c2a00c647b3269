package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/field"
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
	if !c.Args().Present() {
		made := filepath.Join(folder, "made.mp4")
		if err := makeVideo(c.Context, made, 1920, 1080, benchFrames); err != nil {
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
	net, err := openNetwork(c)
	if err != nil {
		return err
	}
	defer net.Close()
	if err := net.model.CheckMemory(in.Info().Width, in.Info().Height); err != nil {
		return err
	}
	watch := &stopwatch{}
	j.watch = watch.attach
	if err := j.run(ctx, cancel, in, net, quietReport{}); err != nil {
		return err
	}
	if watch.pictures < 2 {
		return place(errInput, fmt.Errorf("%s: %w to measure: %s of flow", named(j.input), errTooShort, count(watch.pictures, "picture")))
	}
	alone, err := networkAlone(ctx, net, watch.kept)
	if err != nil {
		return err
	}
	m := watch.measure(in.Info(), net, alone)
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
	for n := range frames {
		f := frame.New(width, height)
		f.Index, f.PTS, f.Duration, f.TimeBase = n, int64(n), 1, base
		for y := range height {
			for x := range width {
				// Three waves of other directions and lengths for each colour.
				s, t := x-3*n+period*frames, y-n+period*frames
				for k := range 3 {
					v := wave[((5+k)*s+3*t)%period] + wave[(2*s+(9-k)*t)%period] + wave[(17*s+(13+k)*t)%period]
					f.Pix[3*(y*width+x)+k] = byte(128 + 40*v)
				}
			}
		}
		if err := out.Write(f); err != nil {
			return place(errOutput, err)
		}
	}
	return place(errOutput, out.Commit())
}

// networkAlone is how many pairs a second the network does with nothing beside it, each frame encoded once.
func networkAlone(ctx context.Context, net *network, frames []*frame.Frame) (float64, error) {
	for _, f := range frames { // what the walk left encoded would be found, and cost nothing
		if err := net.forget(f); err != nil {
			return 0, err
		}
	}
	if _, err := net.encode(ctx, frames[0]); err != nil {
		return 0, err
	}
	begin := time.Now()
	for i := range frames[1:] {
		if _, err := net.estimate(ctx, &frame.Pair{First: frames[i], Second: frames[i+1]}); err != nil {
			return 0, err
		}
		if err := net.forget(frames[i]); err != nil {
			return 0, err
		}
	}
	return float64(len(frames)-1) / time.Since(begin).Seconds(), nil
}

// stopwatch measures a walk from outside: it wraps the calls of each stage, whose goroutines it leaves alone.
type stopwatch struct {
	mu                sync.Mutex
	busy              [stages]time.Duration
	queues            [stages]queue // in front of each stage; decode has none
	begin, first, end time.Time     // of the walk, of the first picture written and of the last
	pictures          int
	kept              []*frame.Frame // a few consecutive frames, for networkAlone
}

// The stages of a walk, in their order.
const (
	stageDecode = iota
	stageNetwork
	stagePaint
	stageEncode
	stages
)

var stageNames = [stages]string{"decode", "network", "paint", "encode"}

// keptFrames bounds what is held for networkAlone: five Full-HD frames are 31 MB.
const keptFrames = 5

// queue integrates how many values wait, up to its room: a value that its sender still holds is not in it.
type queue struct {
	room, waiting int
	area          float64 // values times seconds
	last          time.Time
}

func (q *queue) add(n int, now time.Time) {
	if !q.last.IsZero() {
		q.area += float64(min(q.waiting, q.room)) * now.Sub(q.last).Seconds()
	}
	q.waiting, q.last = max(0, q.waiting+n), now
}

// attach wraps the stages of l; it returns the source to walk from.
func (w *stopwatch) attach(l *line, in source) source {
	w.begin = time.Now()
	for stage, room := range map[int]int{stageNetwork: roomFrames, stagePaint: roomFields, stageEncode: roomPictures} {
		w.queues[stage].room = room
	}
	estimate, export, paint, create := l.estimate, l.export, l.paint, l.create
	started := false
	l.estimate = func(ctx context.Context, p *frame.Pair) (f *field.Field, err error) {
		taken := 1
		if !started { // the pairing has taken the first frames too
			started, taken = true, p.Second.Index-p.First.Index+1
		}
		w.stage(stageNetwork, taken, func() int { f, err = estimate(ctx, p); return 1 })
		return f, err
	}
	l.export = func(f *field.Field) (err error) {
		w.stage(stagePaint, 1, func() int { err = export(f); return 0 })
		return err
	}
	l.paint = func(f *field.Field) (picture *frame.Frame, err error) {
		w.stage(stagePaint, 0, func() int { picture, err = paint(f); return 1 })
		return picture, err
	}
	l.create = func(first *frame.Frame) (sink, error) {
		out, err := create(first)
		return &timedSink{out, w}, err
	}
	return &timedSource{in, w}
}

// stage times one call of a stage, which takes values from its queue; call says how many it gives to the next.
func (w *stopwatch) stage(stage, taken int, call func() (given int)) {
	w.queued(stage, -taken)
	begin := time.Now()
	given := call()
	w.mu.Lock()
	w.busy[stage] += time.Since(begin)
	w.mu.Unlock()
	if given > 0 {
		w.queued(stage+1, given)
	}
}

func (w *stopwatch) queued(stage, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queues[stage].add(n, time.Now())
}

type timedSource struct {
	source
	watch *stopwatch
}

func (s *timedSource) Read() (f *frame.Frame, err error) {
	s.watch.stage(stageDecode, 0, func() int {
		if f, err = s.source.Read(); err != nil {
			return 0
		}
		return 1
	})
	if err == nil && len(s.watch.kept) < keptFrames {
		s.watch.kept = append(s.watch.kept, f)
	}
	return f, err
}

type timedSink struct {
	sink
	watch *stopwatch
}

func (s *timedSink) Write(f *frame.Frame) (err error) {
	w := s.watch
	w.stage(stageEncode, 1, func() int { err = s.sink.Write(f); return 0 })
	w.end = time.Now()
	if w.pictures++; w.pictures == 1 {
		w.first = w.end
	}
	return err
}

// measurement is what bench tells.
type measurement struct {
	Input        string        `json:"input"`
	Width        int           `json:"width"`
	Height       int           `json:"height"`
	Pictures     int           `json:"pictures"`
	Network      string        `json:"network"`
	Device       string        `json:"device"`
	Stages       []stageResult `json:"stages"`
	PerSecond    float64       `json:"frames_per_second"`
	NetworkAlone float64       `json:"network_alone_frames_per_second"`
	Bottleneck   string        `json:"bottleneck"`
}

type stageResult struct {
	Name         string  `json:"name"`
	Milliseconds float64 `json:"ms_per_frame"`
	Share        float64 `json:"share"`                // of the walk's time, 0 to 1
	Waiting      float64 `json:"queue_fill,omitempty"` // frames in front of it, on the mean
	Room         int     `json:"queue_room,omitempty"` // of that queue
}

func (w *stopwatch) measure(info decode.Info, net *network, alone float64) measurement {
	total := w.end.Sub(w.begin).Seconds()
	m := measurement{
		Input: info.Path, Width: info.Width, Height: info.Height, Pictures: w.pictures,
		Network: net.model.Card().Name, Device: net.model.Device().String(),
		PerSecond: float64(w.pictures-1) / w.end.Sub(w.first).Seconds(), NetworkAlone: alone,
	}
	slowest := 0
	for i, name := range stageNames {
		seconds := w.busy[i].Seconds()
		m.Stages = append(m.Stages, stageResult{
			Name: name, Milliseconds: 1000 * seconds / float64(w.pictures), Share: seconds / total,
			Waiting: w.queues[i].area / total, Room: w.queues[i].room,
		})
		if w.busy[i] > w.busy[slowest] {
			slowest = i
		}
	}
	m.Bottleneck = stageNames[slowest]
	return m
}

func (m measurement) print(out io.Writer) error {
	var s strings.Builder
	fmt.Fprintf(&s, "%s: %dx%d, %s, %s on %s\n", m.Input, m.Width, m.Height, count(m.Pictures, "picture"), m.Network, m.Device)
	fmt.Fprintf(&s, "%-9s%14s%9s  %s\n", "stage", "ms a frame", "share", "waiting in front of it")
	for _, r := range m.Stages {
		fmt.Fprintf(&s, "%-9s%14.2f%7.1f %%", r.Name, r.Milliseconds, 100*r.Share)
		if r.Room > 0 {
			fmt.Fprintf(&s, "  %.1f of %d", r.Waiting, r.Room)
		}
		s.WriteByte('\n')
	}
	fmt.Fprintf(&s, "whole run %.3g frames a second, network alone %.3g: %.0f %%\nbottleneck: %s\n",
		m.PerSecond, m.NetworkAlone, 100*m.PerSecond/m.NetworkAlone, m.Bottleneck)
	_, err := io.WriteString(out, s.String())
	return err
}
