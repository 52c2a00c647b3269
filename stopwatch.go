package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
)

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
	frames, fields := l.waiting()
	for stage, room := range map[int]int{stageNetwork: frames, stagePaint: fields, stageEncode: roomPictures} {
		w.queues[stage].room = room
	}
	export, paint, create := l.export, l.paint, l.create
	var start sync.Once
	for i, estimate := range l.networks {
		l.networks[i] = func(ctx context.Context, p *frame.Pair) (f *field.Field, err error) {
			taken := 1
			start.Do(func() { taken += p.Second.Index - p.First.Index }) // the pairing has taken the first frames too
			w.stage(stageNetwork, taken, func() int { f, err = estimate(ctx, p); return 1 })
			return f, err
		}
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
	Device       string        `json:"device"` // or several, with commas
	Precision    string        `json:"precision"`
	Stages       []stageResult `json:"stages"`
	PerSecond    float64       `json:"frames_per_second"`
	NetworkAlone float64       `json:"network_alone_frames_per_second"`
	Bottleneck   string        `json:"bottleneck"`
	Notices      []string      `json:"notices,omitempty"`     // what run would have said besides
	PeakMemory   int64         `json:"peak_memory,omitempty"` // bytes of the process, the GPU's not among them; absent where the system does not tell
}

type stageResult struct {
	Name         string  `json:"name"`
	Milliseconds float64 `json:"ms_per_frame"`         // of one worker
	Workers      int     `json:"workers"`              // devices for the network, else 1
	Share        float64 `json:"share"`                // of the walk's time, 0 to 1; the mean over the workers
	Waiting      float64 `json:"queue_fill,omitempty"` // frames in front of it, on the mean
	Room         int     `json:"queue_room,omitempty"` // of that queue

	Parts []stageResult `json:"parts,omitempty"` // of the network's time: a frame's features, a pair's flow
}

func (w *stopwatch) measure(info decode.Info, net networks) measurement {
	total := w.end.Sub(w.begin).Seconds()
	m := measurement{
		Input: info.Path, Width: info.Width, Height: info.Height, Pictures: w.pictures,
		Network: net.name(), Device: net.devices(), Precision: net.precision(), PeakMemory: peakMemory(),
		PerSecond: float64(w.pictures-1) / w.end.Sub(w.first).Seconds(),
	}
	most := 0.0
	for i, name := range stageNames {
		r := stageResult{Name: name, Workers: 1, Waiting: w.queues[i].area / total, Room: w.queues[i].room}
		if i == stageNetwork {
			r.Workers = len(net)
		}
		r.fill(w.busy[i], w.pictures, total)
		if i == stageNetwork {
			var all spent
			for _, n := range net {
				all.features, all.flow = all.features+n.spent.features, all.flow+n.spent.flow
			}
			r.Parts = []stageResult{{Name: "features", Workers: r.Workers}, {Name: "flow", Workers: r.Workers}}
			r.Parts[0].fill(all.features, w.pictures, total)
			r.Parts[1].fill(all.flow, w.pictures, total)
		}
		m.Stages = append(m.Stages, r)
		if r.Share > most {
			most, m.Bottleneck = r.Share, name
		}
	}
	return m
}

func (r *stageResult) fill(busy time.Duration, pictures int, total float64) {
	r.Milliseconds, r.Share = 1000*busy.Seconds()/float64(pictures), busy.Seconds()/total/float64(r.Workers)
}

// peakMemory is the most memory that the process has had at once, in bytes; 0 where the system does not tell.
func peakMemory() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			return kib << 10
		}
	}
	return 0
}

func (m measurement) print(out io.Writer) error {
	var s strings.Builder
	fmt.Fprintf(&s, "%s: %dx%d, %s, %s on %s in %s\n", m.Input, m.Width, m.Height, count(m.Pictures, "picture"), m.Network, m.Device, m.Precision)
	fmt.Fprintf(&s, "%-9s%14s%9s  %s\n", "stage", "ms a frame", "share", "waiting in front of it")
	for _, r := range m.Stages {
		fmt.Fprintf(&s, "%-9s%14.2f%7.1f %%", r.Name, r.Milliseconds, 100*r.Share)
		if r.Room > 0 {
			fmt.Fprintf(&s, "  %.1f of %d", r.Waiting, r.Room)
		}
		if r.Workers > 1 {
			fmt.Fprintf(&s, ", %d devices", r.Workers)
		}
		s.WriteByte('\n')
		for _, p := range r.Parts {
			fmt.Fprintf(&s, "  %-9s%12.2f%7.1f %%\n", p.Name, p.Milliseconds, 100*p.Share)
		}
	}
	fmt.Fprintf(&s, "whole run %.3g frames a second, network alone %.3g: %.0f %%\nbottleneck: %s\n",
		m.PerSecond, m.NetworkAlone, 100*m.PerSecond/m.NetworkAlone, m.Bottleneck)
	for _, n := range m.Notices {
		fmt.Fprintf(&s, "note: %s\n", n)
	}
	if m.PeakMemory > 0 {
		fmt.Fprintf(&s, "peak memory %s\n", byteSize(m.PeakMemory))
	}
	_, err := io.WriteString(out, s.String())
	return err
}
