package decode

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/asticode/go-astiav"

	"github.com/wwflow/wwflow/internal/libav"
	"github.com/wwflow/wwflow/internal/libav/libavtest"
)

// Where the hardware is, what it decodes is what software decodes, within rounding.
func TestHardwareDecodesTheSamePictures(t *testing.T) {
	kind, reasons := "", ""
	for _, k := range libav.HardwareKinds {
		reason := libav.Lacks(k, libav.Decoding)
		if reason == "" {
			kind = k
			break
		}
		reasons += reason + "; "
	}
	if kind == "" {
		t.Skip("no hardware decodes here: ", reasons)
	}
	for _, name := range []string{"../testdata/clips/square-walkers.mp4", "fhd-hevc-boat-palawan.mp4", "960x540-h264-dashcam-aac.mp4", "720p-h264-rot180-vfr-fast-aac.mp4", "fhd-hevc10-hlg-rot90-vfr-editlist-aac.mp4"} {
		t.Run(name, func(t *testing.T) {
			path := name
			if !strings.Contains(name, "/") {
				path = libavtest.Clip(t, name)
			}
			soft, err := Open(t.Context(), path, Options{Frames: 20})
			if err != nil {
				t.Fatal(err)
			}
			defer soft.Close()
			hard, err := Open(t.Context(), path, Options{Frames: 20, Hardware: kind})
			if err != nil {
				t.Fatal(err)
			}
			defer hard.Close()
			if hard.Info().Hardware != kind {
				t.Fatalf("it is decoded by %q", hard.Info().Hardware)
			}
			for n := 0; ; n++ {
				a, err := soft.Read()
				b, err2 := hard.Read()
				if err == io.EOF && err2 == io.EOF && n > 0 {
					break
				}
				if err != nil || err2 != nil {
					t.Fatal(n, err, err2)
				}
				if a.PTS != b.PTS || a.Duration != b.Duration || a.Width != b.Width || a.Height != b.Height {
					t.Fatalf("frame %d: %d+%d, %dx%d and %d+%d, %dx%d", n, a.PTS, a.Duration, a.Width, a.Height, b.PTS, b.Duration, b.Width, b.Height)
				}
				if mean, most, _ := libavtest.Difference(a.Pix, b.Pix); mean > 0.1 || most > 4 {
					t.Errorf("frame %d differs by %.3f levels on the mean, %d at most", n, mean, most)
				}
			}
		})
	}
}

// Where it is not, asking for it is one error that says what is missing, and "auto" decodes in software and says why.
func TestHardwareIsMissing(t *testing.T) {
	path := libavtest.Clip(t, "960x540-h264-dashcam-aac.mp4")
	ctx := context.Background()
	lacking := 0
	for _, kind := range libav.HardwareKinds {
		lack := libav.Lacks(kind, libav.Decoding)
		if lack == "" {
			continue
		}
		lacking++
		_, err := Open(ctx, path, Options{Hardware: kind, Start: 10e9})
		if !errors.Is(err, ErrHardware) || !strings.Contains(err.Error(), lack) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if _, err := Open(ctx, path, Options{Hardware: "abacus"}); err == nil || !strings.Contains(err.Error(), "auto, none, cuda, vaapi") {
		t.Errorf("an unknown kind: %v", err)
	}
	if _, err := Open(ctx, t.TempDir(), Options{Hardware: "cuda"}); !errors.Is(err, ErrHardware) {
		t.Errorf("a folder: %v", err)
	}
	r, err := Open(ctx, path, Options{Hardware: "auto", Frames: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if i := r.Info(); lacking == len(libav.HardwareKinds) && (i.Hardware != "" || !strings.Contains(i.InSoftware, "; vaapi: ")) {
		t.Errorf("decoded by %q, in software because %q", i.Hardware, i.InSoftware)
	}
	if _, err := r.Read(); err != nil {
		t.Error(err)
	}
}

// A device hands pictures out in NV12 or P010. Woven so, a software decoder's picture gives the same RGB as before.
func TestWovenPicturesGiveTheSameRGB(t *testing.T) {
	for name, format := range map[string]string{"fhd-hevc-boat-palawan.mp4": "nv12", "960x540-h264-dashcam-aac.mp4": "nv12",
		"fhd-hevc10-hlg-rot90-vfr-editlist-aac.mp4": "p010le", "fhd-av1-10bit-pq-60fps-aac.mp4": "p010le"} {
		t.Run(name, func(t *testing.T) {
			v, err := openAt(t.Context(), libavtest.Clip(t, name), nil, Options{Scale: 1}, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer v.close()
			c, _ := resolve(v.raw)
			libav.SetColors(v.raw, c)
			l := look{v.raw.Width(), v.raw.Height(), v.raw.PixelFormat(), c, false}
			through := func(l look, spec string, in *astiav.Frame) *astiav.Frame {
				g, err := libav.NewGraph(libav.Picture{Width: l.width, Height: l.height, Format: l.format, TimeBase: v.base}, spec, 1)
				if err != nil {
					t.Fatal(err)
				}
				defer g.Close()
				if err := g.PushCopy(in); err != nil {
					t.Fatal(err)
				}
				if err := g.Push(nil); err != nil {
					t.Fatal(err)
				}
				out := astiav.AllocFrame()
				t.Cleanup(out.Free)
				if err := g.Pull(out); err != nil {
					t.Fatal(err)
				}
				return out
			}
			rgb := func(l look, in *astiav.Frame) []byte {
				f := through(l, chain(l, v.turn, v.inf.Width, v.inf.Height), in)
				pix := make([]byte, 3*f.Width()*f.Height())
				libav.CopyRGB(pix, f)
				return pix
			}
			r := c.RangeName()
			woven := through(l, "scale=in_range="+r+":out_range="+r+",format="+format, v.raw)
			libav.SetColors(woven, c)
			other := l
			if other.format = woven.PixelFormat(); other.format.Name() != format {
				t.Fatal(other.format.Name())
			}
			mean, most, _ := libavtest.Difference(rgb(l, v.raw), rgb(other, woven))
			if mean > 0.01 || most > 1 {
				t.Errorf("they differ by %.3f levels on the mean, %d at most", mean, most)
			}
		})
	}
}
