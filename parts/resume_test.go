package parts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/errkind"
	"github.com/wwflow/wwflow/internal/filelock"
	"github.com/wwflow/wwflow/internal/testutil"
	"github.com/wwflow/wwflow/pipeline"
)

// stopping closes a channel when so many images are written.
func stopping(o *Options, at int) {
	stop := make(chan struct{})
	o.Stop = stop
	o.Video.Events.Written = func(done, _ int) {
		if done == at {
			close(stop)
		}
	}
}

// stopped runs until so many images are written. The segments stay.
func stopped(t *testing.T, o Options, at int) {
	t.Helper()
	stopping(&o, at)
	if _, err := Resume(t.Context(), o); !errors.Is(err, pipeline.ErrStopped) {
		t.Fatalf("stopped at image %d: %v", at, err)
	}
}

// TestResume stops a run several times. What is done is not made again, and the result is that of a run in one piece.
func TestResume(t *testing.T) {
	for _, segment := range []int{0, 1, 7} {
		for _, backward := range []bool{false, true} {
			t.Run(fmt.Sprint(segment, backward), func(t *testing.T) {
				o := options(t, t.TempDir(), 60)
				o.Segment, o.Video.Backward = segment, backward
				want := whole(t, o)
				last := 0
				for _, at := range []int{5, 20, 40} {
					stopped(t, o, max(at, last+1))
					m, err := readManifest(Folder(o.Video.Output), Part{1, 1})
					if err != nil || m.frames() <= last {
						t.Fatalf("%d images are kept after %d: %v", m.frames(), last, err)
					}
					last = m.frames()
				}
				first := 0
				var before Continued
				o.Continued = func(c Continued) { before = c }
				o.Video.Events.Written = func(done, total int) {
					if first == 0 {
						first = done
					}
					if total != 59 {
						t.Errorf("of %d images", total)
					}
				}
				r, err := Resume(t.Context(), o)
				if err != nil {
					t.Fatal(err)
				}
				if first != last+1 || before.Done != last || before.Of != 59 || r.Frames != 59 || r.Read != 60 {
					t.Errorf("the first new image is number %d of %d, %d were kept: %+v, %+v", first, last, last, before, r)
				}
				if d := read(t, o.Video.Output).differs(want); d != "" {
					t.Error(d)
				}
				if names := testutil.List(t, filepath.Dir(o.Video.Output)); !slices.Equal(names, []string{"in.mkv", "out.mkv"}) {
					t.Errorf("there are %v", names)
				}
			})
		}
	}
}

// TestResumeRefuses what has changed, and names it.
func TestResumeRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(t *testing.T, o *Options)
		text   string
	}{
		"time": {func(t *testing.T, o *Options) {
			data, _ := os.ReadFile(o.Video.Input)
			if err := os.WriteFile(o.Video.Input, data, 0o666); err != nil {
				t.Fatal(err)
			}
		}, "the input was modified at "},
		"input":   {func(t *testing.T, o *Options) { writeClip(t, o.Video.Input+".mkv", 60, 2); o.Video.Input += ".mkv" }, "the input"},
		"option":  {func(_ *testing.T, o *Options) { o.Video.Step = 2 }, "step was the default, is 2"},
		"scale":   {func(_ *testing.T, o *Options) { o.Video.Paint.MaxFlow = 3 }, "max-flow was the default, is 3"},
		"detail":  {func(_ *testing.T, o *Options) { o.Video.Network.Detail = 2 }, "detail was the default, is 2"},
		"network": {func(t *testing.T, o *Options) { o.Video.Network.ModelDir = changedNetwork(t, o.Video.Network.ModelDir) }, "the files of the network fake"},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t, t.TempDir(), 60)
			stopped(t, o, 20)
			c.change(t, &o)
			_, err := Resume(t.Context(), o)
			if !errors.Is(err, ErrChanged) || !errors.Is(err, errkind.ErrOutput) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("%v, want %q", err, c.text)
			}
			if name == "network" {
				return // its graphs are no graphs
			}
			o.Video.Encode.Force = true
			want := whole(t, o)
			if _, err := Resume(t.Context(), o); err != nil {
				t.Fatalf("with force: %v", err)
			}
			if d := read(t, o.Video.Output).differs(want); d != "" {
				t.Error(d)
			}
		})
	}
}

