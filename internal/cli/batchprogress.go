package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/wwflow/wwflow/batch"
	"github.com/wwflow/wwflow/parts"
	"github.com/wwflow/wwflow/pipeline"
)

// batchProgress reports a batch: as text with a meter, as JSON lines, or not at all.
type batchProgress interface {
	events() batch.Events
	finish(batch.Result)
}

func newBatchProgress(quiet, asJSON bool) batchProgress {
	switch {
	case asJSON:
		return &jsonBatch{out: json.NewEncoder(os.Stdout)}
	case quiet:
		return quietBatch{}
	default:
		return &textBatchProgress{out: os.Stderr, meter: newMeter(false, "frame")}
	}
}

type quietBatch struct{}

func (quietBatch) events() batch.Events { return batch.Events{} }
func (quietBatch) finish(batch.Result)  {}

// textBatchProgress prints a line for each video, and a meter for the batch and the current video.
type textBatchProgress struct {
	out    io.Writer
	meter  meter
	videos int
}

func (p *textBatchProgress) events() batch.Events {
	return batch.Events{
		Planned: func(plan batch.Plan) {
			p.videos = plan.ToDo
			fmt.Fprintf(p.out, "%s: %d to do, %d done before, %d failed before\n", count(plan.Videos, "video"), plan.ToDo, plan.Done, plan.FailedBefore)
			if plan.ExportBytes > 0 {
				fmt.Fprintf(p.out, "the flow files will take about %s of disk\n", byteSize(plan.ExportBytes))
			}
		},
		Continued: func(n int, output string, c parts.Continued) {
			p.meter.stop()
			fmt.Fprintf(p.out, "%d/%d %s: %s\n", n, p.videos, output, continuedText(c))
		},
		Written: func(now batch.Progress) {
			p.meter.show(int(1000*now.Fraction), 1000, batchText(now))
		},
		Ended: func(n int, e batch.Entry) {
			p.meter.stop()
			if e.State == batch.Failed {
				fmt.Fprintf(p.out, "%d/%d %s failed: %s\n", n, p.videos, e.Input.Path, e.Error)
			} else {
				fmt.Fprintf(p.out, "%d/%d %s: %s of flow in %.1f s\n", n, p.videos, e.Output, count(e.Frames, "frame"), e.Seconds)
			}
		},
	}
}

// batchText is, for example, "video 3/10 a-flow.mp4: 11 of 29 frames; batch 27 %, 1:08 left".
func batchText(p batch.Progress) string {
	s := fmt.Sprintf("video %d/%d %s: %s", p.Video, p.Videos, p.Output, count(p.Frames, "frame"))
	if p.Total > 0 {
		s = fmt.Sprintf("video %d/%d %s: %d of %s", p.Video, p.Videos, p.Output, p.Frames, count(p.Total, "frame"))
	}
	if p.Fraction > 0 {
		s += fmt.Sprintf("; batch %.0f %%, %s left", 100*p.Fraction, clock(p.Left))
	}
	return s
}

// finish prints the sum, and a table of the videos that failed.
func (p *textBatchProgress) finish(r batch.Result) {
	p.meter.stop()
	fmt.Fprintf(p.out, "%s done in %.1f s, %d done before, %d failed%s\n", count(r.Done, "video"), r.Seconds, r.Skipped, len(r.Failed),
		when(r.Left > 0, fmt.Sprintf(", %d left", r.Left)))
	if r.Stats != "" {
		fmt.Fprintf(p.out, "%s: the statistics of %s\n", r.Stats, count(r.Videos, "video"))
	}
	if len(r.Failed) == 0 {
		return
	}
	table := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "failed\texit code\twhy")
	for _, e := range r.Failed {
		fmt.Fprintf(table, "%s\t%d\t%s\n", e.Input.Path, e.ExitCode, e.Error)
	}
	table.Flush()
}

// jsonBatch prints one JSON object a line: batch, then for each video start, progress (at most twice a second) and
// video_done or video_failed, then batch_done, which is followed by error, from Main, if not all videos succeeded. With
// --resume continue may come before start.
type jsonBatch struct {
	out  *json.Encoder
	last time.Time
}

func (p *jsonBatch) events() batch.Events {
	return batch.Events{
		Planned: func(plan batch.Plan) { printEvent(p.out, "batch", plan) },
		Continued: func(n int, _ string, c parts.Continued) {
			printEvent(p.out, "continue", struct {
				Video int `json:"video"`
				parts.Continued
			}{n, c})
		},
		Started: func(n int, plan pipeline.Plan) {
			printEvent(p.out, "start", struct {
				Video int `json:"video"`
				pipeline.Plan
			}{n, plan})
		},
		Written: p.written,
		Ended: func(n int, e batch.Entry) {
			printEvent(p.out, "video_"+string(e.State), struct {
				Video int `json:"video"`
				batch.Entry
			}{n, e})
		},
	}
}

func (p *jsonBatch) finish(r batch.Result) { printEvent(p.out, "batch_done", r) }

func (p *jsonBatch) written(now batch.Progress) {
	if time.Since(p.last) < time.Second/2 && now.Frames != now.Total {
		return
	}
	p.last = time.Now()
	e := struct {
		Video       int      `json:"video"`
		Videos      int      `json:"videos"`
		Frames      int      `json:"frames"`
		Total       int      `json:"total,omitempty"`
		Share       float64  `json:"batch_share,omitempty"` // 0 to 1, by length of video
		SecondsLeft *float64 `json:"seconds_left,omitempty"`
	}{Video: now.Video, Videos: now.Videos, Frames: now.Frames, Total: now.Total, Share: now.Fraction}
	if seconds := now.Left.Seconds(); now.Fraction > 0 {
		e.SecondsLeft = &seconds
	}
	printEvent(p.out, "progress", e)
}
