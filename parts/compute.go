package parts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/internal/errkind"
	"github.com/wwflow/wwflow/internal/filelock"
	"github.com/wwflow/wwflow/pipeline"
)

// Compute makes one part of a video, or what is missing of it, in the folder Options.Dir. A part that is complete is no error. With
// pipeline.ErrStopped the same call continues. Failures that may pass match errkind.ErrTemporary.
func Compute(ctx context.Context, o Options) (result pipeline.Result, err error) {
	defer func() { err = temporary(err) }()
	if err := o.Part.Check(); err != nil {
		return pipeline.Result{}, err
	}
	if o.Retiming != nil {
		return pipeline.Result{}, fmt.Errorf("%w: a video is retimed in one part", pipeline.ErrOptions)
	}
	if err := o.checkVideo(); err != nil {
		return pipeline.Result{}, err
	}
	if err := os.MkdirAll(o.Dir, 0o777); err != nil {
		return pipeline.Result{}, errkind.Mark(pipeline.ErrOutput, err)
	}
	w, err := begin(ctx, o, o.Dir, o.Part)
	defer w.end()
	if err != nil {
		return pipeline.Result{}, err
	}
	if started := w.Video.Events.Started; started != nil {
		w.Video.Events.Started = func(p pipeline.Plan) {
			p.Output = w.Options.Dir
			started(p)
		}
	}
	if err := w.share(ctx); err != nil {
		return pipeline.Result{}, err
	}
	if err := w.compute(ctx); err != nil {
		return w.result(), err
	}
	return w.result(), w.sizeChanged()
}

// checkVideo finds mistakes that need no input.
func (o Options) checkVideo() error {
	v := o.Video
	if v.Output == "-" || strings.HasSuffix(v.Output, "/") || strings.EqualFold(filepath.Ext(v.Output), ".png") {
		return fmt.Errorf("%w: segments make a video file, not images or a stream", pipeline.ErrOptions)
	}
	e := v.Encode
	e.Force = true // checkOutput looks at it
	if err := encode.Check(v.Output, e); err != nil {
		return errkind.Mark(pipeline.ErrOutput, err)
	}
	if _, _, err := encode.ForSegments(v.Output, v.Encode); err != nil { // a folder
		return err
	}
	for _, e := range v.Exports {
		switch {
		case e.WholeVideo():
			return fmt.Errorf("%w: %s has one file for the whole video, which cannot be written in segments; export npy", pipeline.ErrOptions, e.Format)
		case e.For != "":
			return fmt.Errorf("%w: files for %s need the pairs before them, which other segments have; leave out --resume and --part", pipeline.ErrOptions, e.For)
		}
	}
	if v.Stats != "" || v.Measure {
		return fmt.Errorf("%w: statistics are of the whole video, and segments have a part of it; use wwflow stats", pipeline.ErrOptions)
	}
	if o.Segment < 0 {
		return fmt.Errorf("%w: segments of %d pairs", pipeline.ErrOptions, o.Segment)
	}
	if o.Retiming != nil {
		return o.Retiming.Check()
	}
	return nil
}

// work is a part at work.
type work struct {
	Options
	lock   *filelock.Lock
	m      *manifest
	header *Header // of this call
	begin  time.Time
	total  pipeline.Result // of this call's sections
	before int             // images that were done before this call
}

// begin locks a part, compares its manifest with the options, and checks its segments. end has to be called after an error too.
func begin(ctx context.Context, o Options, dir string, p Part) (w *work, err error) {
	w = &work{Options: o, begin: time.Now()}
	if w.lock, err = filelock.Acquire(fileOf(dir, p, ".lock"), false); err != nil {
		return w, errkind.Mark(pipeline.ErrOutput, err)
	}
	if w.m, err = readManifest(dir, p); err != nil {
		return w, errkind.Mark(pipeline.ErrOutput, err)
	}
	if w.header, err = describe(o, p); err != nil {
		return w, err
	}
	if err := w.m.changed(w.header); err != nil {
		if !o.beginsAgain() {
			return w, errkind.Mark(pipeline.ErrOutput, err)
		}
		if err := w.m.remove(); err != nil {
			return w, errkind.Mark(pipeline.ErrOutput, err)
		}
		w.m = &manifest{dir: dir, part: p}
	}
	if w.m.header != nil {
		w.header = w.m.header
		w.Video.Paint.MaxFlow = w.header.MaxFlow
	}
	return w, w.verify(ctx)
}

// beginsAgain reports whether work that has changed is thrown away.
func (o Options) beginsAgain() bool { return o.Video.Encode.Force && !o.Keep }

// end releases the lock. Where nothing was recorded nothing is left.
func (w *work) end() {
	if w.lock != nil && w.m != nil && w.m.header == nil {
		_ = os.Remove(fileOf(w.m.dir, w.m.part, ".lock"))
	}
	w.m.close()
	w.lock.Release()
}

