package encode_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/libav/libavtest"
)

var background = context.Background()

var thousandth = frame.Rational{Num: 1, Den: 1000}

// times are uneven, as a phone's are.
var times = []int64{0, 40, 73, 120, 121, 160, 240, 260, 301, 333}

// moving is a soft picture that moves with i, of which any codec keeps most.
func moving(width, height, i int) *frame.Frame {
	f := frame.New(width, height)
	for y := range height {
		for x := range width {
			at := 3 * (y*width + x)
			f.Pix[at], f.Pix[at+1], f.Pix[at+2] = byte(60+(x+3*i)%128), byte(60+y%128), byte(200-10*i)
		}
	}
	f.Index, f.PTS, f.TimeBase = i, times[i], thousandth
	if i == len(times)-1 {
		f.Duration = 25
	}
	return f
}

func options(width, height int) encode.Options {
	return encode.Options{Width: width, Height: height, TimeBase: thousandth, FrameRate: frame.Rational{Num: 25, Den: 1}, CRF: -1}
}

// fill writes all frames and finishes.
func fill(t testing.TB, path string, o encode.Options) (notices []string) {
	t.Helper()
	w, err := encode.Create(background, path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for i := range times {
		if err := w.Write(moving(o.Width, o.Height, i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	return w.Notices()
}

func read(t testing.TB, path string) (list []*frame.Frame, info decode.Info) {
	t.Helper()
	r, err := decode.Open(background, path, decode.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		f, err := r.Read()
		if err == io.EOF {
			return list, r.Info()
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, f)
	}
}

// names are what lies in a folder, hidden files included.
func names(t testing.TB, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

// Every kind of output keeps the same promises.
func TestContract(t *testing.T) {
	for _, name := range []string{"a.mp4", "a.m4v", "a.mov", "a.mkv", "a.webm", "pictures/", "numbered/%03d.png"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, name)
			if strings.HasSuffix(name, "/") {
				path += "/"
			}
			result := path // what a reader opens
			if strings.HasSuffix(name, ".png") {
				result = filepath.Dir(path)
			}
			o := options(96, 64)

			// Given up: nothing stays.
			w, err := encode.Create(background, path, o)
			if err != nil {
				t.Fatal(err)
			}
			f := moving(96, 64, 0)
			before := bytes.Clone(f.Pix)
			if err := w.Write(f); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(before, f.Pix) {
				t.Error("the caller's frame was changed")
			}
			if _, err := os.Stat(result); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("something has the final name before Commit: %v", err)
			}
			for range 2 {
				if err := w.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			}
			if err := w.Write(moving(96, 64, 1)); err == nil {
				t.Error("write after close")
			}
			if err := w.Commit(); err == nil {
				t.Error("commit after close")
			}
			if left := names(t, dir); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}

			// No frame, frames of another size or time base, frames out of order, a cancelled context.
			for what, bad := range map[string]func(w *encode.Writer, cancel func()) error{
				"no frame": func(w *encode.Writer, _ func()) error { return w.Commit() },
				"size":     func(w *encode.Writer, _ func()) error { return w.Write(moving(64, 96, 0)) },
				"order": func(w *encode.Writer, _ func()) error {
					if err := w.Write(moving(96, 64, 1)); err != nil {
						t.Fatal(err)
					}
					return w.Write(moving(96, 64, 1))
				},
				"time base": func(w *encode.Writer, _ func()) error {
					f := moving(96, 64, 0)
					f.TimeBase.Den = 25
					return w.Write(f)
				},
				"cancel": func(w *encode.Writer, cancel func()) error {
					cancel()
					if err := w.Commit(); !errors.Is(err, context.Canceled) {
						t.Errorf("commit after cancel: %v", err)
					}
					return w.Write(moving(96, 64, 0))
				},
			} {
				ctx, cancel := context.WithCancel(background)
				w, err := encode.Create(ctx, path, o)
				if err != nil {
					t.Fatal(err)
				}
				err = bad(w, cancel)
				if err == nil || what == "no frame" && !errors.Is(err, encode.ErrNoFrames) || what == "cancel" && !errors.Is(err, context.Canceled) {
					t.Errorf("%s: %v", what, err)
				}
				cancel()
				w.Close()
				if left := names(t, dir); len(left) != 0 {
					t.Errorf("%s: left behind: %v", what, left)
				}
			}

			// Finished: all frames are there, and the next one is refused, unless forced.
			fill(t, path, o)
			if left := names(t, dir); len(left) != 1 {
				t.Errorf("beside the output: %v", left)
			}
			list, info := read(t, result)
			if len(list) != len(times) || info.Width != 96 || info.Height != 64 {
				t.Fatalf("%d frames of %dx%d came back", len(list), info.Width, info.Height)
			}
			for i, f := range list {
				if mean, _, _ := libavtest.Difference(f.Pix, moving(96, 64, i).Pix); mean > 6 {
					t.Errorf("frame %d came back changed: mean difference %.1f", i, mean)
				}
			}
			if _, err := encode.Create(background, path, o); !errors.Is(err, encode.ErrExists) {
				t.Errorf("it exists: %v", err)
			}
			o.Force = true
			fill(t, path, o)
			if left := names(t, dir); len(left) != 1 {
				t.Errorf("beside the output: %v", left)
			}
			var none *encode.Writer
			if err := none.Close(); err != nil {
				t.Errorf("close of nil: %v", err)
			}
		})
	}
}

