package frame_test

import (
	"bytes"
	"image"
	"image/color"
	"testing"

	"github.com/wwflow/wwflow/frame"
)

// TestImageRoundTrip converts images of several types whose bounds do not start at the origin.
func TestImageRoundTrip(t *testing.T) {
	bounds := image.Rect(-2, 3, 5, 8)
	rgba, nrgba, gray := image.NewRGBA(bounds), image.NewNRGBA(bounds), image.NewGray(bounds)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			c := color.RGBA{byte(20 * x), byte(30 * y), byte(x * y), 255}
			rgba.Set(x, y, c)
			nrgba.Set(x, y, c)
			gray.Set(x, y, c)
		}
	}
	a := frame.FromImage(rgba)
	if a.Width != 7 || a.Height != 5 {
		t.Fatalf("size %dx%d, want 7x5", a.Width, a.Height)
	}
	if r, g, b := a.Pix[3*(7*2+1)], a.Pix[3*(7*2+1)+1], a.Pix[3*(7*2+1)+2]; r != 256-20 || g != 150 || b != 256-5 {
		t.Errorf("pixel (1, 2) is %d %d %d", r, g, b)
	}
	for _, m := range []image.Image{nrgba, a.Image(), rgba.SubImage(bounds)} {
		if b := frame.FromImage(m); !bytes.Equal(a.Pix, b.Pix) {
			t.Errorf("%T differs", m)
		}
	}
	part := frame.FromImage(rgba.SubImage(image.Rect(0, 4, 2, 6)))
	if !bytes.Equal(part.Pix[:6], a.Pix[3*(7+2):3*(7+4)]) {
		t.Error("a sub-image gives wrong pixels")
	}
	if g := frame.FromImage(gray); g.Pix[0] != g.Pix[1] || g.Pix[0] != gray.GrayAt(-2, 3).Y {
		t.Error("a grey image gives colours")
	}
}
