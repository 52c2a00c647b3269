package batch

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/internal/journal"
	"github.com/wwflow/wwflow/internal/testutil/cliptest"
	"github.com/wwflow/wwflow/parts"
	"github.com/wwflow/wwflow/pipeline"
)

// resuming are the options of a batch in segments.
func resuming(o Options) Options {
	o.Resume, o.Segment, o.Version = true, segment, "test"
	return o
}

// stoppedAt runs a batch until a video has so many images.
func stoppedAt(t *testing.T, o Options, video, images int) {
	t.Helper()
	why := errors.New("preempted")
	ctx, cancel := context.WithCancelCause(t.Context())
	o.Events.Written = func(p Progress) {
		if p.Video == video && p.Frames == images {
			cancel(why)
		}
	}
	ended, r, err := watched(ctx, o)
	if !errors.Is(err, why) || r.Left != r.Videos-video+1 || len(ended) != video-1 || o.Part.Of == 0 && r.Videos != len(o.Videos) {
		t.Fatalf("%v, %+v, %v", ended, r, err)
	}
}

// TestResume stops a batch within its second video. The next call continues there: it makes the images that are missing, in the batch
// and in its progress. The outputs have the frames and times of a batch in one piece, and no folder is left.
func TestResume(t *testing.T) {
	const frames, stop = 40, 25
	_, o := clips(t, 10, frames, 10)
	if _, err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for name := range tree(t, o.Dir) {
		want[name] = pictures(t, filepath.Join(o.Dir, name))
	}
	o = resuming(o)
	if err := os.RemoveAll(o.Dir); err != nil {
		t.Fatal(err)
	}
	stoppedAt(t, o, 2, stop)
	if _, err := os.Stat(parts.Folder(filepath.Join(o.Dir, "b-flow.mkv"))); err != nil {
		t.Fatal(err)
	}
	var kept parts.Continued
	o.Events.Continued = func(n int, output string, c parts.Continued) {
		if n != 1 || output != "b-flow.mkv" {
			t.Errorf("video %d, %s is continued", n, output)
		}
		kept = c
	}
	var first, last Progress
	o.Events.Written = func(p Progress) {
		if first.Frames == 0 {
			first = p
		}
		last = p
	}
	ended, r, err := watched(t.Context(), o)
	equal(t, "second call", ended, "b-flow.mkv done", "c-flow.mkv done")
	if err != nil || kept.Done < stop || kept.Of != frames-1 || r.Frames != frames-1-kept.Done+9 {
		t.Errorf("continued after %+v: %+v, %v", kept, r, err)
	}
	// The first image that is written is one of those that are missing, and images of before do not count.
	if most := 1.5 / float64(frames-1-kept.Done+9); first.Frames != kept.Done+1 || first.Total != frames-1 || first.Fraction > most {
		t.Errorf("the first progress is %+v after %+v, want a fraction of at most %v", first, kept, most)
	}
	if last.Fraction < 0.999 || last.Fraction > 1 {
		t.Errorf("the last progress is %+v", last)
	}
	equal(t, "files", names(tree(t, o.Dir)), names(want)...)
	for name := range want {
		if pictures(t, filepath.Join(o.Dir, name)) != want[name] {
			t.Errorf("%s has other frames or times", name)
		}
	}
}

// pictures returns a hash of the frames of a video and their times.
func pictures(t *testing.T, path string) string {
	t.Helper()
	sum := sha256.New()
	frames, _ := cliptest.Read(t, path, decode.Options{})
	for _, f := range frames {
		fmt.Fprintln(sum, f.PTS)
		sum.Write(f.Pix)
	}
	return string(sum.Sum(nil))
}

