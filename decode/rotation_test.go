package decode_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/libav/libavtest"
)

// TestRotation checks that all quarter turns in rotation metadata give the same upright picture.
func TestRotation(t *testing.T) {
	dir := t.TempDir()
	for format, tolerance := range map[string]float64{"yuv444p": 0, "yuvj420p": 0.1, "yuvj422p": 6, "yuv422p10le": 6} {
		flat := filepath.Join(dir, format+".mp4")
		libavtest.FFmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=10", "-frames:v", "3", "-pix_fmt", format, "-crf", "0", flat)
		plain, _, _ := readAll(t, flat, decode.Options{})
		for _, angle := range []int{0, 90, 180, 270} {
			turned := filepath.Join(dir, fmt.Sprintf("%s%d.mp4", format, angle))
			libavtest.Rotate(t, flat, angle, turned)
			frames, info, _ := readAll(t, turned, decode.Options{})
			// ffmpeg's option counts counterclockwise, Info.Rotation clockwise.
			clockwise := (360 - angle) % 360
			if info.Rotation != clockwise {
				t.Errorf("rotation %d, want %d", info.Rotation, clockwise)
			}
			for i, f := range frames {
				// Subsampled chroma is interpolated along other rows after turning, so edges may differ.
				if mean, _, _ := libavtest.Difference(f.Pix, turnedBy(plain[i], clockwise)); mean > tolerance {
					t.Errorf("%s, %d degrees, frame %d: mean difference %.2f", format, clockwise, i, mean)
				} else if i == 0 {
					t.Logf("%s, %d degrees: mean difference %.2f", format, clockwise, mean)
				}
			}
		}
	}
}

// turnedBy returns a frame's pixels turned clockwise.
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

// TestRotatedAspect checks that the sample aspect ratio is turned with the picture.
func TestRotatedAspect(t *testing.T) {
	flat, path := filepath.Join(t.TempDir(), "a.mp4"), filepath.Join(t.TempDir(), "b.mp4")
	libavtest.FFmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=10", "-frames:v", "2", "-pix_fmt", "yuv420p", "-vf", "setsar=4/3", flat)
	libavtest.Rotate(t, flat, 90, path)
	_, info, _ := readAll(t, path, decode.Options{})
	if want := (frame.Rational{Num: 3, Den: 4}); info.SampleAspect != want || info.Width != 48 || info.Height != 64 {
		t.Errorf("%dx%d, sample aspect %s, want 48x64, %s", info.Width, info.Height, info.SampleAspect, want)
	}
}
