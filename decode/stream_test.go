package decode_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/internal/libav/libavtest"
)

// TestCancelSilentPipe checks that a pipe without data does not prevent cancelling.
func TestCancelSilentPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	stdin(t, r)
	ctx, cancel := context.WithTimeout(background, 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := decode.Open(ctx, "-", decode.Options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if d := time.Since(start); d > 3*time.Second {
		t.Errorf("it took %v to notice", d)
	}
}

// TestNamedPipe reads a FIFO like standard input. A FIFO without a writer does not prevent cancelling.
func TestNamedPipe(t *testing.T) {
	dir := t.TempDir()
	movie, fifo := filepath.Join(dir, "a.mkv"), filepath.Join(dir, "fifo")
	libavtest.FFmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25", "-frames:v", "12", movie)
	if err := syscall.Mkfifo(fifo, 0o666); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(background, 200*time.Millisecond)
	defer cancel()
	if _, err := decode.Open(ctx, fifo, decode.Options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("no writer: %v", err)
	}
	data, err := os.ReadFile(movie)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		w, err := os.OpenFile(fifo, os.O_WRONLY, 0)
		if err == nil {
			w.Write(data)
			w.Close()
		}
	}()
	if frames, _, _ := readAll(t, fifo, decode.Options{}); len(frames) != 12 {
		t.Errorf("%d frames, want 12", len(frames))
	}
}

// TestDescriptorPath reads a pipe by its path, as in `wwflow run <(cat video.mkv)`.
func TestDescriptorPath(t *testing.T) {
	movie := filepath.Join(t.TempDir(), "a.mkv")
	libavtest.FFmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25", "-frames:v", "12", movie)
	pipe := feed(t, movie)
	defer pipe.Close()
	name := fmt.Sprintf("/dev/fd/%d", pipe.Fd())
	if !decode.IsStream(name) {
		t.Errorf("%s is not a stream", name)
	}
	if frames, _, _ := readAll(t, name, decode.Options{}); len(frames) != 12 {
		t.Errorf("%d frames, want 12", len(frames))
	}
}

func TestInputKinds(t *testing.T) {
	dir := t.TempDir()
	file, fifo, link := filepath.Join(dir, "a.mp4"), filepath.Join(dir, "fifo"), filepath.Join(dir, "link")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(fifo, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(fifo, link); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct{ stream, sequence bool }{
		"-": {true, false}, file: {false, false}, dir: {false, true}, fifo: {true, false}, link: {true, false}, "/dev/null": {true, false},
		filepath.Join(dir, "none.mp4"): {false, false}, filepath.Join(dir, "f%03d.png"): {false, true}, filepath.Join(dir, "%d-%d.png"): {false, false},
	} {
		if stream, sequence := decode.IsStream(name), decode.IsSequence(name); stream != want.stream || sequence != want.sequence {
			t.Errorf("%s: stream %v, sequence %v; want %v", name, stream, sequence, want)
		}
	}
}
