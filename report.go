package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/sys/unix"
)

// report tells how a run goes: a bar on a terminal, a line now and then elsewhere, JSON lines for programs,
// or nothing.
type report interface {
	looking()              // the scale of the whole video is being found
	start(plan)            // the walk begins
	frame(done, total int) // done pictures are written of total; total 0 = not known
	finish(result)         // the output is there
	stop()                 // no more is told, after an error
}

// plan is what a run is about to do.
type plan struct {
	Input     string   `json:"input"`
	Output    string   `json:"output"`
	Width     int      `json:"width"`
	Height    int      `json:"height"`
	Frames    int      `json:"frames,omitempty"` // pictures to write; absent where the input does not say
	Style     string   `json:"style"`
	MaxFlow   float64  `json:"max_flow,omitempty"` // absent where the style shows none
	Network   string   `json:"network"`
	Device    string   `json:"device"`
	Precision string   `json:"precision"`
	Notices   []string `json:"notices,omitempty"`
}

// result is what a run has done.
type result struct {
	Output  string   `json:"output"`
	Frames  int      `json:"frames"`
	Read    int      `json:"frames_read"`
	Corrupt int      `json:"frames_damaged"`
	Cuts    int      `json:"scene_cuts,omitempty"`
	Seconds float64  `json:"seconds"`
	Notices []string `json:"notices,omitempty"`
}

