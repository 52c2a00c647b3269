package encode_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/internal/libav/libavtest"
)

// stdout replaces standard output during a test.
func stdout(t *testing.T, f *os.File) {
	t.Helper()
	before := os.Stdout
	os.Stdout = f
	t.Cleanup(func() { os.Stdout = before; f.Close() })
}

// TestStandardOutput writes all containers to a pipe and reads them back.
func TestStandardOutput(t *testing.T) {
	for _, container := range append(encode.Containers(), "", "mkv") {
		t.Run(container, func(t *testing.T) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			stdout(t, w)
			received := make(chan []byte)
			go func() {
				data, _ := io.ReadAll(r)
				received <- data
			}()
			o := options(96, 64)
			o.Container = container
			if err := encode.Check("-", o); err != nil {
				t.Error(err)
			}
			fill(t, "-", o)
			w.Close()
			data := <-received
			if container == "" && !bytes.HasPrefix(data, []byte("\x1a\x45\xdf\xa3")) {
				t.Errorf("the stream begins with % x, want Matroska", data[:min(4, len(data))])
			}
			path := filepath.Join(t.TempDir(), "a")
			if err := os.WriteFile(path, data, 0o666); err != nil {
				t.Fatal(err)
			}
			if packets := libavtest.Probe(t, path, "packet", "v:0", "-show_entries", "packet=pts_time"); len(packets) != len(times) {
				t.Errorf("%d frames, want %d", len(packets), len(times))
			}
		})
	}
}

// TestClosedStandardOutput checks that a reader that ends gives an error, and that cancelling stops a Write that waits.
func TestClosedStandardOutput(t *testing.T) {
	noise := func(i int) []byte {
		b := make([]byte, 3*640*480)
		for j := range b {
			b[j] = byte((j + i) * (j + i) >> 4)
		}
		return b
	}
	write := func(ctx context.Context) error {
		o := options(640, 480)
		o.Codec = "ffv1"
		w, err := encode.Create(ctx, "-", o)
		if err != nil {
			return err
		}
		defer w.Close()
		for i := range times {
			f := moving(640, 480, i)
			f.Pix = noise(i)
			if err := w.Write(f); err != nil {
				return err
			}
		}
		return w.Commit()
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout(t, w)
	ctx, cancel := context.WithTimeout(background, 300*time.Millisecond)
	defer cancel()
	if err := write(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("nobody reads: %v", err)
	}
	r.Close()
	if err := write(background); !errors.Is(err, syscall.EPIPE) || !strings.Contains(err.Error(), "standard output") {
		t.Errorf("the reader has ended: %v", err)
	}
}