// What appears under the final name in the meantime is not overwritten.
func TestAppearedMeanwhile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.mkv")
	w, err := encode.Create(background, path, options(96, 64))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Write(moving(96, 64, 0)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("mine"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); !errors.Is(err, encode.ErrExists) {
		t.Errorf("commit: %v", err)
	}
	w.Close()
	if data, _ := os.ReadFile(path); string(data) != "mine" || len(names(t, filepath.Dir(path))) != 1 {
		t.Errorf("the folder holds %v, the file %q", names(t, filepath.Dir(path)), data)
	}
}

// Every codec writes frames that come back, FFV1 bit for bit, at their times.
func TestCodecs(t *testing.T) {
	for _, codec := range encode.Codecs() {
		if strings.Contains(codec, "_") {
			continue // hardware's; hardware_test.go
		}
		t.Run(codec, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.mkv")
			o := options(130, 98)
			o.Codec = codec
			if codec == "h264" {
				o.EncoderOptions = map[string]string{"preset": "veryfast", "x264-params": "ref=2"}
			}
			fill(t, path, o)
			list, _ := read(t, path)
			if len(list) != len(times) {
				t.Fatalf("%d frames came back", len(list))
			}
			for i, f := range list {
				mean, largest, _ := libavtest.Difference(f.Pix, moving(130, 98, i).Pix)
				if mean > 6 || codec == "ffv1" && largest > 0 {
					t.Errorf("frame %d came back changed: mean difference %.1f, largest %d", i, mean, largest)
				}
				if f.PTS != times[i] {
					t.Errorf("frame %d is at %d, want %d", i, f.PTS, times[i])
				}
			}
		})
	}
}

// H.265 in MP4 has the four-character code that Apple's players ask for.
func TestH265Tag(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.mp4")
	o := options(96, 64)
	o.Codec = "h265"
	fill(t, path, o)
	if tag := libavtest.Probe(t, path, "stream", "v:0")[0].Text("codec_tag_string"); tag != "hvc1" {
		t.Errorf("tag %q, want hvc1", tag)
	}
}

// Odd sides grow by a pixel that repeats the edge, where the codec needs it.
func TestOddSize(t *testing.T) {
	for _, c := range []struct {
		codec         string
		width, height int
	}{{"h264", 34, 18}, {"prores", 34, 17}, {"ffv1", 33, 17}} {
		path := filepath.Join(t.TempDir(), "a.mkv")
		o := options(33, 17)
		o.Codec = c.codec
		fill(t, path, o)
		list, info := read(t, path)
		if info.Width != c.width || info.Height != c.height {
			t.Errorf("%s: %dx%d, want %dx%d", c.codec, info.Width, info.Height, c.width, c.height)
			continue
		}
		for y := range c.height {
			a, b := 3*(y*c.width+32), 3*(y*c.width+c.width-1)
			if mean, _, _ := libavtest.Difference(list[0].Pix[a:a+3], list[0].Pix[b:b+3]); mean > 12 {
				t.Errorf("%s, row %d: the edge is %v, beyond it %v", c.codec, y, list[0].Pix[a:a+3], list[0].Pix[b:b+3])
			}
		}
	}
}

