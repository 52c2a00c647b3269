package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/wwflow/wwflow/batch"
	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/internal/atomicfile"
	"github.com/wwflow/wwflow/internal/pathname"
	"github.com/wwflow/wwflow/pipeline"
	"github.com/wwflow/wwflow/stats"
)

const textStats = `Measures the motion of a video: how far its pixels move and where to, the motion of the camera, what moves besides, and
where the scene is cut. It prints a summary with a score, the mean way of a pixel in percent of the frame's diagonal
per second, and a class:
  static   below 2, and at most 0.5 % of the pixels move
  low      below 5
  medium   below 15
  high     below 50
  extreme  50 or more
-o FILE has the numbers of each pair of frames. docs/statistics.md defines all numbers. wwflow plot draws them.

With several inputs, a folder of videos, or a list (.txt, .jsonl, as for wwflow batch), -o FILE has a row for each video. A
video that fails has a row that says why, and the others are measured all the same; the exit code is then 6.`

func statsCommand() *cli.Command {
	return &cli.Command{
		Name:        "stats",
		Usage:       "measure the motion of videos",
		ArgsUsage:   "INPUT...",
		Description: textStats + "\n\n" + textExitCodes,
		Action:      runStats,
		Flags: slices.Concat([]cli.Flag{
			outputFlag("also write the numbers to `FILE`: .csv, .json or .jsonl", "none"),
			forceFlag(),
			integer(cli.IntFlag{Name: "sample", Value: 1, Usage: "measure only each `N`th pair, which saves time from 3 on: neighbouring pairs share the work on a frame"}, 1, unlimited),
			stepFlag("flow from frame i to frame i+`K`"),
			&cli.BoolFlag{Name: "backward", Usage: "flow from the later frame of a pair to the earlier one"},
			number(cli.Float64Flag{Name: "min-confidence", Usage: "measure only flow of at least this confidence, 0 to 1", DefaultText: "0, all"},
				func(v float64) bool { return v >= 0 && v <= 1 }, "0 to 1"),
			timeFlag("start", "begin at this `TIME` of the input: seconds, 1:30, or 500ms", true),
			timeFlag("duration", "read this `TIME` of the input", false),
			integer(cli.IntFlag{Name: "frames", Usage: "read at most `N` frames", DefaultText: "all"}, 1, unlimited),
			rateFlag(),
			scaleFlag("resize the frames by this factor first; pixels are then those of the smaller frames"),
			hwaccelFlag(),
			quietFlag(),
			&cli.BoolFlag{Name: "json", Usage: "print everything as JSON lines on standard output"},
		}, networkFlags()),
	}
}

func runStats(c *cli.Context) error {
	if !c.Args().Present() {
		return usagef("stats takes a video, or several")
	}
	base, err := commonOptions(c)
	if err != nil {
		return err
	}
	base.Sample = c.Int("sample")
	if o := c.String("o"); o != "" {
		if _, err := stats.FormatOf(o); err != nil {
			return usagef("%w", err)
		}
	}
	if c.NArg() == 1 && !hasVideos(c.Args().First()) {
		return statsOfOne(c, base, c.Args().First())
	}
	return statsOfMany(c, base)
}

// hasVideos reports whether an argument names several videos: a list, or a folder that has video files. Another folder is
// an image sequence.
func hasVideos(arg string) bool {
	switch strings.ToLower(filepath.Ext(arg)) {
	case ".txt", ".jsonl":
		return true
	}
	if !pathname.IsFolder(arg) {
		return false
	}
	_, err := collectVideos([]string{arg}, pipeline.Options{})
	return err == nil
}

func collectVideos(args []string, base pipeline.Options) ([]pipeline.Options, error) {
	return batch.Collect(args, batch.Source{Base: base, Name: func(input string) string { return input }})
}

