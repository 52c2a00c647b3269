// Package batch makes the flow videos of many videos in one process.
//
// The network is opened once. A video that fails does not end the batch. A journal in the output folder records what
// happened to each video, so that the same call, made again, does only what is missing.
//
// Files in the output folder beside the outputs:
//
//	wwflow-batch.jsonl   the journal: one Entry per line, only appended to
//	wwflow-batch.lock    locked (flock) by the process that works on the folder, whose process ID it holds
//
// With Options.Part both names have the part, such as wwflow-batch-2-of-8.jsonl. All journals of the folder are read.
package batch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/internal/errkind"
	"github.com/wwflow/wwflow/internal/journal"
	"github.com/wwflow/wwflow/parts"
	"github.com/wwflow/wwflow/pipeline"
)

// Options says what to do. Dir and Videos are needed.
type Options struct {
	Dir string // of the outputs, the journal and the lock; created if it does not exist

	// Videos are the videos in the order of work. Output and the folders of Exports are relative to Dir. An input is a
	// regular file. Network, Networks, Events, Stats and Encode.Force are not used.
	Videos []pipeline.Options

	Network     flow.Options // the network to open
	Stats       string       // file of a table with the motion statistics of each video (.csv, .json, .jsonl); "" = none
	Part        parts.Part   // share of the videos to do, equal to the others by length of video; zero = all
	RetryFailed bool         // also do the videos that failed before
	KeepGoing   bool         // record an input that cannot be read as failed, instead of refusing the batch
	Force       bool         // replace existing outputs, and redo videos whose input or options have changed

	// Resume makes each video in segments, as parts.Resume does, so that the same call continues within a video that was stopped.
	Resume  bool
	Segment int    // of Resume: pairs in a segment, as parts.Options.Segment
	Version string // of Resume: of the program

	ExitCode func(error) int // the number that the journal records for an error; nil = 1 for each error

	Events Events
}

// Events are called as a batch proceeds, one at a time. A nil function is not called.
type Events struct {
	Planned func(Plan)                   // everything has been checked
	Started func(n int, p pipeline.Plan) // the n-th video to do, from 1, is about to be estimated
	Written func(Progress)               // an image was written
	Ended   func(n int, e Entry)         // a video is done or has failed

	// Continued is called where a part of the n-th video to do was made by an earlier call, with Options.Resume.
	Continued func(n int, output string, c parts.Continued)
}

// Plan is what a batch is about to do.
type Plan struct {
	Videos       int     `json:"videos"` // of this part
	ToDo         int     `json:"to_do"`
	Done         int     `json:"done_before"`
	FailedBefore int     `json:"failed_before"`          // and not retried
	Seconds      float64 `json:"video_seconds"`          // length of the videos to do, as far as it is known
	ExportBytes  int64   `json:"export_bytes,omitempty"` // about what the exported files of formats that do not compress will take
}

// Progress is how far a batch is.
type Progress struct {
	Video    int           // number of the current video among those to do, from 1
	Videos   int           // number of videos to do
	Output   string        // of the current video, relative to Dir
	Frames   int           // images written of the current video
	Total    int           // images that the current video will have; 0 = unknown
	Fraction float64       // of the batch, by length of video, 0 to 1
	Left     time.Duration // for the whole batch; 0 = unknown
}

// Result is what a batch has done.
type Result struct {
	Videos  int     `json:"videos"` // of this part; 0 if the batch was refused
	Done    int     `json:"done"`   // in this call
	Skipped int     `json:"done_before"`
	Failed  []Entry `json:"failed,omitempty"` // in this call or before
	Left    int     `json:"left"`             // not done because the batch was stopped
	Frames  int     `json:"frames"`           // images written in this call
	Seconds float64 `json:"seconds"`
	Stats   string  `json:"stats,omitempty"` // the file of the table; absent where it was not written
}

// Errors of Run, besides those of package pipeline.
var (
	// ErrFailed says that the batch is complete and some videos failed.
	ErrFailed = errors.New("not all videos succeeded")

	// ErrTemporary says that the batch was stopped by something that has nothing to do with its videos: a full disk, a
	// lost device, another process on the same folder. The same call continues where this one stopped.
	ErrTemporary = errkind.ErrTemporary

	// ErrChanged says that a video was done from another input or with other options.
	ErrChanged = errors.New("changed since it was done")

	// ErrUnmeasured says that a video was done without Options.Stats.
	ErrUnmeasured = errors.New("was done without statistics")
)

