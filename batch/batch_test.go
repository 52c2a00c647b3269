package batch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/internal/testutil"
	"github.com/wwflow/wwflow/parts"
	"github.com/wwflow/wwflow/pipeline"
)

// TestContinuesAfterFailure has a video of one frame, which has no pair, between two good ones. It is skipped by the next
// call, tried again with RetryFailed, and done when it is longer.
func TestContinuesAfterFailure(t *testing.T) {
	folder, o := clips(t, 4, 1, 5)
	ended, r, err := watched(t.Context(), o)
	equal(t, "first call", ended, "a-flow.mkv done", "b-flow.mkv failed", "c-flow.mkv done")
	if !errors.Is(err, ErrFailed) || r.Done != 2 || r.Frames != 3+4 || len(r.Failed) != 1 || r.Failed[0].ExitCode != 3 || !strings.Contains(r.Failed[0].Error, "1 frame") {
		t.Errorf("%+v, %v", r, err)
	}
	equal(t, "journal", sorted(states(t, filepath.Join(o.Dir, "wwflow-batch.jsonl"))), "a-flow.mkv started", "a-flow.mkv done",
		"b-flow.mkv started", "b-flow.mkv failed", "c-flow.mkv started", "c-flow.mkv done")
	ended, r, err = watched(t.Context(), o)
	equal(t, "second call", ended)
	if !errors.Is(err, ErrFailed) || r.Done != 0 || r.Skipped != 2 || len(r.Failed) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	o.RetryFailed = true
	ended, _, err = watched(t.Context(), o)
	equal(t, "with RetryFailed", ended, "b-flow.mkv failed")
	if !errors.Is(err, ErrFailed) {
		t.Error(err)
	}
	if err := os.Remove(filepath.Join(folder, "in", "b.mkv")); err != nil {
		t.Fatal(err)
	}
	writeClip(t, filepath.Join(folder, "in", "b.mkv"), 3, 1)
	ended, r, err = watched(t.Context(), o)
	equal(t, "after the repair", ended, "b-flow.mkv done")
	if err != nil || r.Skipped != 2 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestDoesWhatIsMissing removes an output and runs again.
func TestDoesWhatIsMissing(t *testing.T) {
	_, o := clips(t, 3, 4)
	if _, _, err := watched(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	want := tree(t, o.Dir)
	if err := os.Remove(filepath.Join(o.Dir, "a-flow.mkv")); err != nil {
		t.Fatal(err)
	}
	o.Network.Device = "cpu"
	ended, _, err := watched(t.Context(), o)
	equal(t, "second call", ended, "a-flow.mkv done")
	if got := tree(t, o.Dir); err != nil || got["a-flow.mkv"] != want["a-flow.mkv"] {
		t.Errorf("%v; the output differs: %v", err, got["a-flow.mkv"] != want["a-flow.mkv"])
	}
}

// TestRefusesChanges changes what a video was done from. The difference is named, and Force does the video again.
func TestRefusesChanges(t *testing.T) {
	for name, c := range map[string]struct {
		change func(t *testing.T, input, output string, o *Options)
		want   string
	}{
		"size": {func(t *testing.T, input, _ string, _ *Options) { writeClipOver(t, input, 7) }, "the size of the input was"},
		"time": {func(t *testing.T, input, _ string, _ *Options) {
			if err := os.Chtimes(input, time.Time{}, time.Unix(1e9, 0)); err != nil {
				t.Fatal(err)
			}
		}, "now at 2001-09-09"},
		"option":  {func(_ *testing.T, _, _ string, o *Options) { o.Videos[0].Step = 2 }, "step was the default, is 2"},
		"network": {func(_ *testing.T, _, _ string, o *Options) { o.Network.ModelDir = "../flow/testdata/half" }, "network was "},
		"output":  {func(t *testing.T, _, output string, _ *Options) { writeClipOver(t, output, 7) }, "the size of the output was"},
	} {
		folder, o := clips(t, 4)
		if _, _, err := watched(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		c.change(t, filepath.Join(folder, "in", "a.mkv"), filepath.Join(o.Dir, "a-flow.mkv"), &o)
		before := tree(t, o.Dir)
		ended, _, err := watched(t.Context(), o)
		if !errors.Is(err, ErrChanged) || !errors.Is(err, pipeline.ErrOutput) || !strings.Contains(err.Error(), c.want) || len(ended) > 0 {
			t.Errorf("%s: %v, %v; want %q", name, ended, err, c.want)
		}
		if got := tree(t, o.Dir); got["a-flow.mkv"] != before["a-flow.mkv"] {
			t.Errorf("%s: the output has changed", name)
		}
		o.Force = true
		ended, _, err = watched(t.Context(), o)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		equal(t, name, ended, "a-flow.mkv done")
	}
}

func writeClipOver(t *testing.T, path string, frames int) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	writeClip(t, path, frames, 3)
}

// TestChecksEverythingFirst has one problem in the last video. Nothing is done, and all problems are named.
func TestChecksEverythingFirst(t *testing.T) {
	for name, c := range map[string]struct {
		break_ func(o *Options)
		want   error
	}{
		"input":  {func(o *Options) { o.Videos[1].Input = "none.mkv" }, fs.ErrNotExist},
		"format": {func(o *Options) { o.Videos[1].Input = "batch.go" }, pipeline.ErrInput},
		"folder": {func(o *Options) { o.Videos[1].Input = "." }, pipeline.ErrInput},
		"option": {func(o *Options) { o.Videos[1].MinConfidence = 2 }, pipeline.ErrOptions},
		"codec":  {func(o *Options) { o.Videos[1].Encode.Codec = "abacus" }, encode.ErrUnknown},
		"exists": {func(o *Options) {
			_ = os.MkdirAll(o.Dir, 0o777)
			_ = os.WriteFile(filepath.Join(o.Dir, "b-flow.mkv"), nil, 0o666)
		}, encode.ErrExists},
		"clash":         {func(o *Options) { o.Videos[1].Output = "x/../a-flow.mkv" }, pipeline.ErrOptions},
		"outside":       {func(o *Options) { o.Videos[1].Output = "../b.mkv" }, pipeline.ErrOptions},
		"part":          {func(o *Options) { o.Part = parts.Part{Number: 3, Of: 2} }, pipeline.ErrOptions},
		"output, input": {func(o *Options) { o.Dir = filepath.Dir(o.Videos[0].Input); o.Videos[0].Output = "b.mkv" }, pipeline.ErrOptions},
	} {
		_, o := clips(t, 3, 3)
		c.break_(&o)
		ended, r, err := watched(t.Context(), o)
		if !errors.Is(err, c.want) || len(ended) > 0 || r.Videos != 0 {
			t.Errorf("%s: %v, %+v, %v", name, ended, r, err)
		}
		if _, err := os.Stat(filepath.Join(o.Dir, "a-flow.mkv")); err == nil {
			t.Errorf("%s: the first video was done", name)
		}
	}
	_, o := clips(t, 3, 3, 3)
	o.Videos[0].Input, o.Videos[2].Input = "none.mkv", "neither.mkv"
	_, err := Run(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), "none.mkv") || !strings.Contains(err.Error(), "neither.mkv") {
		t.Errorf("not all problems are named: %v", err)
	}
	o.KeepGoing = true
	ended, _, err := watched(t.Context(), o)
	equal(t, "with KeepGoing", ended, "a-flow.mkv failed", "b-flow.mkv done", "c-flow.mkv failed")
	if !errors.Is(err, ErrFailed) {
		t.Error(err)
	}
}

// TestOpensNetworkOnce deletes the network's folder after the first video.
func TestOpensNetworkOnce(t *testing.T) {
	_, o := clips(t, 3, 3, 3)
	o.Network.ModelDir = filepath.Join(t.TempDir(), "network")
	if err := os.CopyFS(o.Network.ModelDir, os.DirFS(fakeNetwork().ModelDir)); err != nil {
		t.Fatal(err)
	}
	for i := range o.Videos {
		o.Videos[i].Network = o.Network
	}
	o.Events.Started = func(int, pipeline.Plan) { _ = os.RemoveAll(o.Network.ModelDir) }
	if _, r, err := watched(t.Context(), o); err != nil || r.Done != 3 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestStops cancels a batch in its second video. The next call does the second and the third.
func TestStops(t *testing.T) {
	_, o := clips(t, 3, 6, 3)
	why := errors.New("preempted")
	ctx, cancel := context.WithCancelCause(t.Context())
	stopping := o
	stopping.Events.Written = func(p Progress) {
		if p.Video == 2 && p.Frames == 2 {
			cancel(why)
		}
	}
	ended, r, err := watched(ctx, stopping)
	equal(t, "first call", ended, "a-flow.mkv done")
	if !errors.Is(err, why) || r.Left != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	equal(t, "files", names(tree(t, o.Dir)), "a-flow.mkv")
	ended, _, err = watched(t.Context(), o)
	equal(t, "second call", ended, "b-flow.mkv done", "c-flow.mkv done")
	if err != nil {
		t.Error(err)
	}
}

// TestOverlap holds the last image of each video back until the next video was begun. Events stay in the order of the videos.
func TestOverlap(t *testing.T) {
	_, o := clips(t, 4, 4, 4)
	path := journalPath(o.Dir, parts.Part{})
	var order []int
	o.Events.Started = func(n int, _ pipeline.Plan) { order = append(order, n) }
	o.Events.Ended = func(n int, _ Entry) { order = append(order, n) }
	o.Events.Written = func(p Progress) {
		order = append(order, p.Video)
		if p.Frames < p.Total || p.Video == p.Videos {
			return
		}
		next := string(rune('a'+p.Video)) + "-flow.mkv started"
		for begin := time.Now(); !slices.Contains(states(t, path), next); time.Sleep(time.Millisecond) {
			if time.Since(begin) > 20*time.Second {
				t.Errorf("%s is written, and the next one is not begun", p.Output)
				return
			}
		}
	}
	if r, err := Run(t.Context(), o); err != nil || r.Done != 3 || r.Left != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if want := []int{1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3}; !slices.Equal(order, want) {
		t.Errorf("the videos of the events are %v, want %v", order, want)
	}
}

func TestStopsForTemporaryFailures(t *testing.T) {
	for err, want := range map[error]bool{
		&os.PathError{Op: "write", Err: syscall.ENOSPC}: true,
		pipeline.ErrTooShort:                            false,
	} {
		if got := errors.Is(stops(t.Context(), err), ErrTemporary); got != want {
			t.Errorf("%v stops the batch: %v", err, got)
		}
	}
}

// TestProgress checks that the share of the batch grows to 1 and that time left goes to 0.
func TestProgress(t *testing.T) {
	_, o := clips(t, 5, 5)
	last := Progress{Fraction: -1}
	o.Events.Written = func(p Progress) {
		if p.Fraction <= last.Fraction || p.Videos != 2 || p.Total != 4 {
			t.Errorf("%+v after %+v", p, last)
		}
		last = p
	}
	if _, err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if last.Fraction < 0.999 || last.Left > time.Second || last.Video != 2 {
		t.Errorf("the last progress is %+v", last)
	}
	c := clock{total: 10, begin: time.Now().Add(-2 * time.Second)}
	if fraction, left := c.at(4, 1, 2); fraction != 0.2 || left.Round(time.Second) != 8*time.Second {
		t.Errorf("2 of 10 seconds of video after 2 s: %v, %v left, want 8 s", fraction, left)
	}
}

// manyClips is the number of clips of TestResourcesStayFlat. WWFLOW_CLIPS sets it.
var manyClips = testutil.Count("WWFLOW_CLIPS", 200)

// TestResourcesStayFlat compares open files and memory early and late in a batch of many clips.
func TestResourcesStayFlat(t *testing.T) {
	folder := t.TempDir()
	clip := filepath.Join(folder, "clip.mkv")
	writeClip(t, clip, 3, 1)
	if err := os.Mkdir(filepath.Join(folder, "in"), 0o777); err != nil {
		t.Fatal(err)
	}
	for i := range manyClips {
		if err := os.Link(clip, filepath.Join(folder, "in", fmt.Sprintf("%04d.mkv", i))); err != nil {
			t.Fatal(err)
		}
	}
	o := collect(t, filepath.Join(folder, "out"), filepath.Join(folder, "in"))
	type use struct {
		files  int
		memory int64
	}
	var early, late use
	o.Events.Ended = func(n int, _ Entry) {
		switch n {
		case 60:
			early = use{openFiles(t), testutil.ResidentMemory(t)}
		case manyClips:
			late = use{openFiles(t), testutil.ResidentMemory(t)}
		}
	}
	before := openFiles(t)
	if r, err := Run(t.Context(), o); err != nil || r.Done != manyClips {
		t.Fatalf("%+v, %v", r, err)
	}
	if after := openFiles(t); after > before+20 { // the checks before the first video open each input
		t.Errorf("%d files are open before the batch, %d after it", before, after)
	}
	t.Logf("%+v after 60 videos, %+v after %d", early, late, manyClips)
	if late.files > early.files || late.memory-early.memory > 10e6 || early.files == 0 {
		t.Errorf("%+v after 60 videos, %+v after %d", early, late, manyClips)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
