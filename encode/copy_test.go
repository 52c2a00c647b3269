package encode_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/libav"
	"github.com/wwflow/wwflow/internal/libav/libavtest"
)

// TestRoundTrip decodes and encodes real clips. The number of frames, exact times, durations, aspect ratio, colour tags
// and audio must stay.
func TestRoundTrip(t *testing.T) {
	for _, name := range []string{
		"960x540-h264-dashcam-aac.mp4",              // constant rate, 1/25 s
		"720p-h264-rot180-vfr-fast-aac.mp4",         // variable rate
		"fhd-hevc10-hlg-rot90-vfr-editlist-aac.mp4", // edit list, 1/600 s
		"1024x750-h264-drone-lofoten.mp4",           // 1001/24000 s
		"720x480-mpeg2-interlaced-film.mp4",         // time stamps begin at 138.9 s
	} {
		for _, ext := range []string{".mp4", ".mov"} {
			t.Run(name+ext, func(t *testing.T) {
				in := libavtest.Clip(t, name)
				r, err := decode.Open(background, in, decode.Options{Scale: 0.25, Frames: 40})
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				i := r.Info()
				path := filepath.Join(t.TempDir(), "a"+ext)
				w, err := encode.Create(background, path, encode.Options{Width: i.Width, Height: i.Height, TimeBase: i.TimeBase, FrameRate: i.FrameRate,
					SampleAspect: i.SampleAspect, CopyFrom: in, Origin: i.StartTime, EncoderOptions: map[string]string{"preset": "veryfast"}})
				if err != nil {
					t.Fatal(err)
				}
				defer w.Close()
				var want []int64
				var last *frame.Frame
				for {
					f, err := r.Read()
					if err == io.EOF {
						break
					}
					if err != nil {
						t.Fatal(err)
					}
					if err := w.Write(f); err != nil {
						t.Fatal(err)
					}
					want, last = append(want, f.PTS), f
				}
				if err := w.Commit(); err != nil {
					t.Fatal(err)
				}
				s := libavtest.Probe(t, path, "stream", "v:0")[0]
				base := libavtest.Ratio(s.Text("time_base"))
				shift := i.StartTime // in whole units of the input's time base, as FFmpeg rounds it
				origin := int64(shift.Seconds()*float64(i.TimeBase.Den)/float64(i.TimeBase.Num) + 0.5)
				packets := libavtest.Probe(t, path, "packet", "v:0", "-show_entries", "packet=pts,duration")
				slices.SortFunc(packets, func(a, b libavtest.Entry) int {
					x, _ := a.Int("pts")
					y, _ := b.Int("pts")
					return int(x - y)
				})
				if len(packets) != len(want) {
					t.Fatalf("%d frames, want %d", len(packets), len(want))
				}
				for k, p := range packets {
					pts, _ := p.Int("pts")
					// pts*base == (want-origin)*timebase, in integers
					if pts*int64(base.Num)*int64(i.TimeBase.Den) != (want[k]-origin)*int64(i.TimeBase.Num)*int64(base.Den) {
						t.Fatalf("frame %d is at %d (%s s), want %d (%s s)", k, pts, base, want[k]-origin, i.TimeBase)
					}
				}
				// The end is the time of the last frame plus its duration. (ffprobe adds the durations, which do not include
				// the gap of the damaged frame at the end of the film.)
				start, _ := s.Int("start_pts")
				length, _ := s.Int("duration_ts")
				if a, b := (start+length)*int64(base.Num)*int64(i.TimeBase.Den), (last.PTS+last.Duration-origin)*int64(i.TimeBase.Num)*int64(base.Den); last.Duration > 0 && a != b && !strings.Contains(name, "film") {
					t.Errorf("the last frame ends at %d/%s, want %d/%s", start+length, base, last.PTS+last.Duration-origin, i.TimeBase)
				}
				matrix := "smpte170m"
				if i.Height >= 720 || i.Width >= 1280 {
					matrix = "bt709"
				}
				for key, v := range map[string]string{"codec_name": "h264", "pix_fmt": "yuv420p", "color_range": "tv", "color_space": matrix, "color_primaries": matrix, "color_transfer": matrix} {
					if s.Text(key) != v {
						t.Errorf("%s is %q, want %q", key, s.Text(key), v)
					}
				}
				if i.SampleAspect.Num > 0 && libavtest.Ratio(s.Text("sample_aspect_ratio")) != i.SampleAspect {
					t.Errorf("sample aspect %s, want %s", s.Text("sample_aspect_ratio"), i.SampleAspect)
				}
				audio := func(path string) []byte {
					return libavtest.FFmpeg(t, "-i", path, "-map", "0:a:0", "-c", "copy", "-f", "md5", "-")
				}
				if i.Audio > 0 && len(w.Notices()) == 0 && !bytes.Equal(audio(path), audio(in)) {
					t.Error("the audio differs from the input")
				}
				if strings.Contains(name, "film") && ext == ".mp4" && (len(w.Notices()) != 1 || !strings.Contains(w.Notices()[0], "pcm_dvd")) {
					t.Errorf("notices %v, want one about pcm_dvd", w.Notices())
				}
			})
		}
	}
}