// A real clip, decoded and encoded: number, exact times, durations, aspect, colour tags and sound stay.
func TestRoundTrip(t *testing.T) {
	for _, name := range []string{
		"960x540-h264-dashcam-aac.mp4",              // constant rate, 1/25 s
		"720p-h264-rot180-vfr-fast-aac.mp4",         // variable rate
		"fhd-hevc10-hlg-rot90-vfr-editlist-aac.mp4", // edit list, 1/600 s
		"1024x750-h264-drone-lofoten.mp4",           // 1001/24000 s
		"720x480-mpeg2-interlaced-film.mp4",         // its clock begins at 138.9 s
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
					SampleAspect: i.SampleAspect, CRF: -1, CopyFrom: in, Origin: i.StartTime, EncoderOptions: map[string]string{"preset": "veryfast"}})
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
				shift := i.StartTime // in whole units of the input's time base, as libav rounds it
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
					// pts/base == (want-origin)*timebase, in whole numbers
					if pts*int64(base.Num)*int64(i.TimeBase.Den) != (want[k]-origin)*int64(i.TimeBase.Num)*int64(base.Den) {
						t.Fatalf("frame %d is at %d (%s s), want %d (%s s)", k, pts, base, want[k]-origin, i.TimeBase)
					}
				}
				// The end is the last frame's time and duration. (ffprobe adds up the durations in decoding order,
				// which miss the gap that the film's damaged picture leaves just before its end.)
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
				sound := func(path string) []byte {
					return libavtest.FFmpeg(t, "-i", path, "-map", "0:a:0", "-c", "copy", "-f", "md5", "-")
				}
				if i.Audio > 0 && len(w.Notices()) == 0 && !bytes.Equal(sound(path), sound(in)) {
					t.Error("the sound is not the input's")
				}
				if strings.Contains(name, "film") && ext == ".mp4" && (len(w.Notices()) != 1 || !strings.Contains(w.Notices()[0], "pcm_dvd")) {
					t.Errorf("notices %v, want one about pcm_dvd", w.Notices())
				}
			})
		}
	}
}

// Sound and pictures keep their distance, and the sound is cut with the pictures.
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
		o := encode.Options{Width: i.Width, Height: i.Height, TimeBase: i.TimeBase, FrameRate: i.FrameRate, CRF: -1,
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
		// The input's sound packets from 3.3 s (here 3.28 s: whole frames of 1/25 s) have their times less that.
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
			t.Errorf("shortest %v: sound begins at %v with %d packets %v, want %d %v", shortest, first, len(got), got, len(want), want)
		}
	}
}

