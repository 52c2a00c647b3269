package decode_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/internal/libav/libavtest"
)

// TestDamagedFrame checks that a damaged packet costs the frames that depend on it and no others.
func TestDamagedFrame(t *testing.T) {
	path := libavtest.Clip(t, "960x540-h264-dashcam-aac.mp4")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	packets := libavtest.Probe(t, path, "packet", "v:0", "-show_entries", "packet=pos,size")
	pos, _ := packets[100].Int("pos")
	size, _ := packets[100].Int("size")
	for i := pos + size/4; i < pos+size; i++ {
		data[i] ^= byte(i*151 + 7)
	}
	damaged := filepath.Join(t.TempDir(), "damaged.mp4")
	if err := os.WriteFile(damaged, data, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, threads := range []int{1, 3} {
		r, err := decode.Open(background, damaged, decode.Options{Scale: 0.1, Threads: threads})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		frames, info, corrupt := drain(t, r)
		if corrupt < 1 || corrupt > 60 || len(frames)+corrupt != 221 || info.Frames != 221 {
			t.Errorf("%d threads: %d frames, %d damaged, %d stated; want a total of 221", threads, len(frames), corrupt, info.Frames)
		}
		if last := frames[len(frames)-1].PTS; last != 220 {
			t.Errorf("the last frame is at %d, want 220", last)
		}
		missing := map[int]bool{}
		for _, d := range r.Damaged() {
			missing[d.Index] = true
		}
		for _, f := range frames {
			// The time base of this clip is the duration of a frame.
			if int64(f.Index) != f.PTS || missing[f.Index] {
				t.Errorf("%d threads: the frame at %d has number %d", threads, f.PTS, f.Index)
			}
		}
		if len(missing) != corrupt {
			t.Errorf("%d threads: damaged frames %v, want %d", threads, r.Damaged(), corrupt)
		}
	}
}

// TestTruncated reads what a truncated file holds. Without its index nothing can be read.
func TestTruncated(t *testing.T) {
	dir := t.TempDir()
	front := filepath.Join(dir, "front.mp4")
	libavtest.FFmpeg(t, "-i", libavtest.Clip(t, "960x540-h264-dashcam-aac.mp4"), "-c", "copy", "-movflags", "faststart", front)
	data, err := os.ReadFile(front)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(dir, "cut.mp4")
	if err := os.WriteFile(cut, data[:len(data)*6/10], 0o666); err != nil {
		t.Fatal(err)
	}
	frames, info, corrupt := readAll(t, cut, decode.Options{Scale: 0.1})
	if len(frames) < 50 || len(frames) > 200 || info.Frames != len(frames)+corrupt || !info.FramesExact {
		t.Errorf("%d frames, %d damaged, %d stated (exact: %v)", len(frames), corrupt, info.Frames, info.FramesExact)
	}
	libavtest.FFmpeg(t, "-i", front, "-c", "copy", filepath.Join(dir, "back.mp4"))
	if data, err = os.ReadFile(filepath.Join(dir, "back.mp4")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cut, data[:len(data)*6/10], 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := decode.Open(background, cut, decode.Options{}); !errors.Is(err, decode.ErrFormat) {
		t.Errorf("no index: %v", err)
	}
}

// TestTruncatedThreads checks that a truncated last packet costs its own frame only, for any number of threads.
func TestTruncatedThreads(t *testing.T) {
	dir := t.TempDir()
	front := filepath.Join(dir, "front.mp4")
	libavtest.FFmpeg(t, "-i", filepath.Join("..", "testdata", "clips", "square-walkers.mp4"), "-c", "copy", "-movflags", "faststart", front)
	data, err := os.ReadFile(front)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(dir, "cut.mp4")
	if err := os.WriteFile(cut, data[:100_000], 0o666); err != nil {
		t.Fatal(err)
	}
	for _, threads := range []int{1, 2, 4} {
		frames, info, corrupt := readAll(t, cut, decode.Options{Scale: 0.1, Threads: threads})
		if len(frames) != 2 || corrupt != 1 || info.Frames != 3 {
			t.Errorf("%d threads: %d frames, %d damaged, %d stated; want 2, 1 and 3", threads, len(frames), corrupt, info.Frames)
		}
	}
}

// TestSizeChange checks that all frames before a change of the size are returned, followed by a SizeError.
func TestSizeChange(t *testing.T) {
	dir := t.TempDir()
	var joined []byte
	for i, size := range []string{"96x64", "128x96"} {
		path := filepath.Join(dir, fmt.Sprintf("%d.ts", i))
		libavtest.FFmpeg(t, "-f", "lavfi", "-i", "testsrc2=rate=25:size="+size, "-frames:v", "5", "-c:v", "mpeg2video", "-output_ts_offset", fmt.Sprint(i), path)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		joined = append(joined, data...)
	}
	path := filepath.Join(dir, "joined.ts")
	if err := os.WriteFile(path, joined, 0o666); err != nil {
		t.Fatal(err)
	}
	r, err := decode.Open(background, path, decode.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	n := 0
	for ; err == nil; n++ {
		_, err = r.Read()
	}
	n--
	var size *decode.SizeError // FFmpeg's MPEG-2 decoder drops the frame that it holds back at such a change
	if !errors.As(err, &size) || size.Width != 128 || n < 4 || n > 5 {
		t.Errorf("after %d frames: %v", n, err)
	}
}
