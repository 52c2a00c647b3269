package decode

import (
	"context"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/asticode/go-astiav"

	"github.com/wwflow/wwflow/internal/libav"
	"github.com/wwflow/wwflow/internal/libav/libavtest"
)

// TestHardwareMatchesSoftware compares the frames of a hardware decoder with those of the software decoder.
func TestHardwareMatchesSoftware(t *testing.T) {
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
		t.Skip("no decoding hardware: ", reasons)
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
				t.Fatalf("decoded by %q, want %q", hard.Info().Hardware, kind)
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
				if mean, largest, _ := libavtest.Difference(a.Pix, b.Pix); mean > 0.1 || largest > 4 {
					t.Errorf("frame %d: mean difference %.3f levels, largest %d", n, mean, largest)
				}
			}
		})
	}
}

// TestMissingHardware requests hardware that is missing: an error names what is missing, and "auto" falls back to
// software and gives the reason.
func TestMissingHardware(t *testing.T) {
	path := libavtest.Clip(t, "960x540-h264-dashcam-aac.mp4")
	ctx := context.Background()
	missing := 0
	for _, kind := range libav.HardwareKinds {
		lack := libav.Lacks(kind, libav.Decoding)
		if lack == "" {
			continue
		}
		missing++
		_, err := Open(ctx, path, Options{Hardware: kind, Start: 10e9})
		if !errors.Is(err, ErrHardware) || !strings.Contains(err.Error(), lack) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if _, err := Open(ctx, path, Options{Hardware: "unknown"}); err == nil || !strings.Contains(err.Error(), "auto, none, cuda, vaapi") {
		t.Errorf("unknown kind: %v", err)
	}
	if _, err := Open(ctx, t.TempDir(), Options{Hardware: "cuda"}); !errors.Is(err, ErrHardware) {
		t.Errorf("folder: %v", err)
	}
	r, err := Open(ctx, path, Options{Hardware: "auto", Frames: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if i := r.Info(); missing == len(libav.HardwareKinds) && (i.Hardware != "" || !strings.Contains(i.InSoftware, "; vaapi: ")) {
		t.Errorf("decoded by %q, in software because %q", i.Hardware, i.InSoftware)
	}
	if _, err := r.Read(); err != nil {
		t.Error(err)
	}
}

// TestDevicePixelFormats converts pictures to the pixel formats of devices and back. The RGB must stay the same.
func TestDevicePixelFormats(t *testing.T) {
	for name, format := range map[string]string{"fhd-hevc-boat-palawan.mp4": "nv12", "960x540-h264-dashcam-aac.mp4": "nv12",
		"fhd-hevc10-hlg-rot90-vfr-editlist-aac.mp4": "p010le", "fhd-av1-10bit-pq-60fps-aac.mp4": "p010le"} {
		t.Run(name, func(t *testing.T) {
			v, err := openAt(t.Context(), libavtest.Clip(t, name), nil, Options{Scale: 1}, 0, math.MinInt64)
			if err != nil {
				t.Fatal(err)
			}
			defer v.close()
			planar := filterInputOf(v.raw, v.turn, false)
			libav.SetColors(v.raw, planar.colors)
			filter := func(in filterInput, spec string, f *astiav.Frame) *astiav.Frame {
				g, err := libav.NewGraph(libav.Picture{Width: in.width, Height: in.height, Format: in.format, TimeBase: v.base, Colors: in.colors}, spec, 1)
				if err != nil {
					t.Fatal(err)
				}
				defer g.Close()
				if err := g.PushCopy(f); err != nil {
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
			rgb := func(in filterInput, f *astiav.Frame) []byte {
				out := filter(in, filterSpec(in, v.width, v.height), f)
				pix := make([]byte, 3*out.Width()*out.Height())
				libav.CopyRGB(pix, out)
				return pix
			}
			r := planar.colors.RangeName()
			packed := filter(planar, "scale=in_range="+r+":out_range="+r+",format="+format, v.raw)
			libav.SetColors(packed, planar.colors)
			device := planar
			if device.format = packed.PixelFormat(); device.format.Name() != format {
				t.Fatal(device.format.Name())
			}
			mean, largest, _ := libavtest.Difference(rgb(planar, v.raw), rgb(device, packed))
			if mean > 0.01 || largest > 1 {
				t.Errorf("mean difference %.3f levels, largest %d", mean, largest)
			}
		})
	}
}
