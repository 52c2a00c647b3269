package decode_test

import (
	"context"
	"errors"
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
