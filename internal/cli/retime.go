package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/pathname"
	"github.com/wwflow/wwflow/parts"
	"github.com/wwflow/wwflow/pipeline"
)

const textRetime = `Slow motion, and other frame rates: new frames are made between the frames of INPUT from the flow in both directions.
  wwflow retime in.mp4 --speed 0.25    four times as long, at the same frame rate
  wwflow retime in.mp4 --fps 120       as long as before, with 120 frames a second
  wwflow retime in.mp4 --speed 0.5 --fps 60 --audio stretch

Frame k has the time k/FPS and shows the time SPEED*k/FPS of the input, exactly, also if the input's frame rate is
variable. Where that is the time of a frame of the input, that frame is shown unchanged. Across a scene cut or a
damaged frame nothing is made: the nearer frame is shown.

It fails where the flow does: repeating patterns, thin things that move far, reflections, smoke and water, blurred
motion, text that appears. There the new frames show doubled or torn outlines. wwflow run --style occlusion shows
where forward and backward flow disagree. Uneven exposure between frames flickers.

` + textKept

func retimeCommand() *cli.Command {
	skip := []string{"style", "max-flow", "legend", "gray", "backward", "step", "cuts", "min-confidence", "both", "consistency", "drop-occluded"}
	flags := slices.DeleteFunc(videoFlags(), func(f cli.Flag) bool { return slices.Contains(skip, f.Names()[0]) })
	return &cli.Command{
		Name:        "retime",
		Usage:       "slow a video down, or change its frame rate, with new frames between its frames",
		ArgsUsage:   "INPUT",
		Description: textRetime + "\n\n" + textExitCodes,
		Action:      runRetime,
		Flags: slices.Concat([]cli.Flag{
			outputFlag("output video, a folder/ for PNG images, or - for standard output, as for run", "INPUT-retimed.mp4 beside the input"),
			text(cli.StringFlag{Name: "speed", Usage: "speed of the motion: 0.25 is slow motion, 2 is twice as fast", DefaultText: "1"}, parseSpeed),
			text(cli.StringFlag{Name: "fps", Usage: "frames a second of the output: `N` or N/D", DefaultText: "the input's"}, parseFPS),
			text(cli.StringFlag{Name: "audio", Usage: "keep or drop audio and subtitles, or stretch the audio to the new length at its pitch (subtitles are dropped); they can be kept at --speed 1 only", DefaultText: "keep at speed 1, else drop"}, parseAudio),
			&cli.StringFlag{Name: "container", Usage: "as for run", DefaultText: "by the extension; Matroska for -"},
			forceFlag(),
			quietFlag(),
			&cli.BoolFlag{Name: "json", Usage: "print everything as JSON lines on standard output"},
			resumeFlag(),
			segmentFlag("frames of the input in a segment of --resume"),
		}, flags, networkFlags()),
	}
}

// parseSpeed reads a positive number; "" is zero, not stated.
func parseSpeed(s string) (frame.Rational, error) {
	r, err := parseRate(s)
	if err != nil || r.Float() > 1000 || s != "" && r.Float() < 1e-4 {
		return r, usagef("--speed is a number such as 0.25 or 1/4, from 0.0001 to 1000, not %q", s)
	}
	return r, nil
}

func parseFPS(s string) (frame.Rational, error) {
	r, err := parseRate(s)
	if err != nil || r.Float() > 1e4 {
		return r, usagef("--fps is a number such as 120 or 60000/1001, at most 10000, not %q", s)
	}
	return r, nil
}

func parseAudio(s string) (string, error) {
	if s != "" && s != "keep" && s != "drop" && s != "stretch" {
		return "", usagef("--audio is keep, drop or stretch, not %q", s)
	}
	return s, nil
}

