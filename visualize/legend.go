package visualize

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"strconv"
	"sync"

	"github.com/wwflow/wwflow/frame"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// legend is a panel in the lower right corner: the wheel and the length at its rim, or the ramp of
// confidence. A picture too small to hold it goes without.
type legend struct {
	width, height int // of the picture that it was drawn for
	panel         *image.RGBA
	left, top     int
}

// legendFor returns the legend for a picture of that size, drawing it where the last one had another size.
func (p *Painter) legendFor(width, height int) *legend {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.legend == nil || p.legend.width != width || p.legend.height != height {
		p.legend = p.newLegend(width, height)
	}
	return p.legend
}

// LegendFits says whether a picture of that size is large enough for a legend.
func (p *Painter) LegendFits(width, height int) bool { return p.legendFor(width, height).panel != nil }

func (p *Painter) newLegend(width, height int) *legend {
	l := &legend{width: width, height: height}
	side := min(max(min(width, height)/5, 56), 480)
	text := max(10, side/7)
	pad := max(3, side/16)
	if p.o.Style == Confidence {
		bar := max(6, side/8)
		l.panel = panel(2*side+2*pad, bar+3*pad+text)
		for x := range 2 * side {
			c := ramp[x*255/(2*side-1)]
			for y := range bar {
				l.panel.SetRGBA(pad+x, pad+y, color.RGBA{c[0], c[1], c[2], 255})
			}
		}
		write(l.panel, "0", text, pad, left)
		write(l.panel, "confidence", text, pad, middle)
		write(l.panel, "1", text, pad, right)
	} else {
		l.panel = panel(side+2*pad, side+3*pad+text)
		disc(l.panel, pad, side)
		write(l.panel, strconv.FormatFloat(p.o.MaxFlow, 'g', 4, 64)+" px", text, pad, middle)
	}
	size := l.panel.Rect.Size()
	l.left, l.top = width-size.X-2*pad, height-size.Y-2*pad
	if l.left < 0 || l.top < 0 {
		l.panel = nil
	}
	return l
}

func (l *legend) draw(out *frame.Frame) {
	if l.panel == nil {
		return
	}
	size := l.panel.Rect.Size()
	for y := range size.Y {
		for x := range size.X {
			c := l.panel.RGBAAt(x, y) // premultiplied
			pix := out.Pix[3*((l.top+y)*out.Width+l.left+x):]
			for i, v := range [3]uint8{c.R, c.G, c.B} {
				pix[i] = uint8(uint32(v) + (uint32(pix[i])*(255-uint32(c.A))+127)/255)
			}
		}
	}
}

// panel is a dark, slightly transparent ground: colours and white letters read well on it over any picture.
func panel(width, height int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(m, m.Rect, image.NewUniform(color.NRGBA{24, 24, 28, 216}), image.Point{}, draw.Src)
	return m
}

// disc paints the wheel into a square whose left and top are at pad, with a rim that is smooth to the eye.
func disc(m *image.RGBA, pad, side int) {
	radius := float64(side) / 2
	for y := range side {
		for x := range side {
			dx, dy := float64(x)+0.5-radius, float64(y)+0.5-radius
			r := math.Hypot(dx, dy)
			cover := min(max(radius-r+0.5, 0), 1)
			u, v := dx/radius, dy/radius
			if r > radius-1 { // keep the rim in full colour, not darkened
				u, v = u*(radius-1)/r, v*(radius-1)/r
			}
			c := plain(u, v)
			ground := m.RGBAAt(pad+x, pad+y)
			mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a)*cover + float64(b)*(1-cover))) }
			m.SetRGBA(pad+x, pad+y, color.RGBA{mix(c[0], ground.R), mix(c[1], ground.G), mix(c[2], ground.B), mix(255, ground.A)})
		}
	}
}

type alignment int

const (
	left alignment = iota
	middle
	right
)

// letters parses the font once; it is part of the program, so it can be read.
var letters = sync.OnceValue(func() *opentype.Font {
	f, err := opentype.Parse(gomedium.TTF)
	if err != nil {
		panic(err)
	}
	return f
})

// write puts white text of that height on the panel's last line.
func write(m *image.RGBA, s string, height, pad int, at alignment) {
	face, err := opentype.NewFace(letters(), &opentype.FaceOptions{Size: float64(height), DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		panic(err)
	}
	defer face.Close()
	d := font.Drawer{Dst: m, Src: image.White, Face: face}
	x := pad
	switch room := m.Rect.Dx() - d.MeasureString(s).Round(); at {
	case middle:
		x = room / 2
	case right:
		x = room - pad
	}
	d.Dot = fixed.P(x, m.Rect.Dy()-pad-height/6)
	d.DrawString(s)
}
