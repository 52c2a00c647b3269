package visualize

import (
	"image"
	"math"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
	"golang.org/x/image/vector"
)

// arrows draws an arrow for each cell of a grid. It starts at the centre of the cell and shows the mean of the known flow
// in the cell, in the wheel's colour. Flow of length MaxFlow gives an arrow of one and a half cells; longer flow gives the
// same length. Flow below a twentieth of MaxFlow gives a dim dot. A cell without known flow gets no arrow.
func (p *Painter) arrows(out *frame.Frame, f *field.Field) {
	cell := max(12, min(f.Width, f.Height)/30)
	columns, rows := (f.Width+cell/2-1)/cell, (f.Height+cell/2-1)/cell // cells whose centre is in the picture
	means := make([][2]float64, columns*rows)
	eachRow(rows, p.o.Threads, func(row int) {
		for column := range columns {
			means[row*columns+column] = mean(f, column*cell, row*cell, cell)
		}
	})
	pen := pen{out: out}
	for row := range rows {
		for column := range columns {
			x, y := column*cell+cell/2, row*cell+cell/2
			u, v := means[row*columns+column][0]*float64(p.scale), means[row*columns+column][1]*float64(p.scale)
			if math.IsNaN(u) {
				continue
			}
			length := math.Hypot(u, v)
			colour := wheelColour(u, v)
			if length > 1 {
				u, v = u/length, v/length
			}
			reach := 1.5 * float64(cell)
			thick := max(1.2, float64(cell)/14)
			if length < 0.05 {
				for c := range colour {
					colour[c] = colour[c] / 8 * 5 // many cells are still, and the moving ones should stand out
				}
				pen.fill(colour, circle(float64(x), float64(y), 0.8*thick))
				continue
			}
			pen.arrow(float64(x), float64(y), u*reach, v*reach, thick+max(1, thick/2), [3]uint8{})
			pen.arrow(float64(x), float64(y), u*reach, v*reach, thick, colour)
		}
	}
}

// mean returns the mean of the known flow in a square of the field, NaN if none is known.
func mean(f *field.Field, left, top, side int) [2]float64 {
	var u, v, n float64
	for y := top; y < min(top+side, f.Height); y++ {
		for x := left; x < min(left+side, f.Width); x++ {
			if a, b := f.At(x, y); field.Known(a, b) {
				u, v, n = u+float64(a), v+float64(b), n+1
			}
		}
	}
	return [2]float64{u / n, v / n}
}

// pen draws filled, antialiased shapes onto a frame.
type pen struct {
	out  *frame.Frame
	r    vector.Rasterizer
	mask *image.Alpha
}

// arrow draws an arrow from (x, y) to (x+dx, y+dy). The shaft is 2*thick wide.
func (p *pen) arrow(x, y, dx, dy, thick float64, colour [3]uint8) {
	length := math.Hypot(dx, dy)
	ux, uy := dx/length, dy/length
	head := min(4*thick, length)
	at := func(along, across float64) [2]float64 {
		return [2]float64{x + along*ux - across*uy, y + along*uy + across*ux}
	}
	tip := length + thick
	p.fill(colour, [][2]float64{
		at(-thick, -thick), at(tip-head, -thick), at(tip-head, -2.4*thick), at(tip, 0),
		at(tip-head, 2.4*thick), at(tip-head, thick), at(-thick, thick),
	})
}

func circle(x, y, radius float64) [][2]float64 {
	points := make([][2]float64, 12)
	for i := range points {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(len(points)))
		points[i] = [2]float64{x + radius*cos, y + radius*sin}
	}
	return points
}

// fill paints a polygon. Parts outside the frame are clipped.
func (p *pen) fill(colour [3]uint8, points [][2]float64) {
	low, high := points[0], points[0]
	for _, q := range points {
		low = [2]float64{min(low[0], q[0]), min(low[1], q[1])}
		high = [2]float64{max(high[0], q[0]), max(high[1], q[1])}
	}
	left, top := int(math.Floor(low[0])), int(math.Floor(low[1]))
	box := image.Rect(0, 0, int(math.Ceil(high[0]))-left+1, int(math.Ceil(high[1]))-top+1)
	p.r.Reset(box.Dx(), box.Dy())
	for i, q := range points {
		a, b := float32(q[0]-float64(left)), float32(q[1]-float64(top))
		if i == 0 {
			p.r.MoveTo(a, b)
		} else {
			p.r.LineTo(a, b)
		}
	}
	p.r.ClosePath()
	if p.mask == nil || !box.In(p.mask.Rect) {
		p.mask = image.NewAlpha(box)
	}
	clear(p.mask.Pix)
	p.r.Draw(p.mask, box, image.Opaque, image.Point{})
	for y := max(0, -top); y < box.Dy() && top+y < p.out.Height; y++ {
		for x := max(0, -left); x < box.Dx() && left+x < p.out.Width; x++ {
			blend(p.out.Pix[3*((top+y)*p.out.Width+left+x):], colour, uint32(p.mask.Pix[p.mask.PixOffset(x, y)]))
		}
	}
}

// blend mixes colour into the pixel at pix; alpha 255 replaces it.
func blend(pix []byte, colour [3]uint8, alpha uint32) {
	for c := range 3 {
		pix[c] = uint8((uint32(pix[c])*(255-alpha) + uint32(colour[c])*alpha + 127) / 255)
	}
}