// verify drops the segments that are not as they were recorded, and reports what is left.
func (w *work) verify(ctx context.Context) error {
	var kept []*Segment
	var problems []string
	exported := make([]map[int]bool, len(w.Video.Exports))
	for i, e := range w.Video.Exports {
		var err error
		if exported[i], err = e.Complete(); err != nil {
			return errkind.Mark(pipeline.ErrOutput, err)
		}
	}
	for _, s := range w.m.segments {
		err := w.m.check(ctx, s)
		for i, e := range w.Video.Exports {
			if err == nil {
				err = s.checkExport(e.Dir, exported[i])
			}
		}
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			problems = append(problems, err.Error())
		default:
			kept = append(kept, s)
		}
	}
	w.m.segments = kept
	w.before = w.m.frames()
	if w.Continued != nil && (w.before > 0 || len(problems) > 0) {
		w.Continued(Continued{w.before, w.images(), problems})
	}
	return nil
}

// images is the number of images of the part; 0 = unknown.
func (w *work) images() int {
	switch {
	case w.Retiming != nil:
		return w.header.Images
	case w.header.End == 0:
		return 0
	}
	return w.header.End - w.header.First
}

// check returns an error for a segment whose file is not complete.
func (m *manifest) check(ctx context.Context, s *Segment) error {
	if s.File == "" {
		return nil
	}
	info, err := os.Stat(m.path(s))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s is missing", m.path(s))
	case err != nil:
		return err
	case info.Size() != s.Bytes:
		return fmt.Errorf("%s has %d bytes, not %d", m.path(s), info.Size(), s.Bytes)
	}
	return encode.CheckSegment(ctx, m.encoded(s))
}

// checkExport returns an error if files of the flow are missing. exported are the numbers of the frames whose files are there.
func (s *Segment) checkExport(dir string, exported map[int]bool) error {
	n := 0
	for i := s.Images[0]; i <= s.Images[1] && s.Frames > 0; i++ {
		if exported[i] {
			n++
		}
	}
	if n < s.Frames {
		return fmt.Errorf("%s lacks the flow of %d of the frames %d to %d", dir, s.Frames-n, s.Images[0], s.Images[1])
	}
	return nil
}

// share fills in which pairs are the part's, in the header.
func (w *work) share(ctx context.Context) error {
	if w.m.header != nil {
		return nil
	}
	d := w.Video.Decode
	d.Hardware = ""
	in, err := pipeline.Open(ctx, w.Video.Input, d)
	if err != nil {
		return err
	}
	defer in.Close()
	info := in.Info()
	if !info.FramesExact {
		return errkind.Mark(pipeline.ErrInput, fmt.Errorf("%s does not tell how many frames it has, so it cannot be divided into parts; convert it first, such as with ffmpeg -i %s -c copy new.mkv",
			w.Video.Input, w.Video.Input))
	}
	pairs := info.Frames - w.unpaired()
	if pairs < w.Part.Of {
		return fmt.Errorf("%w: %d parts are more than the %d pairs of frames", pipeline.ErrOptions, w.Part.Of, max(0, pairs))
	}
	w.header.Frames = info.Frames
	w.header.First, w.header.End = w.Part.share(pairs)
	return nil
}