// changedNetwork is a copy of a network with another graph.
func changedNetwork(t *testing.T, dir string) string {
	to := t.TempDir()
	if err := os.CopyFS(to+"/net", os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(to, "net", "encoder.onnx")
	data, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, append(data, 0), 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	return to + "/net"
}

// TestResumeRepairs has segments and flow files that are missing or damaged: they are made again, which is reported.
func TestResumeRepairs(t *testing.T) {
	for name, spoil := range map[string]func(dir, exports string) error{
		"missing":   func(dir, _ string) error { return os.Remove(filepath.Join(dir, "part-1-of-1-000007.nut")) },
		"truncated": func(dir, _ string) error { return os.Truncate(filepath.Join(dir, "part-1-of-1-000007.nut"), 900) },
		"overwritten": func(dir, _ string) error {
			from, err := os.ReadFile(filepath.Join(dir, "part-1-of-1-000007.nut"))
			for i := 600; i < len(from); i++ {
				from[i] = 0
			}
			return errors.Join(err, os.WriteFile(filepath.Join(dir, "part-1-of-1-000007.nut"), from, 0o666))
		},
		"flow file": func(_, exports string) error { return os.Remove(filepath.Join(exports, "000008.flo")) },
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t, t.TempDir(), 60)
			exports := filepath.Join(t.TempDir(), "flo")
			o.Video.Exports = []pipeline.Export{{Format: flowfile.Flo, Dir: exports}}
			want := whole(t, o)
			stopped(t, o, 30)
			if err := spoil(Folder(o.Video.Output), exports); err != nil {
				t.Fatal(err)
			}
			var before Continued
			o.Continued = func(c Continued) { before = c }
			if _, err := Resume(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			if len(before.Problems) != 1 {
				t.Errorf("problems: %q", before.Problems)
			}
			if d := read(t, o.Video.Output).differs(want); d != "" {
				t.Error(d)
			}
			if n := len(testutil.List(t, exports)); n != 59 {
				t.Errorf("%d flow files", n)
			}
		})
	}
}

// TestResumeExisting refuses an output that exists, before and after work was begun, and leaves no folder.
func TestResumeExisting(t *testing.T) {
	o := options(t, t.TempDir(), 20)
	if err := os.WriteFile(o.Video.Output, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Resume(t.Context(), o); !errors.Is(err, encode.ErrExists) {
		t.Error(err)
	}
	if _, err := os.Stat(Folder(o.Video.Output)); err == nil {
		t.Error("there is a folder")
	}
	o.Video.Encode.Force = true
	stopped(t, o, 8)
	o.Video.Encode.Force = false
	if _, err := Resume(t.Context(), o); !errors.Is(err, encode.ErrExists) {
		t.Error(err)
	}
	o.Video.Encode.Force = true
	if _, err := Resume(t.Context(), o); err != nil {
		t.Error(err)
	}
}

// TestResumeLocked has another process on the same output.
func TestResumeLocked(t *testing.T) {
	o := options(t, t.TempDir(), 20)
	dir := Folder(o.Video.Output)
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	lock, err := filelock.Acquire(filepath.Join(dir, "part-1-of-1.lock"), false)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Resume(t.Context(), o)
	if !errors.Is(err, errkind.ErrTemporary) || !strings.Contains(err.Error(), fmt.Sprintf("in use by process %d on ", os.Getpid())) {
		t.Error(err)
	}
	lock.Release()
	if _, err := Resume(t.Context(), o); err != nil {
		t.Error(err)
	}
}

// TestResumeCancelled cancels the context, which does not close the segment. What was recorded stays.
func TestResumeCancelled(t *testing.T) {
	o := options(t, t.TempDir(), 60)
	want := whole(t, o)
	ctx, cancel := context.WithCancel(t.Context())
	o.Video.Events.Written = func(done, _ int) {
		if done == 30 {
			cancel()
		}
	}
	if _, err := Resume(ctx, o); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	o.Video.Events.Written = nil
	if _, err := Resume(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if d := read(t, o.Video.Output).differs(want); d != "" {
		t.Error(d)
	}
}

// TestResumeDamagedEnd continues where all frames up to the end are damaged, as after a crash right before the join.
func TestResumeDamagedEnd(t *testing.T) {
	o := options(t, t.TempDir(), 20)
	images := filepath.Join(t.TempDir(), "images") + "/"
	writeClip(t, images, 20, 1)
	for i := 17; i < 20; i++ {
		if err := os.Truncate(fmt.Sprintf("%s%06d.png", images, i), 40); err != nil {
			t.Fatal(err)
		}
	}
	o.Video.Input = images
	stopped(t, o, 8)
	w, err := begin(t.Context(), o, Folder(o.Video.Output), Part{1, 1})
	defer w.end()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.section(t.Context(), span{17, 19}); err != nil {
		t.Error(err)
	}
	if m := w.m.missing(17, 19); len(m) > 0 {
		t.Errorf("missing: %v", m)
	}
}

// TestSegmentFails has a segment that cannot be completed, while the next one is begun. The next image and the end both tell.
func TestSegmentFails(t *testing.T) {
	full := errors.New("the disk is full")
	for name, next := range map[string]func(s *sink) error{
		"image":  func(s *sink) error { return s.Write(pipeline.Image{Frame: frame.New(32, 24), Pair: 8}) },
		"commit": (*sink).Commit,
	} {
		s := &sink{closing: make(chan error, 1)}
		s.closing <- full
		if err := next(s); !errors.Is(err, full) {
			t.Errorf("%s: %v", name, err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