// TestCut checks that a part of the audio is copied with its distance to the frames.
func TestCut(t *testing.T) {
	in := libavtest.Clip(t, "960x540-h264-dashcam-aac.mp4")
	part := decode.Options{Start: 3300 * time.Millisecond, Duration: 2 * time.Second, Scale: 0.25}
	for _, shortest := range []bool{false, true} {
		r, err := decode.Open(background, in, part)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		i := r.Info()
		path := filepath.Join(t.TempDir(), "a.mp4")
		o := encode.Options{Width: i.Width, Height: i.Height, TimeBase: i.TimeBase, FrameRate: i.FrameRate,
			CopyFrom: in, Origin: i.StartTime, Start: part.Start, Duration: part.Duration, Shortest: shortest}
		frames := 50
		if shortest {
			frames, o.Duration = 10, 0
		}
		w, err := encode.Create(background, path, o)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		for range frames {
			f, err := r.Read()
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Write(f); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Commit(); err != nil {
			t.Fatal(err)
		}
		// Output time 0 is 3.32 s, the first frame from 3.3 s in units of 1/25 s.
		var want, got []string
		zero, end := 3.32, 5.3
		if n, _ := libavtest.Probe(t, path, "packet", "v:0", "-show_entries", "packet=pts")[0].Int("pts"); n != 0 {
			t.Errorf("the first frame is at %d, want 0", n)
		}
		if shortest {
			end = zero + 0.4
		}
		for _, p := range libavtest.Probe(t, in, "packet", "a:0", "-show_entries", "packet=pts_time,size") {
			var at float64
			fmt.Sscan(p.Text("pts_time"), &at)
			if at >= zero && at < end {
				want = append(want, p.Text("size"))
			}
		}
		var first float64
		for k, p := range libavtest.Probe(t, path, "packet", "a:0", "-show_entries", "packet=pts_time,size") {
			if k == 0 {
				fmt.Sscan(p.Text("pts_time"), &first)
			}
			got = append(got, p.Text("size"))
		}
		if fmt.Sprint(got) != fmt.Sprint(want) || first < 0 || first > 0.022 {
			t.Errorf("shortest %v: audio begins at %v with %d packets %v, want %d %v", shortest, first, len(got), got, len(want), want)
		}
	}
}

// TestOtherStreams checks which audio and subtitle streams each container keeps. A notice names each one that is left out.
func TestOtherStreams(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "a.srt")
	if err := os.WriteFile(text, []byte("1\n00:00:00,100 --> 00:00:00,900\nHello\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	in := filepath.Join(dir, "in.mkv")
	libavtest.FFmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25:duration=1", "-f", "lavfi", "-i", "sine=duration=1", "-i", text,
		"-map", "0", "-map", "1", "-map", "1", "-map", "2", "-c:v", "libx264", "-c:a:0", "pcm_s16le", "-c:a:1", "aac", "-c:s", "srt", in)
	mp4 := []string{"h264", "pcm_s16le", "aac"}
	if libav.Line == "5.1" {
		mp4 = []string{"h264", "aac"}
	}
	for ext, want := range map[string][]string{
		".mkv": {"h264", "pcm_s16le", "aac", "subrip"}, ".mp4": mp4, ".mov": {"h264", "pcm_s16le", "aac"}, ".webm": {"vp9"},
	} {
		o := options(96, 64)
		o.CopyFrom = in
		path := filepath.Join(dir, "out"+ext)
		notices := fill(t, path, o)
		var got []string
		for _, which := range []string{"v", "a", "s"} {
			for _, s := range libavtest.Probe(t, path, "stream", which) {
				got = append(got, s.Text("codec_name"))
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s holds %v, want %v", ext, got, want)
		}
		if left := 4 - len(want); len(notices) != left {
			t.Errorf("%s: notices %q, want %d", ext, notices, left)
		}
	}
}

// TestLabels checks that copied streams keep their language, title and disposition.
func TestLabels(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "in.mkv")
	libavtest.FFmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25:duration=1", "-f", "lavfi", "-i", "sine=duration=1",
		"-map", "0", "-map", "1", "-map", "1", "-c:v", "libx264", "-c:a", "aac", "-metadata:s:a:0", "language=fra", "-metadata:s:a:1", "language=ger",
		"-metadata:s:a:1", "title=Audiodeskription", "-disposition:a:0", "0", "-disposition:a:1", "default+visual_impaired", in)
	for _, ext := range []string{".mkv", ".mp4", ".mov"} {
		o := options(96, 64)
		o.CopyFrom = in
		path := filepath.Join(dir, "out"+ext)
		fill(t, path, o)
		streams := libavtest.Probe(t, path, "stream", "a")
		if len(streams) != 2 {
			t.Fatalf("%s: %d audio streams", ext, len(streams))
		}
		for k, want := range []string{"fra", "ger"} {
			tags, _ := streams[k]["tags"].(map[string]any)
			if tags["language"] != want {
				t.Errorf("%s: audio stream %d has the tags %v, want language %s", ext, k+1, tags, want)
			}
			disposition, _ := streams[k]["disposition"].(map[string]any)
			if disposition["default"] != float64(k) {
				t.Errorf("%s: audio stream %d has the disposition %v, want default %d", ext, k+1, disposition, k)
			}
			if k == 1 && ext == ".mkv" && (tags["title"] != "Audiodeskription" || disposition["visual_impaired"] != 1.0) {
				t.Errorf("%s: audio stream 2 has the tags %v and the disposition %v", ext, tags, disposition)
			}
		}
	}
}

