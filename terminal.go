package main

// Every word that the user reads is in this file, except for the errors of the packages, which know what
// happened, and the usage line of a flag that one command alone has, which stands beside the flag.

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/sys/unix"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/pairing"
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
and there is none for the first frame. Audio and subtitles are copied.

Colours are the Middlebury wheel's: hue is direction (right is red, down yellow, left cyan, up
violet), strength is length, white is still, black is unknown. One scale holds for the whole video:
  --max-flow PIXELS  flow of that length is in full colour, longer flow is darker
  --max-flow auto    eight pairs spread over the video are looked at first, shrunk to 448 pixels:
                     the scale is the length that 99 % of the flow stays below in all of them but one,
                     rounded up, and at least 1 pixel, so that a still scene stays white. Standard
                     input can't be looked at twice: there it is the first eight pairs. A second pass
                     over the video would take twice the time.`

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

// complain says what went wrong, and on a second line what to try next.
func complain(w io.Writer, err error) {
	fmt.Fprintf(w, "wwflow: %v\n", err)
	if h := hint(err); h != "" {
		fmt.Fprintf(w, "  try: %s\n", h)
	}
}

// hint is what to try after an error; empty where its own sentence says it.
func hint(err error) string {
	switch {
	case errors.Is(err, errUsage):
		return "wwflow --help, or wwflow COMMAND --help"
	case errors.Is(err, errSame):
		return "another name with -o"
	case errors.Is(err, encode.ErrExists):
		return "another name with -o, or --force to replace it"
	case errors.Is(err, errNotEmpty):
		return "another folder, or --force to write into this one"
	case errors.Is(err, syscall.ENOSPC):
		return "free some space, or another disk with -o"
	case errors.Is(err, errPipe):
		return "the file itself instead of a pipe: an MP4 with its index at the end can't be read without going back"
	case errors.Is(err, errTooShort):
		return "a longer part of the video, or a smaller --step"
	case errors.Is(err, flow.ErrNoRuntime):
		return "make setup in the source folder, which fetches ONNX Runtime, or --ort FILE; wwflow doctor shows what is found"
	case errors.Is(err, flow.ErrNetwork):
		return "another folder with --model, or leave it out for the network inside the program"
	case errors.Is(err, decode.ErrNoVideo), errors.Is(err, decode.ErrFormat), errors.Is(err, decode.ErrNoFrames):
		return "ffprobe on the file: it shows what the file holds"
	case errors.Is(err, decode.ErrWindow):
		return "a smaller --start; wwflow info shows how long the video is"
	case errors.Is(err, pairing.ErrSize), errors.Is(err, flow.ErrSize):
		return "frames of one size: scale or crop the others to it"
	case errors.Is(err, decode.ErrHardware):
		return "--hwaccel auto, which decodes in software where it must, or leave it out"
	case errors.Is(err, encode.ErrHardware):
		return "--codec h264, which encodes in software, or --hwaccel auto"
	case errors.Is(err, fs.ErrPermission):
		return "a place that you may read and write"
	}
	return ""
}

// version is the version that Go's build recorded.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "unknown"
	}
	return strings.Trim(info.Main.Version, "()")
}

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
	MaxFlow   float64  `json:"max_flow"`
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
	s := fmt.Sprintf("%s -> %s: %dx%d, %s, scale %s, network %s on %s",
		p.Input, p.Output, p.Width, p.Height, p.Style, pixels(p.MaxFlow), p.Network, p.Device)
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

const textLooking = "looking at a few pairs for the scale"

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

// complainJSON is complain for programs.
func complainJSON(w io.Writer, err error) {
	(&jsonReport{out: json.NewEncoder(w)}).event("error", struct {
		Message string `json:"message"`
		Try     string `json:"try,omitempty"`
		Exit    int    `json:"exit_code"`
	}{err.Error(), hint(err), exitCode(err)})
}

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
		line("", "interlaced%s", when(p.Deinterlaced, ", will be deinterlaced"))
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
