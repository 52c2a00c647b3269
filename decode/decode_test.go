package decode_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
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
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/libav/libavtest"
)

var background = context.Background()

// all reads an input to its end.
func all(t testing.TB, name string, o decode.Options) ([]*frame.Frame, decode.Info, int) {
	t.Helper()
	r, err := decode.Open(background, name, o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var list []*frame.Frame
	for {
		f, err := r.Read()
		if err == io.EOF {
			return list, r.Info(), r.Corrupt()
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, f)
	}
}

// clip is a real clip with what must be true of it.
type clip struct {
	name    string
	frames  int // that ffprobe decodes
	corrupt int // of those: damaged
	filters string
	want    decode.Info
}

// toneMap is the reference's way for HDR, in ffmpeg's words.
const toneMap = "zscale=transfer=linear:npl=203:primaries=bt709:matrix=gbr:range=full,format=gbrpf32le,tonemap=mobius:desat=0,zscale=transfer=bt709:matrix=gbr:range=full,format=gbrp,"

var clips = []clip{
	{"1024x750-h264-drone-lofoten.mp4", 105, 0, "scale=in_color_matrix=bt709", decode.Info{Width: 1024, Height: 750, ColorRange: "tv", ColorMatrix: "bt709", BitDepth: 8, Audio: 1}},
	{"4k60-h264-rot90-vfr-aac.mp4", 18, 0, "", decode.Info{Width: 2160, Height: 3840, Rotation: 90, ColorRange: "pc", ColorMatrix: "bt470bg", BitDepth: 8, Audio: 1}},
	{"704x480-mpeg2-interlaced-tff.mp4", 202, 0, "bwdif=mode=send_frame", decode.Info{Width: 704, Height: 480, ColorRange: "tv", ColorMatrix: "smpte170m", BitDepth: 8, Interlaced: true, SampleAspect: frame.Rational{Num: 10, Den: 11}}},
	{"720p-h264-444-mp3-cockatoo.mp4", 280, 0, "scale=in_color_matrix=bt709", decode.Info{Width: 1280, Height: 720, ColorRange: "tv", ColorMatrix: "bt709", BitDepth: 8, Audio: 1}},
	{"720p-h264-rot180-vfr-fast-aac.mp4", 25, 0, "scale=in_color_matrix=bt709", decode.Info{Width: 1280, Height: 720, Rotation: 180, ColorRange: "tv", ColorMatrix: "bt709", BitDepth: 8, Audio: 1, SampleAspect: frame.Rational{Num: 1, Den: 1}}},
	{"720p-h264-rot90-phone-3gp5.mp4", 39, 0, "scale=in_color_matrix=bt709", decode.Info{Width: 720, Height: 1280, Rotation: 90, ColorRange: "tv", ColorMatrix: "bt709", BitDepth: 8, Audio: 1}},
	{"720x480-mpeg2-interlaced-film.mp4", 17, 1, "bwdif=mode=send_frame", decode.Info{Width: 720, Height: 480, ColorRange: "tv", ColorMatrix: "smpte170m", BitDepth: 8, Audio: 1, Interlaced: true, SampleAspect: frame.Rational{Num: 8, Den: 9}}},
	{"848x480-h264-gopro-walk-aac.mp4", 315, 0, "", decode.Info{Width: 848, Height: 480, ColorRange: "pc", ColorMatrix: "bt709", BitDepth: 8, Audio: 1, SampleAspect: frame.Rational{Num: 1, Den: 1}}},
	{"852x480-vp9.mp4", 150, 0, "", decode.Info{Width: 852, Height: 480, ColorRange: "tv", ColorMatrix: "smpte170m", BitDepth: 8, SampleAspect: frame.Rational{Num: 1, Den: 1}}},
	{"960x540-h264-dashcam-aac.mp4", 221, 0, "", decode.Info{Width: 960, Height: 540, ColorRange: "tv", ColorMatrix: "smpte170m", BitDepth: 8, Audio: 1, SampleAspect: frame.Rational{Num: 1, Den: 1}}},
	{"fhd-av1-10bit-pq-60fps-aac.mp4", 60, 0, toneMap, decode.Info{Width: 1920, Height: 1080, ColorRange: "tv", ColorMatrix: "bt2020nc", BitDepth: 10, Audio: 1, SampleAspect: frame.Rational{Num: 1, Den: 1}, ToneMapped: true}},
	{"fhd-hevc-boat-palawan.mp4", 98, 0, "scale=in_color_matrix=bt709", decode.Info{Width: 1920, Height: 1080, ColorRange: "pc", ColorMatrix: "bt709", BitDepth: 8}},
	{"fhd-hevc10-hlg-rot90-vfr-editlist-aac.mp4", 77, 0, toneMap, decode.Info{Width: 1080, Height: 1920, Rotation: 90, ColorRange: "tv", ColorMatrix: "bt2020nc", BitDepth: 10, Audio: 1, ToneMapped: true}},
}

// Every clip is described truly, and its first frames have ffprobe's times and the pixels of
// `ffmpeg -pix_fmt rgb24`.
func TestClips(t *testing.T) {
	const n = 3
	for _, c := range clips {
		t.Run(c.name, func(t *testing.T) {
			path := libavtest.Clip(t, c.name)
			frames, info, _ := all(t, path, decode.Options{Frames: n})
			got := decode.Info{Width: info.Width, Height: info.Height, Rotation: info.Rotation, ColorRange: info.ColorRange, ColorMatrix: info.ColorMatrix,
				BitDepth: info.BitDepth, Audio: info.Audio, Interlaced: info.Interlaced, SampleAspect: info.SampleAspect, ToneMapped: info.ToneMapped}
			if got != c.want {
				t.Errorf("info %+v, want %+v", got, c.want)
			}
			if info.Frames != n || !info.FramesExact || len(frames) != n {
				t.Fatalf("%d frames, %d stated (exact: %v), want %d", len(frames), info.Frames, info.FramesExact, n)
			}
			filters := strings.TrimSuffix(c.filters, ",")
			if filters == "" {
				filters = "null"
			}
			raw := libavtest.FFmpeg(t, "-i", path, "-map", "0:v:0", "-frames:v", fmt.Sprint(n), "-vsync", "0", "-vf", filters, "-pix_fmt", "rgb24", "-f", "rawvideo", "-")
			size := 3 * info.Width * info.Height
			if len(raw) != n*size {
				t.Fatalf("ffmpeg gives %d bytes, want %d", len(raw), n*size)
			}
			for i, f := range frames {
				mean, largest, far := libavtest.Difference(f.Pix, raw[i*size:(i+1)*size])
				t.Logf("frame %d: mean difference %.3f, largest %d, beyond 16: %.5f", i, mean, largest, far)
				if mean > 1.2 || far > 0.003 {
					t.Errorf("frame %d differs from ffmpeg's: mean %.3f, largest %d, beyond 16: %.5f", i, mean, largest, far)
				}
			}
		})
	}
}

// Info knows the number of frames of every clip before they are decoded.
func TestFrames(t *testing.T) {
	for _, c := range clips {
		r, err := decode.Open(background, libavtest.Clip(t, c.name), decode.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if i := r.Info(); i.Frames != c.frames || !i.FramesExact {
			t.Errorf("%s: %d frames stated (exact: %v), want %d", c.name, i.Frames, i.FramesExact, c.frames)
		}
		r.Close()
	}
}

// Uncounted, an input gives the same frames, and says nothing of their number.
func TestUncounted(t *testing.T) {
	path := libavtest.Clip(t, "848x480-h264-gopro-walk-aac.mp4")
	o := decode.Options{Start: 7 * time.Second, Frames: 2}
	counted, err := decode.Open(background, path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer counted.Close()
	o.Uncounted = true
	r, err := decode.Open(background, path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if i := r.Info(); i.Frames != 0 || i.FramesExact || counted.Info().Frames != 2 {
		t.Errorf("%d frames stated (exact: %v) uncounted, %d counted", i.Frames, i.FramesExact, counted.Info().Frames)
	}
	for range 2 {
		a, err := counted.Read()
		b, err2 := r.Read()
		if err != nil || err2 != nil || a.PTS != b.PTS || !bytes.Equal(a.Pix, b.Pix) {
			t.Fatal("another frame", err, err2)
		}
	}
	if _, err := r.Read(); err != io.EOF {
		t.Errorf("after them: %v", err)
	}
}

// To the end there are as many frames as ffprobe decodes, at the same times: with pictures that an edit list
// discards, with B pictures, with variable rate, interlaced, and damaged.
func TestTimes(t *testing.T) {
	for _, c := range clips {
		switch c.name[:4] {
		case "1024", "704x", "720x", "852x", "fhd-": // the other clips have nothing more to show here
		default:
			continue
		}
		if strings.Contains(c.name, "av1") || strings.Contains(c.name, "boat") {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			path := libavtest.Clip(t, c.name)
			r, err := decode.Open(background, path, decode.Options{Scale: 0.1})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			n := 0
			var pts []int64
			for ; ; n++ {
				f, err := r.Read()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				pts = append(pts, f.PTS)
			}
			if n+r.Corrupt() != c.frames || r.Corrupt() != c.corrupt {
				t.Errorf("%d frames and %d damaged, want %d and %d", n, r.Corrupt(), c.frames-c.corrupt, c.corrupt)
			}
			entries := libavtest.Probe(t, path, "frame", "v:0", "-show_entries", "frame=best_effort_timestamp", "-read_intervals", "%+#60")
			if c.corrupt > 0 { // ffprobe shows damaged pictures too, the last one without a time
				entries = entries[:len(pts)-1]
			}
			for i := 0; i < min(50, len(pts), len(entries)); i++ {
				if want, ok := entries[i].Int("best_effort_timestamp"); ok && pts[i] != want {
					t.Fatalf("frame %d is at %d, ffprobe says %d", i, pts[i], want)
				}
			}
		})
	}
}

// contract is what every source promises. open must give a fresh source of at least five frames each time.
func contract(t *testing.T, open func(t *testing.T, ctx context.Context) *decode.Reader, frames int) {
	r := open(t, background)
	info := r.Info()
	var list []*frame.Frame
	var copies [][]byte
	for {
		f, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		list, copies = append(list, f), append(copies, bytes.Clone(f.Pix))
	}
	if len(list) != frames {
		t.Fatalf("%d frames, want %d", len(list), frames)
	}
	if info.FramesExact && info.Frames != frames {
		t.Errorf("%d frames stated as exact, %d came", info.Frames, frames)
	}
	for i, f := range list {
		if f.Index != i || f.Width != info.Width || f.Height != info.Height || f.TimeBase != info.TimeBase || len(f.Pix) != 3*f.Width*f.Height {
			t.Errorf("frame %d: index %d, %dx%d, time base %s, %d bytes", i, f.Index, f.Width, f.Height, f.TimeBase, len(f.Pix))
		}
		if !bytes.Equal(f.Pix, copies[i]) {
			t.Errorf("frame %d changed after it was returned", i)
		}
		if i == 0 {
			continue
		}
		if f.PTS <= list[i-1].PTS {
			t.Errorf("frame %d is at %d, the one before at %d", i, f.PTS, list[i-1].PTS)
		}
		if &f.Pix[0] == &list[i-1].Pix[0] {
			t.Errorf("frames %d and %d share memory", i-1, i)
		}
		if bytes.Equal(f.Pix, list[i-1].Pix) {
			t.Errorf("frames %d and %d, held at once, are the same picture", i-1, i)
		}
	}
	if _, err := r.Read(); err != io.EOF {
		t.Errorf("after the end: %v, want io.EOF", err)
	}
	for range 2 {
		if err := r.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	if _, err := r.Read(); err == nil || err == io.EOF {
		t.Errorf("read after close: %v", err)
	}
	var none *decode.Reader
	if err := none.Close(); err != nil {
		t.Errorf("close of nil: %v", err)
	}

	ctx, cancel := context.WithCancel(background)
	r = open(t, ctx)
	defer r.Close()
	if _, err := r.Read(); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := r.Read(); !errors.Is(err, context.Canceled) {
		t.Errorf("read after cancel: %v", err)
	}
	if r.Close(); r.Info().Path != info.Path {
		t.Error("info is lost after close")
	}
}

func TestContract(t *testing.T) {
	dir := t.TempDir()
	movie := func(name string, args ...string) string {
		path := filepath.Join(dir, name)
		libavtest.FFmpeg(t, append(append([]string{"-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25", "-frames:v", "12", "-pix_fmt", "yuv420p"}, args...), path)...)
		return path
	}
	pictures := filepath.Join(dir, "pictures")
	if err := os.Mkdir(pictures, 0o777); err != nil {
		t.Fatal(err)
	}
	libavtest.FFmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25", "-frames:v", "12", filepath.Join(pictures, "p%d.png"))
	sources := map[string]string{
		"mp4":           movie("a.mp4"),
		"mkv":           movie("a.mkv"),
		"ts":            movie("a.ts"),
		"avi":           movie("a.avi", "-c:v", "mpeg4"),
		"folder":        pictures,
		"pipe mkv":      movie("b.mkv"),
		"pipe mp4":      movie("b.mp4", "-movflags", "faststart"),
		"redirect mp4":  movie("c.mp4"),
		"pipe mpeg2 ts": movie("d.ts", "-c:v", "mpeg2video"),
	}
	for name, path := range sources {
		t.Run(name, func(t *testing.T) {
			contract(t, func(t *testing.T, ctx context.Context) *decode.Reader {
				input := path
				switch {
				case strings.HasPrefix(name, "pipe"):
					stdin(t, feed(t, path))
					input = "-"
				case strings.HasPrefix(name, "redirect"):
					f, err := os.Open(path)
					if err != nil {
						t.Fatal(err)
					}
					stdin(t, f)
					input = "-"
				}
				r, err := decode.Open(ctx, input, decode.Options{})
				if err != nil {
					t.Fatal(err)
				}
				return r
			}, 12)
		})
	}
}

// stdin makes f the standard input of this test.
func stdin(t *testing.T, f *os.File) {
	t.Helper()
	before := os.Stdin
	os.Stdin = f
	t.Cleanup(func() { os.Stdin = before; f.Close() })
}

// feed is the reading end of a pipe into which a file is written.
func feed(t *testing.T, path string) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		w.Write(data) // fails where the reader stops early
		w.Close()
	}()
	return r
}

// A silent pipe must not keep a cancelled program.
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

// A named pipe is read like standard input, and one without a writer does not keep a cancelled program.
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
		t.Errorf("nobody writes: %v", err)
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
	if frames, _, _ := all(t, fifo, decode.Options{}); len(frames) != 12 {
		t.Errorf("%d frames, want 12", len(frames))
	}
}

// Rotation metadata of each quarter turn leads to the same upright picture, in every kind of pixels.
func TestRotation(t *testing.T) {
	dir := t.TempDir()
	for format, tolerance := range map[string]float64{"yuv444p": 0, "yuvj420p": 0.1, "yuvj422p": 6, "yuv422p10le": 6} {
		flat := filepath.Join(dir, format+".mp4")
		libavtest.FFmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=10", "-frames:v", "3", "-pix_fmt", format, "-crf", "0", flat)
		plain, _, _ := all(t, flat, decode.Options{})
		for _, angle := range []int{0, 90, 180, 270} {
			turned := filepath.Join(dir, fmt.Sprintf("%s%d.mp4", format, angle))
			libavtest.FFmpeg(t, "-i", flat, "-c", "copy", "-metadata:s:v:0", fmt.Sprintf("rotate=%d", angle), turned)
			frames, info, _ := all(t, turned, decode.Options{})
			// ffmpeg's option and ffprobe count against the clock, Info with it.
			clockwise := (360 - angle) % 360
			if info.Rotation != clockwise {
				t.Errorf("rotation %d, want %d", info.Rotation, clockwise)
			}
			for i, f := range frames {
				// Halved chroma is interpolated along other rows once it is turned, so edges may differ there.
				if mean, _, _ := libavtest.Difference(f.Pix, turnedBy(plain[i], clockwise)); mean > tolerance {
					t.Errorf("%s, %d degrees, frame %d: mean difference %.2f", format, clockwise, i, mean)
				} else if i == 0 {
					t.Logf("%s, %d degrees: mean difference %.2f", format, clockwise, mean)
				}
			}
		}
	}
}

// turnedBy is a frame's pixels turned clockwise.
func turnedBy(f *frame.Frame, clockwise int) []byte {
	w, h := f.Width, f.Height
	width, height := w, h
	if clockwise%180 == 90 {
		width, height = h, w
	}
	out := make([]byte, 0, len(f.Pix))
	for y := range height {
		for x := range width {
			cx, cy := x, y
			switch clockwise {
			case 90:
				cx, cy = y, h-1-x
			case 180:
				cx, cy = w-1-x, h-1-y
			case 270:
				cx, cy = w-1-y, x
			}
			at := 3 * (cy*w + cx)
			out = append(out, f.Pix[at:at+3]...)
		}
	}
	return out
}

// A rotated picture's sample aspect ratio turns with it.
func TestRotatedAspect(t *testing.T) {
	flat, path := filepath.Join(t.TempDir(), "a.mp4"), filepath.Join(t.TempDir(), "b.mp4")
	libavtest.FFmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=10", "-frames:v", "2", "-pix_fmt", "yuv420p", "-vf", "setsar=4/3", flat)
	libavtest.FFmpeg(t, "-i", flat, "-c", "copy", "-metadata:s:v:0", "rotate=90", path)
	_, info, _ := all(t, path, decode.Options{})
	if want := (frame.Rational{Num: 3, Den: 4}); info.SampleAspect != want || info.Width != 48 || info.Height != 64 {
		t.Errorf("%dx%d, sample aspect %s, want 48x64, %s", info.Width, info.Height, info.SampleAspect, want)
	}
}

// Options choose a part by time and by number; the clip has B pictures, variable rate and an edit list.
func TestParts(t *testing.T) {
	for _, name := range []string{"fhd-hevc10-hlg-rot90-vfr-editlist-aac.mp4", "704x480-mpeg2-interlaced-tff.mp4", "720p-h264-rot180-vfr-fast-aac.mp4"} {
		path := libavtest.Clip(t, name)
		whole, info, _ := all(t, path, decode.Options{Scale: 0.1})
		for k, o := range []decode.Options{
			{Start: time.Second, Duration: 600 * time.Millisecond},
			{Start: 1500 * time.Millisecond},
			{Start: 700 * time.Millisecond, Frames: 3},
		} {
			if k > 0 && strings.Contains(name, "hlg") {
				break // slow, and one part shows it
			}
			var want []int64
			for _, f := range whole {
				at := f.Time() - info.StartTime + time.Microsecond
				if at >= o.Start && (o.Duration == 0 || at < o.Start+o.Duration) && (o.Frames == 0 || len(want) < o.Frames) {
					want = append(want, f.PTS)
				}
			}
			o.Scale = 0.1
			part, pi, _ := all(t, path, o)
			var got []int64
			for _, f := range part {
				got = append(got, f.PTS)
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s from %v for %v, at most %d: times %v, want %v", name, o.Start, o.Duration, o.Frames, got, want)
			}
			if pi.Frames != len(want) || !pi.FramesExact {
				t.Errorf("%s from %v for %v: %d frames stated (exact: %v), want %d", name, o.Start, o.Duration, pi.Frames, pi.FramesExact, len(want))
			}
		}
	}
	path := libavtest.Clip(t, "720p-h264-rot90-phone-3gp5.mp4")
	if _, err := decode.Open(background, path, decode.Options{Start: time.Hour}); !errors.Is(err, decode.ErrWindow) {
		t.Errorf("a start after the end: %v", err)
	}
}

func TestScale(t *testing.T) {
	path := libavtest.Clip(t, "720p-h264-rot90-phone-3gp5.mp4")
	full, _, _ := all(t, path, decode.Options{Frames: 1})
	half, info, _ := all(t, path, decode.Options{Frames: 1, Scale: 0.5})
	if info.Width != 360 || info.Height != 640 || half[0].Width != 360 || half[0].Height != 640 {
		t.Fatalf("%dx%d stated, %dx%d came, want 360x640", info.Width, info.Height, half[0].Width, half[0].Height)
	}
	small := make([]byte, 0, len(half[0].Pix)) // each pixel the mean of four
	for y := 0; y < 1280; y += 2 {
		for x := 0; x < 720; x += 2 {
			for c := range 3 {
				p := func(dx, dy int) int { return int(full[0].Pix[3*((y+dy)*720+x+dx)+c]) }
				small = append(small, byte((p(0, 0)+p(1, 0)+p(0, 1)+p(1, 1)+2)/4))
			}
		}
	}
	if mean, _, _ := libavtest.Difference(half[0].Pix, small); mean > 2 {
		t.Errorf("the half size is not the picture's: mean difference %.2f", mean)
	}
}

// Deinterlacing gives one frame for a frame at the same times, and changes the picture.
func TestDeinterlace(t *testing.T) {
	path := libavtest.Clip(t, "704x480-mpeg2-interlaced-tff.mp4")
	on, i, _ := all(t, path, decode.Options{Frames: 20})
	off, j, _ := all(t, path, decode.Options{Frames: 20, Deinterlace: "off"})
	if !i.Interlaced || !i.Deinterlaced || !j.Interlaced || j.Deinterlaced {
		t.Errorf("auto: %v %v, off: %v %v", i.Interlaced, i.Deinterlaced, j.Interlaced, j.Deinterlaced)
	}
	differ := false
	for k := range on {
		if on[k].PTS != off[k].PTS {
			t.Errorf("frame %d is at %d, without deinterlacing at %d", k, on[k].PTS, off[k].PTS)
		}
		differ = differ || !bytes.Equal(on[k].Pix, off[k].Pix)
	}
	if !differ {
		t.Error("deinterlacing changed nothing")
	}
}

// A damaged picture in the middle is skipped and counted, and reading goes on.
func TestDamagedPicture(t *testing.T) {
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
	frames, info, corrupt := all(t, damaged, decode.Options{Scale: 0.1})
	if corrupt < 1 || corrupt > 60 || len(frames)+corrupt != 221 || info.Frames != 221 {
		t.Errorf("%d frames, %d damaged, %d stated; want 221 in all", len(frames), corrupt, info.Frames)
	}
	if last := frames[len(frames)-1].PTS; last != 220 {
		t.Errorf("the last frame is at %d, want 220", last)
	}
}

// Of a truncated file comes what is there; without its index nothing can.
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
	frames, info, corrupt := all(t, cut, decode.Options{Scale: 0.1})
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

// A last packet that is cut in two costs its own frame and no other, also where threads decode behind the packets.
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
		frames, info, corrupt := all(t, cut, decode.Options{Scale: 0.1, Threads: threads})
		if len(frames) != 2 || corrupt != 1 || info.Frames != 3 {
			t.Errorf("%d threads: %d frames, %d damaged, %d stated; want 2, 1 and 3", threads, len(frames), corrupt, info.Frames)
		}
	}
}

