package decode_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/libav/libavtest"
)

// clip is a real clip and what is known about it.
type clip struct {
	name    string
	frames  int // according to ffprobe
	corrupt int // of those: damaged
	filters string
	want    decode.Info
}

// toneMap is the tone mapping of the ffmpeg command that serves as the reference.
const toneMap = "zscale=transfer=linear:npl=203:primaries=bt709:matrix=gbr:range=full,format=gbrpf32le,tonemap=mobius:desat=0,zscale=transfer=bt709:matrix=gbr:range=full,format=gbrp,"

// clips covers codecs, bit depths, rotation, variable frame rates, edit lists, HDR and interlacing.
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

// TestClips compares Info with known values and the first frames with those of `ffmpeg -pix_fmt rgb24`.
func TestClips(t *testing.T) {
	const n = 3
	for _, c := range clips {
		t.Run(c.name, func(t *testing.T) {
			path := libavtest.Clip(t, c.name)
			frames, info, _ := readAll(t, path, decode.Options{Frames: n})
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

// TestFrameCount checks that Info states the exact number of frames before they are read.
func TestFrameCount(t *testing.T) {
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

// TestUncounted checks that Options.Uncounted changes nothing but the stated number of frames.
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
			t.Fatal("frames differ", err, err2)
		}
	}
	if _, err := r.Read(); err != io.EOF {
		t.Errorf("after the last frame: %v", err)
	}
}

// TestTimes compares the number of frames and their time stamps with those of ffprobe: with frames that an edit list
// discards, with B-frames, with a variable frame rate, interlaced, and damaged.
func TestTimes(t *testing.T) {
	for _, c := range clips {
		switch c.name[:4] {
		case "1024", "704x", "720x", "852x", "fhd-": // the other clips add nothing
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
			if c.corrupt > 0 { // ffprobe shows damaged frames too, here one at the end without a time stamp
				entries = entries[:len(pts)-1]
			}
			if len(entries) < min(15, len(pts)) {
				t.Fatalf("ffprobe shows %d frames, want at least %d", len(entries), min(15, len(pts)))
			}
			for i := range min(50, len(pts), len(entries)) {
				if want, ok := entries[i].Int("best_effort_timestamp"); !ok || pts[i] != want {
					t.Fatalf("frame %d is at %d, ffprobe shows %v", i, pts[i], entries[i])
				}
			}
		})
	}
}

// TestParts selects parts by time and by number from clips with B-frames, variable frame rates and edit lists.
func TestParts(t *testing.T) {
	for _, name := range []string{"fhd-hevc10-hlg-rot90-vfr-editlist-aac.mp4", "704x480-mpeg2-interlaced-tff.mp4", "720p-h264-rot180-vfr-fast-aac.mp4"} {
		path := libavtest.Clip(t, name)
		whole, info, _ := readAll(t, path, decode.Options{Scale: 0.1})
		for k, o := range []decode.Options{
			{Start: time.Second, Duration: 600 * time.Millisecond},
			{Start: 1500 * time.Millisecond},
			{Start: 700 * time.Millisecond, Frames: 3},
		} {
			if k > 0 && strings.Contains(name, "hlg") {
				break // slow, and one part is enough
			}
			var want []int64
			for _, f := range whole {
				at := f.Time() - info.StartTime + time.Microsecond
				if at >= o.Start && (o.Duration == 0 || at < o.Start+o.Duration) && (o.Frames == 0 || len(want) < o.Frames) {
					want = append(want, f.PTS)
				}
			}
			o.Scale = 0.1
			part, pi, _ := readAll(t, path, o)
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
		t.Errorf("start after the end: %v", err)
	}
}

func TestScale(t *testing.T) {
	path := libavtest.Clip(t, "720p-h264-rot90-phone-3gp5.mp4")
	full, _, _ := readAll(t, path, decode.Options{Frames: 1})
	half, info, _ := readAll(t, path, decode.Options{Frames: 1, Scale: 0.5})
	if info.Width != 360 || info.Height != 640 || half[0].Width != 360 || half[0].Height != 640 {
		t.Fatalf("Info states %dx%d, the frame is %dx%d, want 360x640", info.Width, info.Height, half[0].Width, half[0].Height)
	}
	small := make([]byte, 0, len(half[0].Pix)) // each pixel is the mean of four
	for y := 0; y < 1280; y += 2 {
		for x := 0; x < 720; x += 2 {
			for c := range 3 {
				p := func(dx, dy int) int { return int(full[0].Pix[3*((y+dy)*720+x+dx)+c]) }
				small = append(small, byte((p(0, 0)+p(1, 0)+p(0, 1)+p(1, 1)+2)/4))
			}
		}
	}
	if mean, _, _ := libavtest.Difference(half[0].Pix, small); mean > 2 {
		t.Errorf("half size: mean difference %.2f", mean)
	}
}

// TestDeinterlace checks that interlaced frames pass the deinterlacer: they are closer to frames that ffmpeg
// deinterlaces than to woven ones.
func TestDeinterlace(t *testing.T) {
	path := libavtest.Clip(t, "704x480-mpeg2-interlaced-tff.mp4")
	const n = 20
	frames, info, _ := readAll(t, path, decode.Options{Frames: n})
	if !info.Interlaced {
		t.Error("Info does not state that the clip is interlaced")
	}
	difference := func(filter string) (sum float64) {
		raw := libavtest.FFmpeg(t, "-i", path, "-frames:v", fmt.Sprint(n), "-vsync", "0", "-vf", filter, "-pix_fmt", "rgb24", "-f", "rawvideo", "-")
		size := 3 * info.Width * info.Height
		for i, f := range frames {
			mean, _, _ := libavtest.Difference(f.Pix, raw[i*size:(i+1)*size])
			sum += mean
		}
		return sum
	}
	if deinterlaced, woven := difference("bwdif=mode=send_frame"), difference("null"); deinterlaced > woven/2 {
		t.Errorf("difference from deinterlaced frames %.3f, from woven frames %.3f", deinterlaced, woven)
	}
}