// statsOfOne measures one video, with a file for its pairs.
func statsOfOne(c *cli.Context, o pipeline.Options, input string) error {
	if err := checkURL(input); err != nil {
		return err
	}
	o.Input, o.Stats = input, c.String("o")
	var report statsReport = &textStatsReport{out: os.Stderr, meter: newMeter(c.Bool("quiet"), "pair"), quiet: c.Bool("quiet")}
	if c.Bool("json") {
		report = &jsonStatsReport{jsonProgress{out: json.NewEncoder(os.Stdout)}}
	}
	o.Events = report.events()
	result, err := pipeline.Statistics(c.Context, o)
	report.stop()
	if result.Motion != nil {
		return errors.Join(err, outputError(report.finish(os.Stdout, input, o.Stats, result)))
	}
	return err
}

// statsReport reports the work on one video, and its numbers.
type statsReport interface {
	events() pipeline.Events
	stop()
	finish(out io.Writer, input, file string, r pipeline.Result) error
}

type textStatsReport struct {
	out io.Writer
	meter
	quiet bool
}

func (p *textStatsReport) events() pipeline.Events {
	return pipeline.Events{Started: p.started, Written: p.update}
}

func (p *textStatsReport) started(plan pipeline.Plan) {
	if p.quiet {
		return
	}
	fmt.Fprintf(p.out, "%s: %dx%d, network %s on %s\n", plan.Input, plan.Width, plan.Height, plan.Network, plan.Device)
	for _, n := range plan.Notices {
		fmt.Fprintf(p.out, "note: %s\n", n)
	}
}

func (p *textStatsReport) finish(out io.Writer, input, file string, r pipeline.Result) error {
	if !p.quiet {
		s := fmt.Sprintf("%s measured in %.1f s", count(r.Frames, "pair"), r.Seconds)
		if r.Damaged > 0 {
			s += fmt.Sprintf("; %s skipped%s", counted(r.Damaged, "damaged frame was", "damaged frames were"), damagedNames(r.DamagedFrames))
		}
		fmt.Fprintln(p.out, s)
	}
	text := motionText(*r.Motion)
	if file != "" {
		text += fmt.Sprintf("%s: the numbers of each pair\n", file)
	}
	_, err := fmt.Fprint(out, text)
	return err
}

type jsonStatsReport struct{ jsonProgress }

func (p *jsonStatsReport) finish(_ io.Writer, input, file string, r pipeline.Result) error {
	r.Output = file
	p.jsonProgress.finish(r)
	return nil
}

// motionText is the summary of a video.
func motionText(v stats.Video) string {
	var s strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&s, "%-11s"+format+"\n", append([]any{name}, args...)...)
	}
	line("pairs", "%d, of which %d measured, %s", v.Pairs, v.Measured, count(v.Cuts, "cut"))
	m := v.Motion
	if m == nil {
		line("motion", "none could be measured: no flow is known")
		return s.String()
	}
	line("motion", "%s: score %.3g, %.3g %% of the diagonal per second", v.Class, m.Score, m.Score)
	line("length", "mean %.2f, median %.2f, 90th percentile %.2f, 95th %.2f, 99th %.2f pixels", m.Length.Mean, m.Length.Median, m.Length.P90, m.Length.P95, m.Length.P99)
	line("moving", "%.1f %% of the pixels, more than %v pixel", 100*m.Moving, stats.MovingLength)
	if d := m.Direction; d != nil {
		line("direction", "%s (%g degrees), %.0f %% of the motion", directionName(d.Degrees), d.Degrees, 100*d.Share)
	}
	if c := m.Camera; c != nil {
		line("camera", "pan %+.2f, tilt %+.2f pixels, zoom %.4f, roll %+.3f degrees a pair; %.2f pixels of travel; %.0f %% of the pixels follow it", c.Pan, c.Tilt, c.Zoom, c.Roll, v.Travel, 100*c.Follow)
		line("objects", "%.2f pixels where the flow does not follow the camera, %.2f on average over all", c.Objects, c.Residual)
	}
	if m.Confidence != nil {
		line("confidence", "%.2f", *m.Confidence)
	}
	line("peak", "frame %d, at %s: score %.3g", v.Peak.Frame, seconds(v.Peak.Time), v.Peak.Score)
	return s.String()
}