func runRetime(c *cli.Context) error {
	if c.NArg() != 1 {
		return usagef("retime takes one input, not %d", c.NArg())
	}
	if c.String("speed") == "" && c.String("fps") == "" {
		return withHint(usagef("retime needs a speed or a frame rate"), "--speed 0.25, or --fps 120")
	}
	o, err := videoOptions(c, c.Args().First())
	if err != nil {
		return err
	}
	if c.String("o") == "" {
		o.Output = retimedName(o.Input)
	}
	t := pipeline.Retiming{}
	t.Speed, _ = parseSpeed(c.String("speed"))
	t.FrameRate, _ = parseFPS(c.String("fps"))
	same := t.Speed.Num == t.Speed.Den
	audio := c.String("audio")
	if audio == "keep" && !same {
		return withHint(usagef("--audio keep: audio can be kept at --speed 1 only"), "--audio stretch, or --audio drop")
	}
	t.KeepAudio = same && audio != "drop" // audio at speed 1 need not be stretched
	t.Stretch = !same && audio == "stretch"
	if err := checkSegment(c, inSegments(c)); err != nil {
		return err
	}
	report := newRetimeProgress(c.Bool("quiet"), c.Bool("json"))
	t.Started, o.Events.Written = report.start, report.written
	var result pipeline.Result
	if inSegments(c) {
		r := segmentOptions(c, o, report.continued)
		r.Retiming = &t
		result, err = untilSecondSignal(c, r, parts.Resume)
	} else {
		result, err = pipeline.Retime(c.Context, o, t)
	}
	report.stop()
	switch {
	case errors.Is(err, pipeline.ErrStopped):
		sayKept(c, result)
	case result.Frames > 0:
		report.finish(result)
	}
	return err
}

// retimedName is the default output beside an input.
func retimedName(input string) string {
	if decode.IsStream(input) {
		return "retimed.mp4"
	}
	name := filepath.Clean(input)
	if !pathname.IsFolder(input) {
		name = strings.TrimSuffix(name, filepath.Ext(name))
	}
	return name + "-retimed.mp4"
}

// retimeProgress reports as text or as JSON lines, or not at all.
type retimeProgress struct {
	meter
	quiet, asJSON bool
	json          *jsonProgress
}

func newRetimeProgress(quiet, asJSON bool) *retimeProgress {
	return &retimeProgress{meter: newMeter(quiet || asJSON, "frame"), quiet: quiet, asJSON: asJSON, json: &jsonProgress{out: json.NewEncoder(os.Stdout)}}
}

func (p *retimeProgress) start(plan pipeline.RetimePlan) {
	switch {
	case p.asJSON:
		printEvent(p.json.out, "start", plan)
	case !p.quiet:
		fmt.Fprintf(os.Stderr, "%s -> %s: %dx%d, speed %.4g, %.5g frames/s, network %s on %s\n", plan.Input, plan.Output, plan.Width, plan.Height,
			plan.Speed, plan.FrameRate, plan.Network, plan.Device)
	}
}

func (p *retimeProgress) continued(c parts.Continued) {
	switch {
	case p.asJSON:
		p.json.continued(c)
	case !p.quiet:
		fmt.Fprintln(os.Stderr, continuedText(c))
	}
}

func (p *retimeProgress) written(done, total int) {
	if p.asJSON {
		p.json.written(done, total)
		return
	}
	p.update(done, total)
}

func (p *retimeProgress) finish(r pipeline.Result) {
	switch {
	case p.asJSON:
		printEvent(p.json.out, "done", r)
	case !p.quiet:
		s := fmt.Sprintf("%s: %s from %d, %d of them new, in %.1f s", r.Output, count(r.Frames, "frame"), r.Read, r.New, r.Seconds)
		if r.Damaged > 0 {
			s += "; " + counted(r.Damaged, "damaged frame was", "damaged frames were") + " skipped"
		}
		if r.Cuts > 0 {
			s += "; nothing was made across " + count(r.Cuts, "scene cut")
		}
		for _, n := range r.Notices {
			s += "\nnote: " + n
		}
		fmt.Fprintln(os.Stderr, s)
	}
}