// TestResumeRefuses has work that was begun with other options or another network, and options that segments cannot have. Nothing is
// done, and what was begun stays. With Force it is begun again.
func TestResumeRefuses(t *testing.T) {
	folder, o := clips(t, 20, 4)
	o = resuming(o)
	stoppedAt(t, o, 1, 10)
	before := tree(t, o.Dir)
	for name, c := range map[string]struct {
		change func(o *Options)
		want   error
		text   string
	}{
		"option":  {func(o *Options) { o.Videos[0].Step = 2 }, parts.ErrChanged, "step was the default, is 2"},
		"network": {func(o *Options) { o.Network.ModelDir = "../flow/testdata/half" }, parts.ErrChanged, "network was "},
		"whole": {func(o *Options) { o.Videos[1].Exports = []pipeline.Export{{Format: pipeline.NPZ, Dir: "npz"}} },
			pipeline.ErrOptions, "npz has one file for the whole video, which cannot be written in segments; export npy"},
		"target": {func(o *Options) {
			o.Videos[1].Exports = []pipeline.Export{{Format: flowfile.EXR, Dir: "exr", For: "nuke"}}
		},
			pipeline.ErrOptions, "files for nuke need the pairs before them"},
		"table": {func(o *Options) { o.Stats = filepath.Join(folder, "table.csv") },
			pipeline.ErrOptions, "statistics are of the whole video, and segments have a part of it; use wwflow stats"},
		"segment": {func(o *Options) { o.Segment = -1 }, pipeline.ErrOptions, "segments of -1 pairs"},
	} {
		changed := o
		changed.Videos = slices.Clone(o.Videos)
		c.change(&changed)
		ended, r, err := watched(t.Context(), changed)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), "problems") || len(ended) > 0 || r.Videos != 0 {
			t.Errorf("%s: %v, %+v, %v", name, ended, r, err)
		}
		if got := tree(t, o.Dir); !maps.Equal(got, before) {
			t.Errorf("%s: the files have changed: %v, before %v", name, names(got), names(before))
		}
	}
	o.Videos[0].Step, o.Force = 2, true
	ended, _, err := watched(t.Context(), o)
	equal(t, "with Force", ended, "a-flow.mkv done", "b-flow.mkv done")
	if err != nil {
		t.Error(err)
	}
	equal(t, "files", names(tree(t, o.Dir)), "a-flow.mkv", "b-flow.mkv")
}

// TestResumeAfterFailure has a video that failed after its first segments. With other options it is begun again, as its input may have
// changed.
func TestResumeAfterFailure(t *testing.T) {
	_, o := clips(t, 20)
	o = resuming(o)
	stoppedAt(t, o, 1, 10)
	path := journalPath(o.Dir, parts.Part{})
	j, err := journal.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if err := j.Append(Entry{State: Failed, Output: "a-flow.mkv"}); err != nil {
		t.Fatal(err)
	}
	o.Videos[0].Step, o.RetryFailed = 2, true
	o.Events.Continued = func(int, string, parts.Continued) { t.Error("it continues") }
	ended, r, err := watched(t.Context(), o)
	equal(t, "retried", ended, "a-flow.mkv done")
	if err != nil || r.Frames != 18 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestResumeParts stops one part of a batch within its video, while the other part does its own. The next call of the part continues
// there, and the whole batch then finds everything done.
func TestResumeParts(t *testing.T) {
	const frames, stop = 40, 25
	_, o := clips(t, frames, frames-1)
	o = resuming(o)
	first, second := o, o
	first.Part, second.Part = parts.Part{Number: 1, Of: 2}, parts.Part{Number: 2, Of: 2}
	stoppedAt(t, first, 1, stop)
	work := parts.Folder(filepath.Join(o.Dir, "a-flow.mkv"))
	begun := tree(t, work)
	ended, _, err := watched(t.Context(), second)
	equal(t, "the other part", ended, "b-flow.mkv done")
	if got := tree(t, work); err != nil || len(begun) == 0 || !maps.Equal(got, begun) {
		t.Errorf("the other part changed what was begun: %v, before %v, %v", names(got), names(begun), err)
	}
	var kept parts.Continued
	first.Events.Continued = func(_ int, _ string, c parts.Continued) { kept = c }
	ended, r, err := watched(t.Context(), first)
	equal(t, "continued", ended, "a-flow.mkv done")
	if err != nil || kept.Done < stop || r.Frames != frames-1-kept.Done {
		t.Errorf("continued after %+v: %+v, %v", kept, r, err)
	}
	if ended, r, err := watched(t.Context(), o); err != nil || len(ended) > 0 || r.Skipped != 2 {
		t.Errorf("the whole after its parts: %v, %+v, %v", ended, r, err)
	}
}
