package batch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/internal/errkind"
	"github.com/wwflow/wwflow/parts"
	"github.com/wwflow/wwflow/pipeline"
)

// item is one video of a batch.
type item struct {
	video      pipeline.Options // with the paths of the output and of the exports
	name       string           // of the output, relative to the folder
	input      Input
	options    map[string]string
	seconds    float64 // length of the part that is read; 0 = unknown
	bytes      int64   // of the exported files that do not compress; 0 = unknown
	unreadable error
	last       *Entry // in the journals; nil for none
	decision   decision
}

type decision int

const (
	todo decision = iota
	skipDone
	skipFailed
)

// plan checks everything and decides what to do with each video of the part. It opens no network.
func plan(ctx context.Context, o Options) ([]*item, error) {
	if err := o.Part.Check(); err != nil {
		return nil, err
	}
	if len(o.Videos) == 0 {
		return nil, fmt.Errorf("%w: there are no videos", pipeline.ErrOptions)
	}
	card, err := flow.ReadCard(o.Network.ModelDir)
	if err != nil {
		return nil, err
	}
	journals, tables, err := readJournals(o.Dir)
	if err != nil {
		return nil, errkind.Mark(pipeline.ErrOutput, err)
	}
	var items []*item
	for _, v := range o.Videos {
		it := newItem(o, v, card)
		it.last = journals[it.name]
		items = append(items, it)
	}
	if err := refuse(append(clashes(o.Dir, items), checkTable(o, items, tables))); err != nil {
		return nil, err
	}
	if o.Part.Of > 0 {
		if err := probeAll(ctx, items, func(*item) bool { return true }); err != nil {
			return nil, err
		}
		items = deal(o.Part, items)
	}
	var problems []error
	for _, it := range items {
		problems = append(problems, it.decide(o))
	}
	if o.Part.Of == 0 {
		if err := probeAll(ctx, items, func(it *item) bool { return it.decision == todo }); err != nil {
			return nil, err
		}
	}
	for _, it := range items {
		if it.decision == todo && !o.KeepGoing {
			problems = append(problems, it.unreadable)
		}
	}
	if err := refuse(problems); err != nil {
		return nil, err
	}
	if err := makeFolders(items); err != nil {
		return nil, err
	}
	for _, it := range items {
		if it.decision != todo {
			continue
		}
		err := it.check(o)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", it.video.Output, err))
		}
		if o.Resume && errors.Is(err, pipeline.ErrOptions) {
			break // what segments cannot do is the same for all videos
		}
	}
	return items, refuse(problems)
}

// check finds what would make a video fail that is about its options and its output.
func (it *item) check(o Options) error {
	if o.Resume {
		return it.resumed(o).Check()
	}
	return it.video.Check()
}

// resumed are the options of a video in segments. What was begun is kept, unless the video failed: the cause may have been its input,
// which then may have changed.
func (it *item) resumed(o Options) parts.Options {
	failed := it.last != nil && it.last.State == Failed
	r := parts.Options{Video: it.video, Segment: o.Segment, Version: o.Version, Keep: !o.Force && !failed}
	r.Video.Network = o.Network
	return r
}

func newItem(o Options, v pipeline.Options, card flow.Card) *item {
	it := &item{name: filepath.Clean(v.Output)}
	it.video = v
	it.video.Measure, it.video.Stats = o.Stats != "", ""
	it.video.Output = filepath.Join(o.Dir, v.Output)
	it.video.Exports = slices.Clone(v.Exports)
	for i := range it.video.Exports {
		it.video.Exports[i].Dir = filepath.Join(o.Dir, v.Exports[i].Dir)
	}
	v.Network = o.Network
	it.options = v.Describe(card)
	it.input, it.unreadable = identify(v.Input)
	return it
}

// identify returns the identity of an input.
func identify(path string) (Input, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return Input{Path: path}, err
	}
	in := Input{Path: absolute}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("cannot read %s: %w", path, decode.ErrMissing)
	}
	if err != nil {
		return in, errkind.Mark(pipeline.ErrInput, err)
	}
	if !info.Mode().IsRegular() {
		return in, errkind.Mark(pipeline.ErrInput, fmt.Errorf("%s is not a regular file: a batch takes video files", path))
	}
	in.Bytes, in.Modified = info.Size(), info.ModTime().UTC()
	return in, nil
}

// clashes finds outputs that would overwrite each other or an input.
func clashes(dir string, items []*item) (problems []error) {
	inputs, outputs := map[string]bool{}, map[string]*item{}
	for _, it := range items {
		inputs[it.input.Path] = true
	}
	for _, it := range items {
		names := []string{it.video.Output}
		for _, e := range it.video.Exports {
			names = append(names, e.Dir)
		}
		for _, name := range names {
			absolute, _ := filepath.Abs(name)
			relative, err := filepath.Rel(dir, name)
			switch other := outputs[absolute]; {
			case err != nil || !filepath.IsLocal(relative) || relative == ".":
				problems = append(problems, fmt.Errorf("%w: the output %s of %s is outside the folder", pipeline.ErrOptions, it.name, it.video.Input))
			case other != nil:
				problems = append(problems, fmt.Errorf("%w: %s and %s have the same output %s", pipeline.ErrOptions, other.video.Input, it.video.Input, name))
			case inputs[absolute]:
				problems = append(problems, fmt.Errorf("%w: the output of %s is also an input: %s", pipeline.ErrOptions, it.video.Input, name))
			}
			outputs[absolute] = it
		}
	}
	return problems
}