func newReport(quiet, asJSON bool) report {
	switch {
	case asJSON:
		return &jsonReport{out: json.NewEncoder(os.Stdout)}
	case quiet:
		return quietReport{}
	case isTerminal(os.Stderr):
		return &barReport{out: os.Stderr}
	default:
		return &lineReport{out: os.Stderr}
	}
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

type quietReport struct{}

func (quietReport) looking()       {}
func (quietReport) start(plan)     {}
func (quietReport) frame(_, _ int) {}
func (quietReport) finish(result)  {}
func (quietReport) stop()          {}

// pace is the speed so far, counted from the first picture on: making it includes what is done only once.
type pace struct {
	begin time.Time
	first int
}

func (p *pace) at(done, total int) (perSecond float64, left time.Duration, ok bool) {
	if p.begin.IsZero() {
		p.begin, p.first = time.Now(), done
		return 0, 0, false
	}
	spent := time.Since(p.begin).Seconds()
	if spent <= 0 || done <= p.first {
		return 0, 0, false
	}
	perSecond = float64(done-p.first) / spent
	return perSecond, time.Duration(float64(max(0, total-done)) / perSecond * float64(time.Second)), true
}

func status(done, total int, p *pace) string {
	s := count(done, "frame")
	if total > 0 {
		s = fmt.Sprintf("%d of %d frames", done, total)
	}
	if perSecond, left, ok := p.at(done, total); ok {
		s += fmt.Sprintf(", %.3g a second", perSecond)
		if total > 0 && done < total {
			s += ", " + clock(left) + " left"
		}
	}
	return s
}

// clock writes a duration as 0:07 or 1:02:03.
func clock(d time.Duration) string {
	s := int(d.Round(time.Second).Seconds())
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

func planLine(p plan) string {
	style := p.Style
	if p.MaxFlow > 0 {
		style += ", scale " + pixels(p.MaxFlow)
	}
	s := fmt.Sprintf("%s -> %s: %dx%d, %s, network %s on %s", p.Input, p.Output, p.Width, p.Height, style, p.Network, p.Device)
	for _, n := range p.Notices {
		s += "\nnote: " + n
	}
	return s
}

func pixels(x float64) string {
	if x == 1 {
		return "1 pixel"
	}
	return fmt.Sprintf("%.4g pixels", x)
}

func resultLines(r result) string {
	s := fmt.Sprintf("%s: %s of flow from %d in %.1f s", r.Output, count(r.Frames, "frame"), r.Read, r.Seconds)
	if r.Corrupt > 0 {
		s += fmt.Sprintf("; %s skipped", counted(r.Corrupt, "damaged frame was", "damaged frames were"))
	}
	if r.Cuts > 0 {
		s += fmt.Sprintf("; %s black", counted(r.Cuts, "scene cut is", "scene cuts are"))
	}
	for _, n := range r.Notices {
		s += "\nnote: " + n
	}
	return s + "\n"
}

// lineReport writes plain lines, one every five seconds at most.
type lineReport struct {
	out  io.Writer
	pace pace
	last time.Time
}

func (r *lineReport) looking()        { fmt.Fprintln(r.out, textLooking) }
func (r *lineReport) start(p plan)    { fmt.Fprintln(r.out, planLine(p)); r.last = time.Now() }
func (r *lineReport) finish(x result) { fmt.Fprint(r.out, resultLines(x)) }
func (r *lineReport) stop()           {}
func (r *lineReport) frame(done, total int) {
	s := status(done, total, &r.pace)
	if time.Since(r.last) >= 5*time.Second {
		r.last = time.Now()
		fmt.Fprintln(r.out, s)
	}
}

// barReport draws a bar, or only counts where the number of frames is not known.
type barReport struct {
	out      io.Writer
	pace     pace
	bars     *mpb.Progress
	bar      *mpb.Bar
	now      string // what stands behind the bar; mpb reads it while drawing
	messages chan string
}

func (r *barReport) looking() { fmt.Fprintln(r.out, textLooking) }

func (r *barReport) start(p plan) {
	fmt.Fprintln(r.out, planLine(p))
	r.messages = make(chan string, 1)
	text := func(decor.Statistics) string {
		select {
		case r.now = <-r.messages:
		default:
		}
		return r.now
	}
	r.bars = mpb.New(mpb.WithOutput(r.out), mpb.WithWidth(100))
	var filler mpb.BarFillerBuilder = mpb.BarStyle()
	if p.Frames == 0 {
		filler = mpb.SpinnerStyle()
	}
	// Made without a total, the bar ends when it is told to and not by itself.
	r.bar = r.bars.New(0, filler, mpb.AppendDecorators(decor.Any(text)))
	r.bar.SetTotal(int64(p.Frames), false)
}

func (r *barReport) frame(done, total int) {
	s := status(done, total, &r.pace)
	select {
	case <-r.messages: // not drawn yet, and out of date
	default:
	}
	r.messages <- s
	if total > 0 {
		r.bar.SetTotal(int64(total), false)
	}
	r.bar.SetCurrent(int64(done))
}

func (r *barReport) stop() {
	if r.bar != nil {
		r.bar.Abort(false)
		r.bars.Wait()
		r.bar = nil
	}
}

func (r *barReport) finish(x result) {
	r.bar.SetTotal(-1, true)
	r.bars.Wait()
	r.bar = nil
	fmt.Fprint(r.out, resultLines(x))
}

// jsonReport writes one JSON object a line: looking, start, progress (twice a second at most), then done or,
// from main, error.
type jsonReport struct {
	out  *json.Encoder
	pace pace
	last time.Time
}

func (r *jsonReport) event(name string, data any) {
	// Standard output may be gone; the run goes on, and its exit code tells.
	_ = r.out.Encode(struct {
		Event string `json:"event"`
		Data  any    `json:"data,omitempty"`
	}{name, data})
}

func (r *jsonReport) looking()        { r.event("looking", nil) }
func (r *jsonReport) start(p plan)    { r.event("start", p) }
func (r *jsonReport) finish(x result) { r.event("done", x) }
func (r *jsonReport) stop()           {}
func (r *jsonReport) frame(done, total int) {
	perSecond, left, ok := r.pace.at(done, total)
	if time.Since(r.last) < time.Second/2 && done != total {
		return
	}
	r.last = time.Now()
	p := struct {
		Frames      int      `json:"frames"`
		Total       int      `json:"total,omitempty"`
		PerSecond   float64  `json:"frames_per_second,omitempty"`
		SecondsLeft *float64 `json:"seconds_left,omitempty"`
	}{Frames: done, Total: total, PerSecond: perSecond}
	if seconds := left.Seconds(); ok && total > 0 {
		p.SecondsLeft = &seconds
	}
	r.event("progress", p)
}
