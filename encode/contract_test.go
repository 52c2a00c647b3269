package encode_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/internal/libav/libavtest"
)

// TestContract tests the documented behaviour of a Writer for each kind of output.
func TestContract(t *testing.T) {
	for _, name := range []string{"a.mp4", "a.m4v", "a.mov", "a.mkv", "a.webm", "pictures/", "numbered/%03d.png"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, name)
			if strings.HasSuffix(name, "/") {
				path += "/"
			}
			result := path // what a reader opens
			if strings.HasSuffix(name, ".png") {
				result = filepath.Dir(path)
			}
			o := options(96, 64)

			// Closed without Commit.
			w, err := encode.Create(background, path, o)
			if err != nil {
				t.Fatal(err)
			}
			f := moving(96, 64, 0)
			before := bytes.Clone(f.Pix)
			if err := w.Write(f); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(before, f.Pix) {
				t.Error("Write changed the frame")
			}
			if _, err := os.Stat(result); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the output exists before Commit: %v", err)
			}
			for range 2 {
				if err := w.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			}
			if err := w.Write(moving(96, 64, 1)); err == nil {
				t.Error("write after close")
			}
			if err := w.Commit(); err == nil {
				t.Error("commit after close")
			}
			if left := names(t, dir); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}

			// No frame, frames of another size or time base, frames out of order, a cancelled context.
			for what, bad := range map[string]func(w *encode.Writer, cancel func()) error{
				"no frame": func(w *encode.Writer, _ func()) error { return w.Commit() },
				"size":     func(w *encode.Writer, _ func()) error { return w.Write(moving(64, 96, 0)) },
				"order": func(w *encode.Writer, _ func()) error {
					if err := w.Write(moving(96, 64, 1)); err != nil {
						t.Fatal(err)
					}
					return w.Write(moving(96, 64, 1))
				},
				"time base": func(w *encode.Writer, _ func()) error {
					f := moving(96, 64, 0)
					f.TimeBase.Den = 25
					return w.Write(f)
				},
				"cancel": func(w *encode.Writer, cancel func()) error {
					cancel()
					if err := w.Commit(); !errors.Is(err, context.Canceled) {
						t.Errorf("commit after cancel: %v", err)
					}
					return w.Write(moving(96, 64, 0))
				},
			} {
				ctx, cancel := context.WithCancel(background)
				w, err := encode.Create(ctx, path, o)
				if err != nil {
					t.Fatal(err)
				}
				err = bad(w, cancel)
				if err == nil || what == "no frame" && !errors.Is(err, encode.ErrNoFrames) || what == "cancel" && !errors.Is(err, context.Canceled) {
					t.Errorf("%s: %v", what, err)
				}
				cancel()
				w.Close()
				if left := names(t, dir); len(left) != 0 {
					t.Errorf("%s: left behind: %v", what, left)
				}
			}

			// Committed: all frames are there. A second output needs Force.
			fill(t, path, o)
			if left := names(t, dir); len(left) != 1 {
				t.Errorf("beside the output: %v", left)
			}
			list, info := read(t, result)
			if len(list) != len(times) || info.Width != 96 || info.Height != 64 {
				t.Fatalf("%d frames of %dx%d", len(list), info.Width, info.Height)
			}
			for i, f := range list {
				if mean, _, _ := libavtest.Difference(f.Pix, moving(96, 64, i).Pix); mean > 6 {
					t.Errorf("frame %d: mean difference %.1f", i, mean)
				}
			}
			if _, err := encode.Create(background, path, o); !errors.Is(err, encode.ErrExists) {
				t.Errorf("existing output: %v", err)
			}
			o.Force = true
			fill(t, path, o)
			if left := names(t, dir); len(left) != 1 {
				t.Errorf("beside the output: %v", left)
			}
			var none *encode.Writer
			if err := none.Close(); err != nil {
				t.Errorf("close of nil: %v", err)
			}
		})
	}
}

// TestAppearedMeanwhile checks that Commit does not replace a file that was created in the meantime.
func TestAppearedMeanwhile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.mkv")
	w, err := encode.Create(background, path, options(96, 64))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Write(moving(96, 64, 0)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("mine"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); !errors.Is(err, encode.ErrExists) {
		t.Errorf("commit: %v", err)
	}
	w.Close()
	if data, _ := os.ReadFile(path); string(data) != "mine" || len(names(t, filepath.Dir(path))) != 1 {
		t.Errorf("the folder holds %v, the file %q", names(t, filepath.Dir(path)), data)
	}
}
