package decode_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/internal/libav/libavtest"
)

// FuzzOpen checks that reading ends with frames or an error for any file.
func FuzzOpen(f *testing.F) {
	dir := f.TempDir()
	for _, name := range []string{"a.mp4", "a.mkv", "a.ts", "a.avi"} {
		path := filepath.Join(dir, name)
		libavtest.FFmpeg(f, "-f", "lavfi", "-i", "testsrc2=size=32x32:rate=25", "-frames:v", "3", "-pix_fmt", "yuv420p", "-c:v", "mpeg4", path)
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(data[:len(data)/2])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "fuzz")
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(background, 10*time.Second)
		defer cancel()
		r, err := decode.Open(ctx, path, decode.Options{Frames: 5, Scale: 0.1})
		if errors.Is(err, context.DeadlineExceeded) {
			t.Fatal("timeout")
		}
		if err != nil {
			return
		}
		defer r.Close()
		for {
			frame, err := r.Read()
			if errors.Is(err, context.DeadlineExceeded) {
				t.Fatal("timeout")
			}
			if err != nil {
				return
			}
			if i := r.Info(); frame.Width != i.Width || frame.Height != i.Height || len(frame.Pix) != 3*i.Width*i.Height {
				t.Fatalf("frame of %dx%d with %d bytes, Info states %dx%d", frame.Width, frame.Height, len(frame.Pix), i.Width, i.Height)
			}
		}
	})
}
