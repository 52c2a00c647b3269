package decode_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/internal/libav/libavtest"
)

func TestErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	sound := filepath.Join(dir, "sound.mp4")
	libavtest.FFmpeg(t, "-f", "lavfi", "-i", "sine=duration=1", sound)
	cover := filepath.Join(dir, "cover.mp3")
	save(t, filepath.Join(dir, "cover.png"), gray(32, 32, 9))
	libavtest.FFmpeg(t, "-i", sound, "-i", filepath.Join(dir, "cover.png"), "-map", "0", "-map", "1", "-c:v", "copy", "-disposition:v", "attached_pic", cover)
	bare := filepath.Join(dir, "bare")
	if err := os.Mkdir(bare, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, path string
		o          decode.Options
		want       error
	}{
		{"missing", filepath.Join(dir, "none.mp4"), decode.Options{}, fs.ErrNotExist},
		{"empty", write("empty.mp4", nil), decode.Options{}, decode.ErrEmpty},
		{"text", write("text.mp4", []byte(strings.Repeat("these are words\n", 99))), decode.Options{}, decode.ErrFormat},
		{"audio only", sound, decode.Options{}, decode.ErrNoVideo},
		{"cover image", cover, decode.Options{}, decode.ErrNoVideo},
		{"empty folder", bare, decode.Options{}, decode.ErrNoPictures},
		{"negative start", sound, decode.Options{Start: -1}, nil},
		{"negative frames", sound, decode.Options{Frames: -1}, nil},
		{"scale", sound, decode.Options{Scale: -2}, nil},
	} {
		r, err := decode.Open(background, c.path, c.o)
		if err == nil || r != nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
			continue
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: more than one line: %q", c.name, err)
		}
		t.Log(err)
	}
	// An empty pipe, an index at the end of a pipe, and a cancelled context.
	stdin(t, feed(t, filepath.Join(dir, "empty.mp4")))
	if _, err := decode.Open(background, "-", decode.Options{}); !errors.Is(err, decode.ErrEmpty) {
		t.Errorf("empty pipe: %v", err)
	}
	back := filepath.Join(dir, "back.mp4")
	libavtest.FFmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=640x480:rate=25", "-frames:v", "30", "-crf", "0", back)
	stdin(t, feed(t, back))
	if _, err := decode.Open(background, "-", decode.Options{}); !errors.Is(err, decode.ErrNoFrames) {
		t.Errorf("index at the end of a pipe: %v", err)
	}
	ctx, cancel := context.WithCancel(background)
	cancel()
	if _, err := decode.Open(ctx, sound, decode.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled context: %v", err)
	}
}