// What a container cannot hold is left out with a word; what it can is copied.
func TestOtherStreams(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "a.srt")
	if err := os.WriteFile(text, []byte("1\n00:00:00,100 --> 00:00:00,900\nHello\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	in := filepath.Join(dir, "in.mkv")
	libavtest.FFmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25:duration=1", "-f", "lavfi", "-i", "sine=duration=1", "-i", text,
		"-map", "0", "-map", "1", "-map", "1", "-map", "2", "-c:v", "libx264", "-c:a:0", "pcm_s16le", "-c:a:1", "aac", "-c:s", "srt", in)
	for ext, want := range map[string][]string{
		".mkv": {"h264", "pcm_s16le", "aac", "subrip"}, ".mp4": {"h264", "aac"}, ".mov": {"h264", "pcm_s16le", "aac"}, ".webm": {"vp9"},
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

// A container that counts coarsely says so.
func TestCoarseContainer(t *testing.T) {
	o := options(96, 64)
	o.TimeBase = frame.Rational{Num: 1001, Den: 30000}
	for ext, want := range map[string]int{".mkv": 1, ".mp4": 0} {
		w, err := encode.Create(background, filepath.Join(t.TempDir(), "a"+ext), o)
		if err != nil {
			t.Fatal(err)
		}
		if n := w.Notices(); len(n) != want {
			t.Errorf("%s: notices %q, want %d", ext, n, want)
		}
		w.Close()
	}
}

// An MP4 has its index before its pictures, so that it plays while it loads.
func TestIndexInFront(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.mp4")
	fill(t, path, options(96, 64))
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if i, j := bytes.Index(data, []byte("moov")), bytes.Index(data, []byte("mdat")); i < 0 || j < i {
		t.Errorf("moov at %d, mdat at %d", i, j)
	}
}

func TestErrors(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		name, path string
		change     func(o *encode.Options)
		want       error
	}{
		{"no extension", "a", nil, nil},
		{"unknown extension", "a.gif", nil, encode.ErrUnknown},
		{"pictures with a quality", "a%03d.png", func(o *encode.Options) { o.CRF = 3 }, encode.ErrUnknown},
		{"one picture", "a.png", nil, nil},
		{"a device", "/dev/null", func(o *encode.Options) { o.Force = true }, nil},
		{"no such folder", "none/a.mp4", nil, fs.ErrNotExist},
		{"unknown codec", "a.mp4", func(o *encode.Options) { o.Codec = "h263" }, encode.ErrUnknown},
		{"bad pair", "a.mp4", func(o *encode.Options) { o.Codec = "prores" }, encode.ErrCodecContainer},
		{"bad pair", "a.webm", func(o *encode.Options) { o.Codec = "h264" }, encode.ErrCodecContainer},
		{"unknown option", "a.mp4", func(o *encode.Options) { o.EncoderOptions = map[string]string{"presett": "fast"} }, encode.ErrOption},
		{"bad option", "a.mp4", func(o *encode.Options) { o.EncoderOptions = map[string]string{"preset": "quick"} }, encode.ErrOption},
		{"bad value", "a.mp4", func(o *encode.Options) { o.EncoderOptions = map[string]string{"aq-mode": "eleven"} }, nil},
		{"unknown option inside", "a.mp4", func(o *encode.Options) { o.EncoderOptions = map[string]string{"x264-params": "reff=1"} }, nil},
		{"crf without one", "a.mov", func(o *encode.Options) { o.Codec, o.CRF = "prores", 5 }, encode.ErrOption},
		{"size", "a.mp4", func(o *encode.Options) { o.Width = 0 }, nil},
		{"huge", "a.mp4", func(o *encode.Options) { o.Width = 1 << 20 }, nil},
		{"time base", "a.mp4", func(o *encode.Options) { o.TimeBase.Den = 0 }, nil},
		{"no sound file", "a.mp4", func(o *encode.Options) { o.CopyFrom = filepath.Join(dir, "none.mp4") }, nil},
	} {
		o := options(96, 64)
		if c.change != nil {
			c.change(&o)
		}
		path := c.path
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		w, err := encode.Create(background, path, o)
		if err == nil || w != nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
			continue
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: more than one sentence: %q", c.name, err)
		}
		t.Log(err)
		// What no frame can change is known beforehand.
		if early := encode.Check(path, o); c.want != nil && !errors.Is(c.want, fs.ErrNotExist) && !errors.Is(early, c.want) {
			t.Errorf("%s: Check says %v, want %v", c.name, early, c.want)
		}
	}
	if err := encode.Check(filepath.Join(dir, "fine.mp4"), encode.Options{CRF: -1}); err != nil {
		t.Errorf("nothing is wrong, and Check says %v", err)
	}
	if left := names(t, dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A full disk is one clear error, and nothing stays.
func TestFullDisk(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("skipped: mounting a small file system needs root")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("skipped: a small file system cannot be mounted here: %v", err)
	}
	defer syscall.Unmount(dir, 0)
	for _, name := range []string{"a.mp4", "a.mkv", "pictures/"} {
		o := options(640, 480)
		if !strings.HasSuffix(name, "/") {
			o.CRF = 0
		}
		path := dir + "/" + name
		w, err := encode.Create(background, path, o)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(times) && err == nil; i++ {
			f := moving(640, 480, i)
			for j := range f.Pix {
				f.Pix[j] ^= byte(j * j >> 4) // noise does not compress
			}
			err = w.Write(f)
		}
		if err == nil {
			err = w.Commit()
		}
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "disk is full") {
			t.Errorf("%s: %v", name, err)
		}
		w.Close()
		if left := names(t, dir); len(left) != 0 {
			t.Errorf("%s: left behind: %v", name, left)
		}
	}
}
