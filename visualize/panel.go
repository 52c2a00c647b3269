package visualize

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// panel is the picture of a legend.
type panel struct{ *image.RGBA }

// newPanel returns a dark, slightly transparent panel. Colours and white text are legible on it over any picture.
func newPanel(width, height int) panel {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(m, m.Rect, image.NewUniform(color.NRGBA{24, 24, 28, 216}), image.Point{}, draw.Src)
	return panel{m}
}

// disc paints the wheel, antialiased, to the distance end from its centre. Flow of length MaxFlow is at distance scale.
func (p panel) disc(x, y, scale, end float64) {
	for py := range p.Rect.Dy() {
		for px := range p.Rect.Dx() {
			dx, dy := float64(px)+0.5-x, float64(py)+0.5-y
			cover := min(max(end-math.Hypot(dx, dy)+0.5, 0), 1)
			if cover == 0 {
				continue
			}
			c, ground := wheelColour(dx/scale, dy/scale), p.RGBAAt(px, py)
			mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a)*cover + float64(b)*(1-cover))) }
			p.SetRGBA(px, py, color.RGBA{mix(c[0], ground.R), mix(c[1], ground.G), mix(c[2], ground.B), mix(255, ground.A)})
		}
	}
}

// ramp paints the colours of confidence 0 to 1 from left to right.
func (p panel) ramp(left, top, width, height int) {
	for x := range width {
		c := ramp[x*255/(width-1)]
		draw.Draw(p, image.Rect(left+x, top, left+x+1, top+height), image.NewUniform(color.RGBA{c[0], c[1], c[2], 255}), image.Point{}, draw.Src)
	}
}

// ruler paints a horizontal line with a tick at the end of each of its parts. Ticks are a third of an em high.
func (p panel) ruler(left, right float64, top, em, parts int) {
	thick := max(1, em/12)
	bar := func(x0, y0, x1, y1 int) {
		draw.Draw(p, image.Rect(x0, y0, x1, y1), image.White, image.Point{}, draw.Src)
	}
	at := func(i int) int {
		x := left + (right-left)*float64(i)/float64(parts)
		return min(max(int(math.Round(x-float64(thick)/2)), 0), p.Rect.Dx()-thick)
	}
	bar(at(0), top, at(parts)+thick, top+thick)
	for i := range parts + 1 {
		bar(at(i), top, at(i)+thick, top+max(3, em/3))
	}
}

// letters parses the font once. The font is compiled in, so an error is impossible.
var letters = sync.OnceValue(func() *opentype.Font {
	f, err := opentype.Parse(gomedium.TTF)
	if err != nil {
		panic(err)
	}
	return f
})

// writer writes white text of one size.
type writer struct{ face font.Face }

func newWriter(em int) writer {
	face, err := opentype.NewFace(letters(), &opentype.FaceOptions{Size: float64(em), DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		panic(err) // impossible with these constants
	}
	return writer{face}
}

func (w writer) close() { w.face.Close() }

// width returns the width of the text in pixels.
func (w writer) width(s string) int { return font.MeasureString(w.face, s).Ceil() }

// box returns the horizontal extent of text centred on x, moved so that it lies in the panel.
func (w writer) box(s string, x float64, p panel) image.Rectangle {
	width, edge := w.width(s), p.Rect.Dx()/32
	left := min(max(int(math.Round(x))-width/2, edge), p.Rect.Dx()-width-edge)
	return image.Rect(left, 0, left+width, 0)
}

// write writes text at the position that box returns.
func (w writer) write(p panel, s string, x float64, baseline int) image.Rectangle {
	b := w.box(s, x, p)
	d := font.Drawer{Dst: p, Src: image.White, Face: w.face, Dot: fixed.P(b.Min.X, baseline)}
	d.DrawString(s)
	return b
}