// A stream that changes its size in the middle is refused there.
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
	var size *decode.SizeError // libav's MPEG-2 decoder drops the picture that it holds back at such a change
	if !errors.As(err, &size) || size.Width != 128 || n < 4 || n > 5 {
		t.Errorf("after %d frames: %v", n, err)
	}
}

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
		{"words", write("words.mp4", []byte(strings.Repeat("these are words\n", 99))), decode.Options{}, decode.ErrFormat},
		{"sound only", sound, decode.Options{}, decode.ErrNoVideo},
		{"a cover is no video", cover, decode.Options{}, decode.ErrNoVideo},
		{"bare folder", bare, decode.Options{}, decode.ErrNoPictures},
		{"negative start", sound, decode.Options{Start: -1}, nil},
		{"negative frames", sound, decode.Options{Frames: -1}, nil},
		{"scale", sound, decode.Options{Scale: -2}, nil},
		{"deinterlace", sound, decode.Options{Deinterlace: "perhaps"}, nil},
	} {
		r, err := decode.Open(background, c.path, c.o)
		if err == nil || r != nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
			continue
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: more than one sentence: %q", c.name, err)
		}
		t.Log(err)
	}
	// What cannot come through a pipe, an empty pipe, and a context that has ended already.
	stdin(t, feed(t, filepath.Join(dir, "empty.mp4")))
	if _, err := decode.Open(background, "-", decode.Options{}); !errors.Is(err, decode.ErrEmpty) {
		t.Errorf("empty pipe: %v", err)
	}
	back := filepath.Join(dir, "back.mp4")
	libavtest.FFmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=640x480:rate=25", "-frames:v", "30", "-crf", "0", back)
	stdin(t, feed(t, back))
	if _, err := decode.Open(background, "-", decode.Options{}); !errors.Is(err, decode.ErrNoFrames) {
		t.Errorf("index at the end, through a pipe: %v", err)
	}
	ctx, cancel := context.WithCancel(background)
	cancel()
	if _, err := decode.Open(ctx, sound, decode.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: %v", err)
	}
}