// TestIncompleteAudio checks that an audio stream without parameters is left out. A broadcast announces streams of
// which no packet may have been recorded.
func TestIncompleteAudio(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "in.ts")
	libavtest.FFmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25:duration=1", "-f", "lavfi", "-i", "sine=duration=1", "-f", "lavfi", "-i", "sine=duration=1",
		"-map", "0", "-map", "1", "-map", "2", "-c:a", "aac", "-c:v", "libx264", in)
	data, err := os.ReadFile(in)
	if err != nil {
		t.Fatal(err)
	}
	const size, audio = 188, 0x101
	var rest []byte
	for packet := range slices.Chunk(data, size) {
		if pid := int(packet[1]&0x1f)<<8 | int(packet[2]); pid != audio {
			rest = append(rest, packet...)
		}
	}
	if err := os.WriteFile(in, rest, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, ext := range []string{".mp4", ".mov", ".mkv"} {
		o := options(96, 64)
		o.CopyFrom = in
		path := filepath.Join(dir, "out"+ext)
		notices := fill(t, path, o)
		if len(notices) != 1 || !strings.Contains(notices[0], "audio stream 1 (aac) was left out") {
			t.Errorf("%s: notices %q", ext, notices)
		}
		if streams := libavtest.Probe(t, path, "stream", "a"); len(streams) != 1 {
			t.Errorf("%s: %d audio streams, want 1", ext, len(streams))
		}
	}
}

// TestCommitAfterSizeChange checks that the frames before a change of the size can be finished.
func TestCommitAfterSizeChange(t *testing.T) {
	dir := t.TempDir()
	libavtest.FFmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25", "-frames:v", "4", filepath.Join(dir, "a%d.png"))
	libavtest.FFmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=64x96:rate=25", "-frames:v", "1", filepath.Join(dir, "b%d.png"))
	r, err := decode.Open(background, dir, decode.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	path := filepath.Join(t.TempDir(), "a.mp4")
	o := options(96, 64)
	o.TimeBase = r.Info().TimeBase
	w, err := encode.Create(background, path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for {
		var f *frame.Frame
		if f, err = r.Read(); err != nil {
			break
		}
		if err := w.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	var size *decode.SizeError
	if !errors.As(err, &size) || size.Name != "b1.png" {
		t.Errorf("want a SizeError of b1.png: %v", err)
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	if list, _ := read(t, path); len(list) != 4 {
		t.Errorf("%d frames, want 4", len(list))
	}
}