// seconds writes a time of a video to a hundredth of a second.
func seconds(t float64) string {
	d := time.Duration(t * float64(time.Second)).Round(10 * time.Millisecond)
	return fmt.Sprintf("%d:%05.2f", int(d.Minutes()), (d % time.Minute).Seconds())
}

// directionName is the nearest of the eight directions in words.
func directionName(degrees float64) string {
	names := []string{"right", "right and down", "down", "left and down", "left", "left and up", "up", "right and up"}
	return names[int(degrees/45+0.5)%len(names)]
}

// statsOfMany measures several videos, with a file that has a row for each.
func statsOfMany(c *cli.Context, base pipeline.Options) error {
	videos, err := collectVideos(c.Args().Slice(), base)
	if err != nil {
		return err
	}
	file := c.String("o")
	if err := checkStatsFile(file, videos, c.Bool("force")); err != nil {
		return err
	}
	networks, err := pipeline.OpenNetworks(networkOptions(c))
	if err != nil {
		return err
	}
	defer networks.Close()
	rows := make([]stats.Row, 0, len(videos))
	failed := 0
	for i, o := range videos {
		o.Networks = networks
		row, err := statsOfNext(c, o, i+1, len(videos))
		var device *flow.DeviceError
		if c.Context.Err() != nil || errors.As(err, &device) { // it would fail for every video
			return err
		}
		if rows = append(rows, row); row.Status != stats.Done {
			failed++
		}
	}
	if file != "" {
		format, _ := stats.FormatOf(file)
		if err := atomicfile.WriteTo(file, func(w io.Writer) error { return stats.WriteRows(w, format, rows) }); err != nil {
			return outputError(err)
		}
	}
	if failed > 0 {
		return withHint(fmt.Errorf("%w: %d of %d failed", batch.ErrFailed, failed, len(videos)), "the same command for these videos alone, after the causes were removed")
	}
	return nil
}

// statsOfNext measures one of several videos and prints its row. The error is also in the row.
func statsOfNext(c *cli.Context, o pipeline.Options, n, of int) (stats.Row, error) {
	asJSON, quiet := c.Bool("json"), c.Bool("quiet")
	meter := newMeter(quiet || asJSON, "pair")
	o.Events.Written = func(done, total int) {
		meter.show(done, total, fmt.Sprintf("video %d/%d %s: %s", n, of, filepath.Base(o.Input), count(done, "pair")))
	}
	result, err := pipeline.Statistics(c.Context, o)
	meter.stop()
	row := stats.Row{Input: o.Input, Status: stats.Done, Video: result.Motion}
	if err != nil {
		row.Status, row.Error = stats.Failed, err.Error()
		if row.Video != nil {
			row.Status = stats.Partial
		}
	}
	switch {
	case c.Context.Err() != nil: // stopped, not failed
	case asJSON:
		printEvent(json.NewEncoder(os.Stdout), "video", row)
	default:
		fmt.Println(rowText(row))
	}
	return row, err
}

// rowText is a row for people.
func rowText(r stats.Row) string {
	s := r.Input
	if v := r.Video; v != nil && v.Motion != nil {
		s = fmt.Sprintf("%-8s score %-6.3g moving %3.0f %%  %s", v.Class, v.Score, 100*v.Moving, s)
	}
	if r.Error != "" {
		s = fmt.Sprintf("%s: %s: %s", s, r.Status, r.Error)
	}
	return s
}

// checkStatsFile finds what would make the table fail, before any work.
func checkStatsFile(file string, videos []pipeline.Options, force bool) error {
	if file == "" {
		return nil
	}
	for _, v := range videos {
		if err := checkOutput(file, v.Input, force); err != nil {
			return err
		}
	}
	return checkFolder(file)
}