func save(t *testing.T, path string, m image.Image) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if strings.HasSuffix(path, ".png") {
		err = png.Encode(f, m)
	} else {
		err = jpeg.Encode(f, m, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func gray(width, height int, v uint8) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := range m.Pix {
		m.Pix[i] = v
	}
	for i := 3; i < len(m.Pix); i += 4 {
		m.Pix[i] = 255
	}
	return m
}

// A picture that was taken sideways says so in its EXIF data.
func TestFolderTurnsPicturesAsTheirEXIFSays(t *testing.T) {
	dir, m := t.TempDir(), gray(32, 16, 40)
	draw.Draw(m, image.Rect(0, 0, 16, 16), image.White, image.Point{}, draw.Src) // the left half is white
	path := filepath.Join(dir, "0.jpg")
	save(t, path, m)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// APP1 with one entry, Orientation = 6: turn it clockwise by 90 degrees to see it upright (Exif 2.32, 4.6.4).
	exif := "\xff\xe1\x00\x22Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"
	if err := os.WriteFile(path, slices.Concat(data[:2], []byte(exif), data[2:]), 0o600); err != nil {
		t.Fatal(err)
	}
	frames, _, _ := all(t, dir, decode.Options{})
	if len(frames) != 1 {
		t.Fatalf("%d frames of one picture", len(frames))
	}
	f := frames[0]
	if f.Width != 16 || f.Height != 32 || f.Pix[0] < 200 || f.Pix[len(f.Pix)-1] > 100 {
		t.Errorf("%dx%d, from %d at the top to %d at the bottom; want 16x32 with the white half on top", f.Width, f.Height, f.Pix[0], f.Pix[len(f.Pix)-1])
	}
}

// A folder's pictures come in natural order, whatever their kind; a damaged one is skipped and counted.
func TestFolder(t *testing.T) {
	dir := t.TempDir()
	save(t, filepath.Join(dir, "f2.png"), gray(20, 10, 20))
	save(t, filepath.Join(dir, "f10.JPG"), gray(20, 10, 100))
	deep := image.NewRGBA64(image.Rect(0, 0, 20, 10))
	for i := range 200 {
		deep.Set(i%20, i/20, color.RGBA64{R: 200 << 8, G: 10 << 8, B: 90 << 8, A: 0xffff})
	}
	save(t, filepath.Join(dir, "f11.png"), deep)
	save(t, filepath.Join(dir, "f1.png"), gray(20, 10, 10))
	for name, data := range map[string]string{"f3.png": "\x89PNG\r\n\x1a\n and no more", "notes.txt": "no picture", ".f0.png": "hidden"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	o := decode.Options{FrameRate: frame.Rational{Num: 30000, Den: 1001}}
	frames, info, corrupt := all(t, dir, o)
	want := [][3]byte{{10, 10, 10}, {20, 20, 20}, {100, 100, 100}, {200, 10, 90}}
	if len(frames) != len(want) || corrupt != 1 || info.Frames != 5 || info.TimeBase != (frame.Rational{Num: 1001, Den: 30000}) {
		t.Fatalf("%d frames, %d damaged, info %+v", len(frames), corrupt, info)
	}
	for i, f := range frames {
		if got := [3]byte(f.Pix[3*25 : 3*25+3]); got != want[i] {
			t.Errorf("frame %d is %v, want %v", i, got, want[i])
		}
	}
	if got := []int64{frames[1].PTS, frames[2].PTS, frames[3].PTS}; fmt.Sprint(got) != "[1 3 4]" {
		t.Errorf("times %v: a damaged picture must keep its place", got)
	}
	frames, info, _ = all(t, dir, decode.Options{Scale: 0.5, Start: 100 * time.Millisecond, Duration: 100 * time.Millisecond})
	if len(frames) != 2 || frames[0].PTS != 3 || info.Width != 10 || frames[0].Height != 5 {
		t.Errorf("part: %d frames, info %+v", len(frames), info)
	}
	save(t, filepath.Join(dir, "f4.png"), gray(22, 10, 10))
	r, err := decode.Open(background, dir, decode.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for err == nil {
		_, err = r.Read()
	}
	var size *decode.SizeError
	if !errors.As(err, &size) || size.Name != "f4.png" {
		t.Errorf("another size: %v", err)
	}
	t.Log(err)
}

// Whatever a file holds, reading it ends with frames or an error.
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
			t.Fatal("it hangs")
		}
		if err != nil {
			return
		}
		defer r.Close()
		for {
			frame, err := r.Read()
			if errors.Is(err, context.DeadlineExceeded) {
				t.Fatal("it hangs")
			}
			if err != nil {
				return
			}
			if i := r.Info(); frame.Width != i.Width || frame.Height != i.Height || len(frame.Pix) != 3*i.Width*i.Height {
				t.Fatalf("a frame of %dx%d with %d bytes, Info says %dx%d", frame.Width, frame.Height, len(frame.Pix), i.Width, i.Height)
			}
		}
	})
}
