package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/sys/unix"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/parts"
	"github.com/wwflow/wwflow/pipeline"
)

// meter shows how many of a number of things are done: a bar on a terminal, a line every few seconds elsewhere, or nothing.
type meter interface {
	update(done, total int)            // total 0 = unknown
	show(done, total int, text string) // update with a text of the caller's
	stop()                             // removes or completes the display; may be called again
}

func newMeter(quiet bool, noun string) meter {
	switch {
	case quiet:
		return noMeter{}
	case isTerminal(os.Stderr):
		return &barMeter{out: os.Stderr, noun: noun}
	default:
		return &lineMeter{out: os.Stderr, noun: noun}
	}
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

type noMeter struct{}

func (noMeter) update(_, _ int)         {}
func (noMeter) show(_, _ int, _ string) {}
func (noMeter) stop()                   {}

// pace is the speed since the first update: what happens only once before it does not count.
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

// progressText is, for example, "11 of 29 frames, 2.17 frames/s, 0:08 left".
func progressText(done, total int, noun string, p *pace) string {
	s := count(done, noun)
	if total > 0 {
		s = fmt.Sprintf("%d of %s", done, count(total, noun))
	}
	if perSecond, left, ok := p.at(done, total); ok {
		s += ", " + speed(perSecond, noun)
		if total > 0 && done < total {
			s += ", " + clock(left) + " left"
		}
	}
	return s
}

// lineMeter prints plain lines, one every five seconds at most.
type lineMeter struct {
	out  io.Writer
	noun string
	pace pace
	last time.Time
}

func (m *lineMeter) stop() {}
func (m *lineMeter) update(done, total int) {
	m.show(done, total, progressText(done, total, m.noun, &m.pace))
}

func (m *lineMeter) show(_, _ int, s string) {
	if m.last.IsZero() {
		m.last = time.Now()
	}
	if time.Since(m.last) >= 5*time.Second {
		m.last = time.Now()
		fmt.Fprintln(m.out, s)
	}
}

// barMeter draws a bar, or a spinner where the total is unknown. It begins with the first update.
type barMeter struct {
	out      *os.File
	noun     string
	pace     pace
	bars     *mpb.Progress
	bar      *mpb.Bar
	shown    string // the text beside the bar; mpb reads it while drawing
	messages chan string
	drawn    drawnBar
}

// barWidth is the most characters of the bar without its text.
const barWidth = 100

func (m *barMeter) start(total int) {
	m.messages = make(chan string, 1)
	text := func(s decor.Statistics) string {
		m.drawn.resized(m.out) // before the library erases the old bar
		select {
		case m.shown = <-m.messages:
		default:
		}
		m.drawn.characters = barWidth + len(m.shown)
		return m.shown[:min(len(m.shown), max(0, s.AvailableWidth))] // a longer line would wrap and stay on the screen
	}
	m.bars = mpb.New(mpb.WithOutput(m.out), mpb.WithWidth(barWidth))
	var filler mpb.BarFillerBuilder = mpb.BarStyle()
	if total == 0 {
		filler = mpb.SpinnerStyle()
	}
	// Without a total the bar ends when it is told to and not by itself.
	m.bar = m.bars.New(0, filler, mpb.AppendDecorators(decor.Any(text)), mpb.BarRemoveOnComplete())
}

func (m *barMeter) update(done, total int) {
	m.show(done, total, progressText(done, total, m.noun, &m.pace))
}

func (m *barMeter) show(done, total int, s string) {
	if m.bar == nil {
		m.start(total)
	}
	select {
	case <-m.messages: // not drawn yet, and out of date
	default:
	}
	m.messages <- s
	if total > 0 {
		m.bar.SetTotal(int64(total), false)
	}
	m.bar.SetCurrent(int64(done))
}

func (m *barMeter) stop() {
	if m.bar != nil {
		m.bar.SetTotal(-1, true)
		m.bars.Wait()
		m.bar = nil
	}
}

// progress reports a run: as text with a meter, as JSON lines, or not at all.
type progress interface {
	events() pipeline.Events
	continued(parts.Continued)
	stop()                  // before finish, and before an error is printed
	finish(pipeline.Result) // the output is complete
}

func newProgress(quiet, asJSON bool) progress {
	switch {
	case asJSON:
		return &jsonProgress{out: json.NewEncoder(os.Stdout)}
	case quiet:
		return quietProgress{}
	default:
		return &textProgress{out: os.Stderr, meter: newMeter(false, "frame")}
	}
}

type quietProgress struct{}

func (quietProgress) events() pipeline.Events   { return pipeline.Events{} }
func (quietProgress) continued(parts.Continued) {}
func (quietProgress) stop()                     {}
func (quietProgress) finish(pipeline.Result)    {}

type textProgress struct {
	out io.Writer
	meter
}

func (p *textProgress) events() pipeline.Events {
	return pipeline.Events{
		ChoosingScale: func() { fmt.Fprintln(p.out, "choosing the colour scale") },
		Started:       func(plan pipeline.Plan) { fmt.Fprintln(p.out, planText(plan)) },
		Written:       p.update,
	}
}

func (p *textProgress) continued(c parts.Continued) { fmt.Fprintln(p.out, continuedText(c)) }

func (p *textProgress) finish(r pipeline.Result) { fmt.Fprint(p.out, resultText(r)) }

func planText(p pipeline.Plan) string {
	style := p.Style
	if p.MaxFlow > 0 {
		style += ", scale " + pixels(p.MaxFlow)
	}
	s := fmt.Sprintf("%s -> %s: %dx%d, %s, network %s on %s", p.Input, p.Output, p.Width, p.Height, style, p.Network, p.Device)
	if p.Detail != 1 {
		s += fmt.Sprintf(", which sees %dx%d", p.NetworkWidth, p.NetworkHeight)
	}
	for _, n := range p.Notices {
		s += "\nnote: " + n
	}
	return s
}

func resultText(r pipeline.Result) string {
	s := fmt.Sprintf("%s: %s of flow from %d in %.1f s", r.Output, count(r.Frames, "frame"), r.Read, r.Seconds)
	if r.Damaged > 0 {
		s += fmt.Sprintf("; %s skipped%s", counted(r.Damaged, "damaged frame was", "damaged frames were"), damagedNames(r.DamagedFrames))
	}
	if r.Cuts > 0 {
		s += fmt.Sprintf("; %s black", counted(r.Cuts, "scene cut is", "scene cuts are"))
	}
	if r.Occluded > 0 || r.Outside > 0 {
		s += fmt.Sprintf("; %.1f %% of the pixels are occluded, %.1f %% leave the frame", 100*r.Occluded, 100*r.Outside)
	}
	notices := r.Notices
	if len(r.Gaps) > 0 {
		notices = append(notices, fmt.Sprintf("the flow of %s is unknown, because damaged frames follow: %s", count(len(r.Gaps), "frame"), numbers(r.Gaps)))
	}
	if r.Unconfident > noticeUnconfident {
		notices = append(notices, fmt.Sprintf("%.0f %% of the pixels have a confidence below %v; --min-confidence %v makes them unknown", 100*r.Unconfident, pipeline.LowConfidence, pipeline.LowConfidence))
	}
	for _, n := range notices {
		s += "\nnote: " + n
	}
	return s + "\n"
}

// noticeUnconfident is the share of unconfident pixels above which a run says so.
const noticeUnconfident = 0.2

// listed is how many frames a sentence names.
const listed = 8

// damagedNames lists damaged frames in parentheses, by file name or by number; "" where none is known.
func damagedNames(frames []decode.DamagedFrame) string {
	if len(frames) == 0 {
		return ""
	}
	var names []string
	for _, f := range frames[:min(len(frames), listed)] {
		if f.Name != "" {
			names = append(names, f.Name)
		} else {
			names = append(names, fmt.Sprintf("frame %d", f.Index))
		}
	}
	return " (" + strings.Join(names, ", ") + when(len(frames) > listed, ", ...") + ")"
}

func numbers(list []int) string {
	words := make([]string, 0, listed)
	for _, n := range list[:min(len(list), listed)] {
		words = append(words, strconv.Itoa(n))
	}
	return strings.Join(words, ", ") + when(len(list) > listed, ", ...")
}

// jsonProgress prints one JSON object a line: continue, choosing_scale, start, progress (at most twice a second), then done or,
// from Main, error.
type jsonProgress struct {
	out  *json.Encoder
	pace pace
	last time.Time
}

// printEvent prints one event. An error is ignored: a closed stdout does not abort the run.
func printEvent(out *json.Encoder, name string, data any) {
	_ = out.Encode(struct {
		Event string `json:"event"`
		Data  any    `json:"data,omitempty"`
	}{name, data})
}

func (p *jsonProgress) events() pipeline.Events {
	return pipeline.Events{
		ChoosingScale: func() { printEvent(p.out, "choosing_scale", nil) },
		Started:       func(plan pipeline.Plan) { printEvent(p.out, "start", plan) },
		Written:       p.written,
	}
}

func (p *jsonProgress) continued(c parts.Continued) { printEvent(p.out, "continue", c) }

func (p *jsonProgress) stop()                    {}
func (p *jsonProgress) finish(r pipeline.Result) { printEvent(p.out, "done", r) }

func (p *jsonProgress) written(done, total int) {
	perSecond, left, ok := p.pace.at(done, total)
	if time.Since(p.last) < time.Second/2 && done != total {
		return
	}
	p.last = time.Now()
	e := struct {
		Frames      int      `json:"frames"`
		Total       int      `json:"total,omitempty"`
		PerSecond   float64  `json:"frames_per_second,omitempty"`
		SecondsLeft *float64 `json:"seconds_left,omitempty"`
	}{Frames: done, Total: total, PerSecond: perSecond}
	if seconds := left.Seconds(); ok && total > 0 {
		e.SecondsLeft = &seconds
	}
	printEvent(p.out, "progress", e)
}
