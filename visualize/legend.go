package visualize

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"strconv"

	"github.com/wwflow/wwflow/frame"
)

// legend is a panel in the lower right corner of a picture. panel is nil if the picture is too small.
type legend struct {
	width, height int // of the picture
	panel         *image.RGBA
	em            int // text size in pixels
}

// LegendFits reports whether a picture of width x height pixels, as Size returns them, is large enough for a legend.
func (p *Painter) LegendFits(width, height int) bool { return p.legendFor(width, height).panel != nil }

// legendFor returns the legend for a picture of that size. It draws a new one only if the size has changed.
func (p *Painter) legendFor(width, height int) *legend {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.legend == nil || p.legend.width != width || p.legend.height != height {
		p.legend = p.newLegend(width, height)
	}
	return p.legend
}

// newLegend draws the full legend, or one with fewer labels if the full one would cover too much of the picture.
func (p *Painter) newLegend(width, height int) *legend {
	l := &legend{width: width, height: height}
	if p.o.Style == SideBySide {
		width /= 2 // the legend belongs to the right half
	}
	l.em = max(9, int(math.Round(math.Sqrt(float64(width*height))/46))) // text of less than 9 pixels is illegible
	for _, c := range []struct {
		full                bool
		maxWidth, maxHeight float64 // shares of the picture
	}{{true, 0.3, 0.45}, {false, 0.5, 0.5}} {
		var m *image.RGBA
		switch p.o.Style {
		case Confidence:
			m = confidencePanel(l.em, c.full)
		case Occlusion:
			m = occlusionPanel(l.em, c.full)
		default:
			m = wheelPanel(l.em, p.o.MaxFlow, c.full)
		}
		if float64(m.Rect.Dx()) <= c.maxWidth*float64(width) && float64(m.Rect.Dy()) <= c.maxHeight*float64(height) {
			l.panel = m
			break
		}
	}
	return l
}

func (l *legend) draw(out *frame.Frame) {
	if l.panel == nil {
		return
	}
	size := l.panel.Rect.Size()
	left, top := out.Width-size.X-l.em/2, out.Height-size.Y-l.em/2
	for y := range size.Y {
		for x := range size.X {
			c := l.panel.RGBAAt(x, y) // premultiplied
			pix := out.Pix[3*((top+y)*out.Width+left+x):]
			for i, v := range [3]uint8{c.R, c.G, c.B} {
				pix[i] = uint8(uint32(v) + (uint32(pix[i])*(255-uint32(c.A))+127)/255)
			}
		}
	}
}

// wheelPanel draws the wheel with a ring for flow longer than maxFlow and labels for the lengths. The full panel has a
// ruler under the wheel and explains the ring.
func wheelPanel(em int, maxFlow float64, full bool) *image.RGBA {
	const ring = 1.2 // the ring ends at 1.2*maxFlow
	label := strconv.FormatFloat(maxFlow, 'f', -1, 64)
	if short := strconv.FormatFloat(maxFlow, 'g', 4, 64); len(short) < len(label) {
		label = short
	}
	w := newWriter(em)
	defer w.close()
	diameter, pad := em*11/2, em/2
	if !full {
		diameter, pad = 3*em, max(2, em/4)
	}
	width := max(diameter, w.width(label+" px"))
	if full {
		width = max(width, w.width(longer))
	}
	p := newPanel(width+2*pad, diameter+2*pad+em*5/4)
	if full {
		p = newPanel(width+2*pad, diameter+2*pad+em*13/4)
	}
	centre, radius := float64(p.Rect.Dx())/2, float64(diameter)/2/ring
	p.disc(centre, float64(pad)+float64(diameter)/2, radius, float64(diameter)/2)
	bottom := p.Rect.Dy() - pad - em/4
	if !full {
		w.write(p, label+" px", centre, bottom)
		return p.RGBA
	}
	top := pad + diameter + em/4
	p.ruler(centre-radius, centre+radius, top, em, 4)
	end := w.write(p, label+" px", centre+radius, top+em*3/2)
	if zero := w.box("0", centre, p); zero.Max.X+em/4 < end.Min.X {
		w.write(p, "0", centre, top+em*3/2)
		if start := w.box(label, centre-radius, p); start.Max.X+em/4 < zero.Min.X {
			w.write(p, label, centre-radius, top+em*3/2)
		}
	}
	w.write(p, longer, centre, bottom)
	return p.RGBA
}

const longer = "darker: longer"

// confidencePanel draws the ramp of confidence with labels. The full panel has a title and a ruler.
func confidencePanel(em int, full bool) *image.RGBA {
	w := newWriter(em)
	defer w.close()
	const title = "confidence"
	length, pad, top := 4*em, max(2, em/4), max(2, em/4)
	if full {
		length, pad, top = max(6*em, w.width(title)), em/2, em*7/4
	}
	p := newPanel(length+2*pad, top+em*5/2+pad)
	p.ramp(pad, top, length, em*4/5)
	left, right := float64(pad), float64(pad+length)
	if full {
		w.write(p, title, (left+right)/2, em*5/4)
		p.ruler(left, right, top+em, em, 2)
		w.write(p, "0.5", (left+right)/2, p.Rect.Dy()-pad)
	}
	w.write(p, "0", left, p.Rect.Dy()-pad)
	w.write(p, "1", right, p.Rect.Dy()-pad)
	return p.RGBA
}

// occlusionPanel names the colours of style Occlusion. The full panel says more.
func occlusionPanel(em int, full bool) *image.RGBA {
	w := newWriter(em)
	defer w.close()
	entries := []struct {
		text   string
		colour [3]uint8
	}{{"occluded", occludedColour}, {"outside", outsideColour}}
	if full {
		entries[1].text = "leaves the frame"
	}
	pad, line, width := em/4, em*3/2, 0
	if full {
		pad = em / 2
	}
	for _, e := range entries {
		width = max(width, w.width(e.text))
	}
	p := newPanel(width+em+3*pad, len(entries)*line+2*pad)
	for i, e := range entries {
		top := pad + i*line + em/4
		c := image.NewUniform(color.RGBA{e.colour[0], e.colour[1], e.colour[2], 255})
		draw.Draw(p, image.Rect(pad, top, pad+em, top+em), c, image.Point{}, draw.Src)
		w.write(p, e.text, float64(2*pad+em)+float64(w.width(e.text))/2, top+em*7/8)
	}
	return p.RGBA
}
