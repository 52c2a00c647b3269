package encode_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/libav/libavtest"
)

// frames returns n frames with uneven times that begin late.
func frames(n int) (list []*frame.Frame) {
	at := int64(5003)
	for i := range n {
		f := moving(96, 64, i%len(times))
		f.Index, f.PTS = i, at
		at += []int64{40, 33, 47, 1, 39}[i%5]
		f.Duration = 0
		list = append(list, f)
	}
	list[n-1].Duration = 25
	return list
}

type creator func(path string, o encode.Options) (*encode.Writer, error)

func write(t *testing.T, create creator, path string, o encode.Options, list []*frame.Frame) {
	t.Helper()
	w, err := create(path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for _, f := range list {
		if err := w.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
}

// inSegments writes frames as segments of these lengths.
func inSegments(t *testing.T, path string, o encode.Options, list []*frame.Frame, lengths ...int) (segments []encode.Segment, _ encode.Options) {
	t.Helper()
	o, extension, err := encode.ForSegments(path, o)
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range lengths {
		name := fmt.Sprintf("%s.%d%s", path, i, extension)
		write(t, func(path string, o encode.Options) (*encode.Writer, error) {
			return encode.CreateSegment(background, path, o)
		}, name, o, list[:n])
		last := list[n-1]
		segments = append(segments, encode.Segment{Path: name, Frames: n, First: list[0].PTS, Last: last.PTS, End: last.PTS + max(last.Duration, 1)})
		list = list[n:]
	}
	return segments, o
}

// TestJoin compares joined segments with a video that was encoded in one piece, for each codec and container: frames, times
// as the container has them, durations. Decoding times increase.
func TestJoin(t *testing.T) {
	list := frames(23)
	for _, c := range []struct{ codec, extension string }{
		{"h264", ".mp4"}, {"h264", ".mkv"}, {"h264", ".mov"}, {"h265", ".mp4"}, {"h265", ".mkv"}, {"av1", ".mp4"}, {"vp9", ".webm"}, {"vp9", ".mp4"},
		{"ffv1", ".mkv"}, {"prores", ".mov"}, {"prores", ".mkv"},
	} {
		t.Run(c.codec+c.extension, func(t *testing.T) {
			folder := t.TempDir()
			o := options(96, 64)
			o.Codec, o.Threads = c.codec, 1
			if c.codec == "h264" || c.codec == "h265" {
				o.EncoderOptions = map[string]string{"bf": "3"}
			}
			whole, joined := filepath.Join(folder, "whole"+c.extension), filepath.Join(folder, "joined"+c.extension)
			write(t, func(path string, o encode.Options) (*encode.Writer, error) { return encode.Create(background, path, o) }, whole, o, list)
			segments, o := inSegments(t, joined, o, list, 9, 1, 2, 11)
			for _, s := range segments {
				if err := encode.CheckSegment(background, s); err != nil {
					t.Error(err)
				}
			}
			if _, err := encode.Join(background, joined, segments, o); err != nil {
				t.Fatal(err)
			}
			want, info := read(t, whole)
			got, joinedInfo := read(t, joined)
			if len(got) != len(want) {
				t.Fatalf("%d frames, want %d", len(got), len(want))
			}
			if joinedInfo.Duration != info.Duration || joinedInfo.TimeBase != info.TimeBase {
				t.Errorf("duration %v in units of %s, want %v in %s", joinedInfo.Duration, joinedInfo.TimeBase, info.Duration, info.TimeBase)
			}
			for i := range got {
				if got[i].PTS != want[i].PTS {
					t.Errorf("frame %d is at %d, want %d", i, got[i].PTS, want[i].PTS)
				}
				if c.codec == "ffv1" && !bytes.Equal(got[i].Pix, want[i].Pix) {
					t.Errorf("frame %d has other pixels", i)
				}
				if mean, _, _ := libavtest.Difference(got[i].Pix, want[i].Pix); mean > 3 {
					t.Errorf("frame %d differs by %v on average", i, mean)
				}
			}
			last := int64(-1 << 62)
			for _, p := range libavtest.Probe(t, joined, "packet", "v:0") {
				if dts, ok := p.Int("dts"); ok && dts <= last {
					t.Errorf("decoding time %d follows %d", dts, last)
				} else if ok {
					last = dts
				}
			}
		})
	}
}

// TestJoinRefuses segments that are missing, damaged, too short or encoded otherwise.
func TestJoinRefuses(t *testing.T) {
	list := frames(12)
	for name, spoil := range map[string]func(s []encode.Segment, o *encode.Options) error{
		"missing":    func(s []encode.Segment, _ *encode.Options) error { return os.Remove(s[1].Path) },
		"truncated":  func(s []encode.Segment, _ *encode.Options) error { return os.Truncate(s[1].Path, 700) },
		"short":      func(s []encode.Segment, _ *encode.Options) error { s[1].Frames++; return nil },
		"other time": func(s []encode.Segment, _ *encode.Options) error { s[1].Last--; return nil },
		"other size": func(s []encode.Segment, o *encode.Options) error {
			var larger []*frame.Frame
			for i, f := range list[6:] {
				larger = append(larger, moving(98, 64, i))
				larger[i].PTS = f.PTS
			}
			other, _ := inSegments(t, filepath.Join(filepath.Dir(s[1].Path), "b.mp4"), options(98, 64), larger, 6)
			return os.Rename(other[0].Path, s[1].Path)
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.mp4")
			segments, o := inSegments(t, path, options(96, 64), list, 6, 6)
			if err := spoil(segments, &o); err != nil {
				t.Fatal(err)
			}
			if _, err := encode.Join(background, path, segments, o); !errors.Is(err, encode.ErrSegment) {
				t.Errorf("Join: %v", err)
			}
			if _, err := os.Stat(path); err == nil {
				t.Error("there is an output")
			}
			if err := encode.CheckSegment(background, segments[1]); (err == nil) != (name == "other time" || name == "other size") {
				t.Errorf("CheckSegment: %v", err)
			}
		})
	}
}

// TestJoinIndex joins segments of noise into a file that is large enough for its index to be written in front of the frames at once: with
// and without audio, and where the space that was kept for it turns out to be too small. The frames are those of the segments.
func TestJoinIndex(t *testing.T) {
	folder := t.TempDir()
	segment, o := noiseSegment(t, folder, ".mp4")
	second := segment
	second.First, second.Last, second.End = segment.End, segment.End+segment.Last, 2*segment.End
	audio := filepath.Join(folder, "audio.mp4")
	libavtest.FFmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25:duration=13", "-f", "lavfi", "-i", "sine=duration=13", audio)
	kept, moved := []string{"ftyp", "moov", "free", "free", "mdat"}, []string{"ftyp", "moov", "free", "mdat"}
	for _, c := range []struct {
		name, from string
		small      bool
		boxes      []string
	}{
		{"alone", "", false, kept},
		{"with audio", audio, false, kept},
		{"too small", audio, true, moved},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.small {
				encode.SetIndexSize(t, 64, 1)
			}
			path := filepath.Join(folder, "out.mp4")
			o.CopyFrom = c.from
			if _, err := encode.Join(background, path, []encode.Segment{segment, second}, o); err != nil {
				t.Fatal(err)
			}
			if boxes := topBoxes(t, path); !slices.Equal(boxes, c.boxes) {
				t.Errorf("the boxes of the file are %v, want %v", boxes, c.boxes)
			}
			if got := libavtest.Probe(t, path, "packet", "v"); len(got) != 2*noiseFrames {
				t.Errorf("%d frames, want %d", len(got), 2*noiseFrames)
			}
			if got := libavtest.Probe(t, path, "packet", "a"); (len(got) > 500) != (c.from != "") {
				t.Errorf("%d packets of audio", len(got))
			}
			if left, _ := filepath.Glob(filepath.Join(folder, ".*")); len(left) > 0 {
				t.Errorf("there are %v", left)
			}
		})
	}
}

// topBoxes returns the types of the outermost boxes of an MP4 file.
func topBoxes(t *testing.T, path string) (types []string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var head [16]byte
	for at := int64(0); ; {
		if _, err := f.ReadAt(head[:8], at); err != nil {
			return types
		}
		types = append(types, string(head[4:8]))
		size := int64(binary.BigEndian.Uint32(head[:4]))
		if size == 1 {
			if _, err := f.ReadAt(head[:], at); err != nil {
				t.Fatal(err)
			}
			size = int64(binary.BigEndian.Uint64(head[8:]))
		}
		if size < 8 {
			t.Fatalf("a box of %d bytes at %d", size, at)
		}
		at += size
	}
}