// probeAll opens inputs to see whether they can be read and how long they are.
func probeAll(ctx context.Context, items []*item, chosen func(*item) bool) error {
	for _, it := range items {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if chosen(it) && it.unreadable == nil {
			it.seconds, it.bytes, it.unreadable = probe(ctx, it.video)
		}
	}
	return nil
}

// probe returns the length of the part of an input that will be read, in seconds, and about how many bytes its exported files will
// have; 0 = unknown.
func probe(ctx context.Context, v pipeline.Options) (seconds float64, bytes int64, err error) {
	d := v.Decode
	d.Uncounted, d.Hardware = true, "" // counting reads the whole file, starting a device takes long
	in, err := pipeline.Open(ctx, v.Input, d)
	if err != nil {
		return 0, 0, err
	}
	defer in.Close()
	info := in.Info()
	seconds = length(info, d)
	for _, e := range v.Exports {
		bytes += e.Bytes(info.Width, info.Height, int(seconds*info.FrameRate.Float()))
	}
	return seconds, bytes, nil
}

func length(info decode.Info, o decode.Options) float64 {
	d := max(0, info.Duration-o.Start)
	if o.Duration > 0 {
		d = min(d, o.Duration)
	}
	if rate := info.FrameRate.Float(); o.Frames > 0 && rate > 0 {
		d = min(d, time.Duration(float64(o.Frames)/rate*float64(time.Second)))
	}
	return d.Seconds()
}

// decide chooses what to do with a video by its last entry. A video that the batch has begun may have an output, which is
// replaced: outputs appear only when they are complete, but the end may be missing in the journal.
func (it *item) decide(o Options) error {
	it.video.Encode.Force = o.Force || it.last != nil
	switch {
	case it.last == nil || it.last.State == Started || it.last.State == Stopped:
		return nil
	case it.last.State == Failed:
		if !o.RetryFailed && !o.Force {
			it.decision = skipFailed
		}
		return nil
	}
	size := fileSize(it.video.Output)
	changes := it.changes()
	if size >= 0 && size != it.last.Bytes {
		changes = append(changes, fmt.Sprintf("the size of the output was %d bytes, is %d", it.last.Bytes, size))
	}
	unmeasured := o.Stats != "" && it.last.Motion == nil
	switch {
	case unmeasured && size >= 0 && len(changes) == 0 && !o.Force:
		return errkind.Mark(pipeline.ErrOutput, fmt.Errorf("%s %w", it.video.Output, ErrUnmeasured))
	case len(changes) > 0 && !o.Force:
		return errkind.Mark(pipeline.ErrOutput, fmt.Errorf("%s has %w: %s", it.video.Output, ErrChanged, strings.Join(changes, "; ")))
	case len(changes) == 0 && size >= 0 && !unmeasured:
		it.decision = skipDone
	}
	return nil
}

// changes names the differences between a video and its last entry.
func (it *item) changes() (list []string) {
	was, is := it.last.Input, it.input
	if a, b := filepath.Base(was.Path), filepath.Base(is.Path); a != b {
		list = append(list, fmt.Sprintf("the input was %s, is %s", was.Path, is.Path))
	}
	if was.Bytes != is.Bytes {
		list = append(list, fmt.Sprintf("the size of the input was %d bytes, is %d", was.Bytes, is.Bytes))
	}
	if !was.Modified.Equal(is.Modified) {
		list = append(list, fmt.Sprintf("the input was modified at %s, now at %s", was.Modified.Format(time.RFC3339Nano), is.Modified.Format(time.RFC3339Nano)))
	}
	keys := maps.Clone(it.options)
	maps.Copy(keys, it.last.Options)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if a, b := it.last.Options[key], it.options[key]; a != b {
			list = append(list, fmt.Sprintf("%s was %s, is %s", key, orDefault(a), orDefault(b)))
		}
	}
	return list
}

func orDefault(s string) string {
	if s == "" {
		return "the default"
	}
	return s
}

// refusal is the list of all problems that were found before the first video.
type refusal struct{ problems []error }

// refuse returns nil if there is no problem; nil errors do not count.
func refuse(problems []error) error {
	problems = slices.DeleteFunc(problems, func(err error) bool { return err == nil })
	if len(problems) == 0 {
		return nil
	}
	return &refusal{problems}
}

// listed is how many problems the text of a refusal names.
const listed = 20

func (r *refusal) Error() string {
	if len(r.problems) == 1 {
		return r.problems[0].Error()
	}
	lines := []string{fmt.Sprintf("%d problems; nothing was started:", len(r.problems))}
	for _, err := range r.problems[:min(len(r.problems), listed)] {
		lines = append(lines, "  "+err.Error())
	}
	if n := len(r.problems) - listed; n > 0 {
		lines = append(lines, fmt.Sprintf("  and %d more", n))
	}
	return strings.Join(lines, "\n")
}

func (r *refusal) Unwrap() []error { return r.problems }
