package decode_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/libav/libavtest"
)

// contract tests the documented behaviour of a Reader. open returns a new reader of at least five frames.
func contract(t *testing.T, open func(t *testing.T, ctx context.Context) *decode.Reader, frames int) {
	r := open(t, background)
	info := r.Info()
	var list []*frame.Frame
	var copies [][]byte
	for {
		f, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		list, copies = append(list, f), append(copies, bytes.Clone(f.Pix))
	}
	if len(list) != frames {
		t.Fatalf("%d frames, want %d", len(list), frames)
	}
	if info.FramesExact && info.Frames != frames {
		t.Errorf("Info states exactly %d frames, want %d", info.Frames, frames)
	}
	for i, f := range list {
		if f.Index != i || f.Width != info.Width || f.Height != info.Height || f.TimeBase != info.TimeBase || len(f.Pix) != 3*f.Width*f.Height {
			t.Errorf("frame %d: index %d, %dx%d, time base %s, %d bytes", i, f.Index, f.Width, f.Height, f.TimeBase, len(f.Pix))
		}
		if !bytes.Equal(f.Pix, copies[i]) {
			t.Errorf("frame %d changed after it was returned", i)
		}
		if i == 0 {
			continue
		}
		if f.PTS <= list[i-1].PTS {
			t.Errorf("frame %d is at %d, the one before at %d", i, f.PTS, list[i-1].PTS)
		}
		if &f.Pix[0] == &list[i-1].Pix[0] {
			t.Errorf("frames %d and %d share memory", i-1, i)
		}
		if bytes.Equal(f.Pix, list[i-1].Pix) {
			t.Errorf("frames %d and %d have the same pixels", i-1, i)
		}
	}
	if _, err := r.Read(); err != io.EOF {
		t.Errorf("after the end: %v, want io.EOF", err)
	}
	for range 2 {
		if err := r.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	if _, err := r.Read(); err == nil || err == io.EOF {
		t.Errorf("read after close: %v", err)
	}
	var none *decode.Reader
	if err := none.Close(); err != nil {
		t.Errorf("close of nil: %v", err)
	}

	ctx, cancel := context.WithCancel(background)
	r = open(t, ctx)
	defer r.Close()
	if _, err := r.Read(); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := r.Read(); !errors.Is(err, context.Canceled) {
		t.Errorf("read after cancel: %v", err)
	}
	if r.Close(); r.Info().Path != info.Path {
		t.Error("info is lost after close")
	}
}

func TestContract(t *testing.T) {
	dir := t.TempDir()
	movie := func(name string, args ...string) string {
		path := filepath.Join(dir, name)
		libavtest.FFmpeg(t, append(append([]string{"-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25", "-frames:v", "12", "-pix_fmt", "yuv420p"}, args...), path)...)
		return path
	}
	pictures := filepath.Join(dir, "pictures")
	if err := os.Mkdir(pictures, 0o777); err != nil {
		t.Fatal(err)
	}
	libavtest.FFmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25", "-frames:v", "12", filepath.Join(pictures, "p%d.png"))
	sources := map[string]string{
		"mp4":           movie("a.mp4"),
		"mkv":           movie("a.mkv"),
		"ts":            movie("a.ts"),
		"avi":           movie("a.avi", "-c:v", "mpeg4"),
		"folder":        pictures,
		"pipe mkv":      movie("b.mkv"),
		"pipe mp4":      movie("b.mp4", "-movflags", "faststart"),
		"redirect mp4":  movie("c.mp4"),
		"pipe mpeg2 ts": movie("d.ts", "-c:v", "mpeg2video"),
	}
	for name, path := range sources {
		t.Run(name, func(t *testing.T) {
			contract(t, func(t *testing.T, ctx context.Context) *decode.Reader {
				input := path
				switch {
				case strings.HasPrefix(name, "pipe"):
					stdin(t, feed(t, path))
					input = "-"
				case strings.HasPrefix(name, "redirect"):
					f, err := os.Open(path)
					if err != nil {
						t.Fatal(err)
					}
					stdin(t, f)
					input = "-"
				}
				r, err := decode.Open(ctx, input, decode.Options{})
				if err != nil {
					t.Fatal(err)
				}
				return r
			}, 12)
		})
	}
}