// Run does what is missing of a batch. All inputs, outputs and options are checked before the first video; the error then
// lists all problems. The error is ErrFailed, ErrTemporary, or one of the pipeline's errors; a cancelled context gives
// its cause.
func Run(ctx context.Context, o Options) (Result, error) {
	begin := time.Now()
	if o.ExitCode == nil {
		o.ExitCode = func(error) int { return 1 }
	}
	if err := os.MkdirAll(o.Dir, 0o777); err != nil {
		return Result{}, errkind.Mark(pipeline.ErrOutput, err)
	}
	o.Stats = tableName(o.Stats, o.Part)
	held, err := lockFolder(o.Dir, o.Part)
	if err != nil {
		return Result{}, err
	}
	defer held.release()
	items, err := plan(ctx, o)
	if err != nil {
		return Result{}, err
	}
	events, err := journal.Open(journalPath(o.Dir, o.Part))
	if err != nil {
		return Result{}, temporary(err)
	}
	defer events.Close()
	b := &batch{Options: o, journal: events}
	if err := b.claimTable(); err != nil {
		return Result{}, temporary(err)
	}
	if err = b.run(ctx, items); err == nil {
		err = b.writeTable(items)
	}
	if n := len(b.result.Failed); err == nil && n > 0 {
		err = fmt.Errorf("%w: %d of %d failed", ErrFailed, n, len(items))
	}
	b.result.Seconds = time.Since(begin).Seconds()
	return b.result, err
}

// batch is a batch at work.
type batch struct {
	Options
	journal   *journal.Journal
	appending sync.Mutex // of journal
	result    Result
	networks  pipeline.Networks
	clock     clock
	cancel    context.CancelCauseFunc // ends the videos at work
	stopped   error                   // the first error that stopped the batch
}

// run does the videos. Those that fail are in the result.
func (b *batch) run(ctx context.Context, items []*item) error {
	var todo []*item
	var bytes int64
	b.result.Videos = len(items)
	for _, it := range items {
		switch it.decision {
		case skipDone:
			b.result.Skipped++
		case skipFailed:
			b.result.Failed = append(b.result.Failed, *it.last)
		default:
			todo = append(todo, it)
			b.clock.total += it.seconds
			bytes += it.bytes
		}
	}
	if b.Events.Planned != nil {
		b.Events.Planned(Plan{len(items), len(todo), b.result.Skipped, len(b.result.Failed), b.clock.total, bytes})
	}
	b.result.Left = len(todo)
	if len(todo) > 0 {
		var err error
		if b.networks, err = pipeline.OpenNetworks(b.Network); err != nil {
			return err
		}
		defer b.networks.Close()
	}
	b.clock.begin = time.Now()
	return b.work(ctx, todo)
}

// work does the videos. The end of each overlaps with the beginning of the next one.
func (b *batch) work(ctx context.Context, todo []*item) (err error) {
	ctx, b.cancel = context.WithCancelCause(ctx)
	defer b.cancel(nil)
	var last *work
	for i, it := range todo {
		if err = context.Cause(ctx); err != nil {
			break
		}
		if last, err = b.start(ctx, i+1, len(todo), it, last); err != nil {
			break
		}
	}
	if last != nil {
		<-last.ended
	}
	if b.stopped != nil {
		return b.stopped
	}
	return err
}

// append records an entry.
func (b *batch) append(e Entry) error {
	b.appending.Lock()
	defer b.appending.Unlock()
	e.Time = time.Now().UTC()
	return b.journal.Append(e)
}

// stops returns the error with which the batch ends if err has nothing to do with the video, otherwise nil.
func stops(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case pipeline.Temporary(err):
		return temporary(err)
	}
	return nil
}

func temporary(err error) error { return errkind.Mark(ErrTemporary, err) }

// clock foretells when the batch ends, from the length of the videos. What was done before this call does not count.
type clock struct {
	total, done float64 // seconds of video
	begin       time.Time
}

// at returns the share of the batch that is done, and the time left, when done of total images of a video are written.
func (c *clock) at(seconds float64, done, total int) (fraction float64, left time.Duration) {
	now := c.done
	if total > 0 {
		now += seconds * float64(done) / float64(total)
	}
	if now <= 0 || c.total <= 0 {
		return 0, 0
	}
	fraction = min(1, now/c.total)
	return fraction, time.Duration(float64(time.Since(c.begin)) * (1 - fraction) / fraction)
}

// fileSize returns the size of a file in bytes, -1 if there is none.
func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return -1
	}
	return info.Size()
}

// makeFolders creates the folder of each output.
func makeFolders(items []*item) error {
	for _, it := range items {
		if it.decision == todo {
			if err := os.MkdirAll(filepath.Dir(it.video.Output), fs.ModePerm); err != nil {
				return errkind.Mark(pipeline.ErrOutput, err)
			}
		}
	}
	return nil
}