// compute makes the missing segments.
func (w *work) compute(ctx context.Context) error {
	end := w.header.End
	if w.m.ended != nil {
		end = w.m.ended.End
	}
	missing := w.m.missing(w.header.First, end)
	if len(missing) == 0 {
		return nil
	}
	if w.Video.Networks == nil {
		networks, err := pipeline.OpenNetworks(w.Video.Network)
		if err != nil {
			return err
		}
		defer networks.Close()
		w.Video.Networks = networks
	}
	estimated := w.Video.Events.Estimated
	for i, s := range missing {
		if w.Video.Events.Estimated = nil; i == len(missing)-1 {
			w.Video.Events.Estimated = estimated
		}
		if err := w.section(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// section makes the segments of a run of pairs.
func (w *work) section(ctx context.Context, s span) error {
	v := w.Video
	begin := time.Now()
	done := w.m.frames()
	v.Events.Written = func(n, _ int) {
		if w.Video.Events.Written != nil {
			total := w.images()
			if total > 0 {
				total = max(total, done+n)
			}
			w.Video.Events.Written(done+n, total)
		}
	}
	var encoding encode.Options
	result, err := w.run(ctx, v, pipeline.Section{First: s.first, End: s.end, Stop: w.Stop,
		Begin: func(opened pipeline.Opened) error {
			encoding = opened.Encode
			return w.begun(opened)
		},
		Create: func(ctx context.Context) (pipeline.Sink, error) {
			return newSink(ctx, w.m, w.Video.Output, encoding, s.first, w.Segment, begin)
		}})
	w.add(result)
	var size *decode.SizeError
	switch {
	case errors.As(err, &size) && w.m.header != nil:
		return w.finish(s, size.Error())
	case errors.Is(err, decode.ErrWindow) && s.first > 0 && s.end == 0:
		return w.finish(s, "") // the work was stopped right at the end
	case errors.Is(err, decode.ErrNoFrames) && s.first > 0: // all frames up to the end are damaged
		if err := w.writeHeader(); err != nil {
			return err
		}
		return w.finish(s, "")
	case err != nil:
		return err
	}
	return w.finish(s, "")
}

// begun writes the header, unless an earlier call has, before any other file of the part is written.
func (w *work) begun(opened pipeline.Opened) error {
	w.Video.Paint.MaxFlow = opened.MaxFlow // of the sections that follow
	if w.m.header != nil {
		return nil
	}
	e, _, err := encode.ForSegments(w.Video.Output, opened.Encode)
	if err != nil {
		return err
	}
	w.header.MaxFlow, w.header.Images = opened.MaxFlow, opened.Images
	w.header.Video = &Video{Codec: e.Codec, Width: e.Width, Height: e.Height, TimeBase: e.TimeBase, FrameRate: e.FrameRate, SampleAspect: e.SampleAspect,
		Origin: e.Origin, Start: e.Start, Duration: e.Duration, Shortest: e.Shortest, Copies: e.CopyFrom != ""}
	if opened.Info.FramesExact && w.header.End == 0 {
		w.header.Frames, w.header.End = opened.Info.Frames, opened.Info.Frames-w.unpaired()
	}
	return w.writeHeader()
}

// writeHeader records the header, unless an earlier call has.
func (w *work) writeHeader() error {
	if w.m.header != nil {
		return nil
	}
	if err := w.m.append(record{Header: w.header}); err != nil {
		return err
	}
	w.m.header = w.header
	return nil
}

// finish records that a section has no more images: those of its last pairs are missing because of damaged frames, or because the
// input has ended.
func (w *work) finish(s span, size string) error {
	next := s.first
	for _, g := range w.m.segments {
		if g.First >= s.first && (s.end == 0 || g.End <= s.end) {
			next = max(next, g.End)
		}
	}
	if s.end == 0 && size == "" {
		s.end = w.header.End // it was not known when the section was begun
	}
	if s.end == 0 || size != "" {
		w.m.ended = &ended{next, size}
		return w.m.append(record{Ended: w.m.ended})
	}
	if next < s.end {
		g := &Segment{First: next, End: s.end}
		w.m.add(g)
		return w.m.append(record{Segment: g})
	}
	return nil
}

// add adds the result of a section.
func (w *work) add(r pipeline.Result) {
	t := &w.total
	t.Frames += r.Frames
	t.Cuts += r.Cuts
	t.Damaged += r.Damaged
	t.DamagedFrames = append(t.DamagedFrames, r.DamagedFrames...)
	t.Gaps = append(t.Gaps, r.Gaps...)
	t.Unconfident, t.Occluded, t.Outside = r.Unconfident, r.Occluded, r.Outside
}

// result is that of all segments; what is counted beside images is of this call.
func (w *work) result() pipeline.Result {
	r := w.total
	r.Output, r.Frames, r.Seconds = cmp.Or(w.Options.Dir, w.Video.Output), w.m.frames(), time.Since(w.begin).Seconds()
	r.Read = r.Frames + w.unpaired()
	if w.Retiming != nil {
		r.Read, r.New = w.m.end()-r.Damaged, w.m.made()
	}
	return r
}

// sizeChanged is the error of a part that ended where the resolution of the input changes.
func (w *work) sizeChanged() error {
	if w.m.ended == nil || w.m.ended.Size == "" {
		return nil
	}
	return errkind.Mark(pipeline.ErrInput, errors.New(w.m.ended.Size))
}

// remove deletes a part: its segments first, so that a manifest is there as long as any of them.
func (m *manifest) remove() error {
	paths, err := filepath.Glob(globEscape(fileOf(m.dir, m.part, "-")) + "*")
	if err != nil {
		return err
	}
	for _, path := range append(paths, manifestPath(m.dir, m.part)) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// globEscape returns a path as a pattern that matches only it.
func globEscape(path string) string {
	return strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`, `\`, `\\`).Replace(path)
}

// temporary marks the failures that may pass.
func temporary(err error) error {
	var held *filelock.HeldError
	if err != nil && (errors.As(err, &held) || pipeline.Temporary(err)) {
		return errkind.Mark(errkind.ErrTemporary, err)
	}
	return err
}
