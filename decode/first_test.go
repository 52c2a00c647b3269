package decode_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/internal/libav/libavtest"
)

// TestFirst reads from a frame in the middle: frames, numbers and times are those of reading from the beginning. The clips
// have B-frames with open groups of pictures, interlaced fields, and packets without distinct times.
func TestFirst(t *testing.T) {
	folder := t.TempDir()
	for name, args := range map[string][]string{
		"open.mp4":       {"-c:v", "libx264", "-g", "20", "-bf", "3", "-x264opts", "open-gop=1:scenecut=0"},
		"open.ts":        {"-c:v", "mpeg2video", "-g", "12", "-bf", "2"},
		"interlaced.mkv": {"-vf", "interlace", "-c:v", "libx264", "-g", "25", "-flags", "+ilme+ildct"},
		"times.avi":      {"-c:v", "mpeg4", "-bf", "2"},
		"f%03d.png":      nil,
	} {
		path := filepath.Join(folder, name)
		libavtest.FFmpeg(t, append([]string{"-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=6"}, append(args, path)...)...)
		o := decode.Options{Threads: 1}
		all, _, _ := readAll(t, path, o)
		for _, first := range []int{1, 2, 3, 49, 60, 61, 74, 99, 147, 149} {
			if o.First = first; first >= len(all) {
				break
			}
			part, info, _ := readAll(t, path, o)
			if info.Frames != len(all) {
				t.Errorf("%s from %d: Info says %d frames, want %d", name, first, info.Frames, len(all))
			}
			if len(part) != len(all)-first {
				t.Errorf("%s from %d: %d frames, want %d", name, first, len(part), len(all)-first)
				continue
			}
			for i, f := range part {
				want := all[first+i]
				if f.Index != want.Index || f.PTS != want.PTS || !bytes.Equal(f.Pix, want.Pix) {
					t.Errorf("%s from %d: frame %d at %d differs from frame %d at %d", name, first, f.Index, f.PTS, want.Index, want.PTS)
					break
				}
			}
		}
		o.First, o.Frames = 58, 60
		if part, _, _ := readAll(t, path, o); len(part) != 2 || part[1].Index != 59 {
			t.Errorf("%s: frames 58 to 59 are %d frames", name, len(part))
		}
		o.First, o.Frames = len(all), 0
		if _, err := decode.Open(t.Context(), path, o); !errors.Is(err, decode.ErrWindow) {
			t.Errorf("%s from its end: %v", name, err)
		}
	}
}

// TestFirstDamaged has a damaged frame before the first one, and one after it.
func TestFirstDamaged(t *testing.T) {
	folder := t.TempDir()
	for i := range 6 {
		path := filepath.Join(folder, string(rune('a'+i))+".png")
		save(t, path, gray(16, 16, 9))
		if i == 1 || i == 4 {
			if err := os.Truncate(path, 40); err != nil {
				t.Fatal(err)
			}
		}
	}
	r, err := decode.Open(t.Context(), folder, decode.Options{First: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	frames, _, _ := drain(t, r)
	if len(frames) != 3 || frames[0].Index != 2 || frames[2].Index != 5 {
		t.Errorf("%d frames", len(frames))
	}
	if d := r.Damaged(); len(d) != 1 || d[0].Index != 4 {
		t.Errorf("damaged: %v", d)
	}
}
