package parts

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/internal/errkind"
	"github.com/wwflow/wwflow/internal/filelock"
	"github.com/wwflow/wwflow/pipeline"
)

// Resume is pipeline.Run, or with Options.Retiming pipeline.Retime, in segments, which are kept in Folder(Output) until the output is
// complete. After an error or a crash the same call continues after the last complete segment. With pipeline.ErrStopped too. Failures that
// may pass match errkind.ErrTemporary. Where the input, the options or the network have changed, the error is ErrChanged and names the
// differences; with Encode.Force, and without Keep, the work begins again.
func Resume(ctx context.Context, o Options) (result pipeline.Result, err error) {
	defer func() { err = temporary(err) }()
	dir := Folder(o.Video.Output)
	if err := o.checkResume(dir); err != nil {
		removeEmpty(dir)
		return pipeline.Result{}, err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return pipeline.Result{}, errkind.Mark(pipeline.ErrOutput, err)
	}
	w, err := begin(ctx, o, dir, Part{1, 1})
	defer func() {
		w.end()
		if err != nil {
			_ = os.Remove(dir) // it is empty if nothing was recorded
		}
	}()
	if err != nil {
		return pipeline.Result{}, err
	}
	if w.joined() {
		return w.result(), w.removeFolder()
	}
	if err := w.checkOutput(); err != nil {
		return pipeline.Result{}, err
	}
	if err := w.compute(ctx); err != nil {
		return w.result(), err
	}
	if w.m.frames() == 0 {
		_ = w.removeFolder()
		return pipeline.Result{}, errkind.Mark(pipeline.ErrInput, fmt.Errorf("%s: %w", o.Video.Input, pipeline.ErrTooShort))
	}
	result = w.result()
	if result.Notices, err = w.join(ctx); err != nil {
		return pipeline.Result{}, err
	}
	return result, errors.Join(w.removeFolder(), w.sizeChanged())
}

// Check returns the errors of Resume that can be known before any work, other than those of opening the input and the network: invalid
// options, an output that exists, work of an earlier call that has changed. It writes nothing.
func (o Options) Check() error {
	dir := Folder(o.Video.Output)
	if err := o.checkResume(dir); err != nil {
		return err
	}
	m, err := readManifest(dir, Part{1, 1})
	if err != nil || m.header == nil {
		return errkind.Mark(pipeline.ErrOutput, err)
	}
	now, err := describe(o, Part{1, 1})
	if err != nil {
		return err
	}
	if err := m.changed(now); err != nil && !o.beginsAgain() {
		return errkind.Mark(pipeline.ErrOutput, err)
	}
	w := &work{Options: o, m: m}
	if w.joined() {
		return nil
	}
	return w.checkOutput()
}

// checkResume finds mistakes before the folder is made.
func (o Options) checkResume(dir string) error {
	if err := o.checkVideo(); err != nil {
		return err
	}
	v := o.Video
	if _, err := os.Stat(manifestPath(dir, Part{1, 1})); err == nil {
		v.Encode.Force = true // the work has begun: its flow files exist. checkOutput looks at the output
	}
	return v.Check()
}

// joined reports whether the output has got its name, and only the folder is left to remove.
func (w *work) joined() bool {
	now := stampOf(w.Video.Output)
	return w.m.joining != nil && now != nil && !now.equal(w.m.joining.Before)
}

// checkOutput refuses an output that exists.
func (w *work) checkOutput() error {
	if _, err := os.Lstat(w.Video.Output); err == nil && !w.Video.Encode.Force {
		return errkind.Mark(pipeline.ErrOutput, fmt.Errorf("cannot write %s: %w", w.Video.Output, encode.ErrExists))
	}
	return nil
}

// join makes the output.
func (w *work) join(ctx context.Context) ([]string, error) {
	w.m.joining = &joining{stampOf(w.Video.Output)}
	if err := w.m.append(record{Joining: w.m.joining}); err != nil {
		return nil, errkind.Mark(pipeline.ErrOutput, err)
	}
	input := w.Video.Input
	if w.Retiming != nil && w.Retiming.Stretch && w.m.header.Video.Copies {
		var err error
		if input, err = pipeline.StretchedAudio(ctx, w.Video, *w.Retiming); err != nil {
			return nil, err
		}
		if input != "" {
			defer os.Remove(input)
		}
	}
	notices, err := join(ctx, []*manifest{w.m}, input, w.Video.Output, w.Video.Encode.Force)
	return notices, errkind.Mark(pipeline.ErrOutput, err)
}

// removeFolder deletes the segments, the manifest and the folder, in this order.
func (w *work) removeFolder() error {
	dir := w.m.dir
	if err := w.m.remove(); err != nil {
		return errkind.Mark(pipeline.ErrOutput, err)
	}
	_ = os.Remove(fileOf(dir, w.m.part, ".lock"))
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errkind.Mark(pipeline.ErrOutput, err)
	}
	return nil
}

// removeEmpty removes a folder in which nothing is left but a lock that nobody holds, after a crash.
func removeEmpty(dir string) {
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 1 {
		return
	}
	path := fileOf(dir, Part{1, 1}, ".lock")
	lock, err := filelock.Acquire(path, false)
	if err != nil {
		return
	}
	defer lock.Release()
	_ = os.Remove(path)
	_ = os.Remove(dir)
}
