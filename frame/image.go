package frame

import (
	"image"
	"image/draw"
)

// FromImage returns a frame with a copy of the pixels of an image of at least 1x1 pixels. Transparent pixels are blended
// with black.
func FromImage(m image.Image) *Frame {
	b := m.Bounds()
	f := New(b.Dx(), b.Dy())
	rgba, ok := m.(*image.RGBA)
	if !ok {
		rgba = image.NewRGBA(image.Rect(0, 0, f.Width, f.Height))
		draw.Draw(rgba, rgba.Rect, m, b.Min, draw.Src)
	}
	for y := range f.Height {
		row := rgba.Pix[rgba.PixOffset(rgba.Rect.Min.X, rgba.Rect.Min.Y+y):]
		for x := range f.Width {
			copy(f.Pix[3*(y*f.Width+x):][:3], row[4*x:])
		}
	}
	return f
}

// Image returns a copy of the frame as an opaque image. Index and times are lost.
func (f *Frame) Image() *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, f.Width, f.Height))
	for i := range f.Width * f.Height {
		p := m.Pix[4*i : 4*i+4 : 4*i+4]
		q := f.Pix[3*i : 3*i+3 : 3*i+3]
		p[0], p[1], p[2], p[3] = q[0], q[1], q[2], 255
	}
	return m
}
