package plot

import (
	"image/color"
	"math"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/stats"
	"github.com/wwflow/wwflow/visualize"
)

// drawRose draws how much of the motion goes in each direction. A wedge has the colour that its direction has in a flow video,
// and an area that is its share.
func drawRose(c draw.Canvas, pairs []stats.Pair) {
	s := stats.Summary{}
	for _, p := range pairs {
		s.Add(p)
	}
	directions := s.Video().Directions
	center := vg.Point{X: (c.Min.X + c.Max.X) / 2, Y: (c.Min.Y+c.Max.Y)/2 - 8}
	radius := min(c.Max.X-c.Min.X, c.Max.Y-c.Min.Y)/2 - 26
	most := 0.0
	for _, share := range directions {
		most = max(most, share)
	}
	label(c, "direction of the motion", vg.Point{X: center.X, Y: c.Max.Y - 12}, 11)
	c.SetLineStyle(draw.LineStyle{Color: faint, Width: 0.5})
	c.Stroke(wedge(center, radius, 0, 2*math.Pi))
	colors := directionColors()
	for i, share := range directions {
		if share == 0 {
			continue
		}
		from := -2 * math.Pi * (float64(i) + 0.5) / float64(len(directions)) // the screen's angles are clockwise
		path := wedge(center, radius*vg.Length(math.Sqrt(share/most)), from, 2*math.Pi/float64(len(directions)))
		c.SetColor(colors[i])
		c.Fill(path)
		c.SetLineStyle(draw.LineStyle{Color: ink, Width: 0.5})
		c.Stroke(path)
	}
	for i, name := range []string{"right", "down", "left", "up"} {
		sin, cos := math.Sincos(-float64(i) * math.Pi / 2)
		label(c, name, vg.Point{X: center.X + (radius+16)*vg.Length(cos), Y: center.Y + (radius+9)*vg.Length(sin)}, 8)
	}
}

// wedge returns a sector of a circle; angles in radians, counterclockwise.
func wedge(center vg.Point, radius vg.Length, from, angle float64) (p vg.Path) {
	p.Move(center)
	if angle >= 2*math.Pi {
		p = nil
		p.Move(vg.Point{X: center.X + radius, Y: center.Y})
	}
	p.Arc(center, radius, from, angle)
	p.Close()
	return p
}

// label writes a text around a point; size in points.
func label(c draw.Canvas, s string, at vg.Point, size vg.Length) {
	style := text.Style{Color: ink, Font: sans(size), XAlign: draw.XCenter, YAlign: draw.YCenter, Handler: newPlot("", "", "").TextHandler}
	c.FillText(style, at, s)
}

// directionColors returns the colours of the directions in a flow video.
func directionColors() (colors [len(stats.Directions{})]color.Color) {
	f := field.New(len(colors), 1)
	for i := range colors {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(len(colors)))
		f.Vectors[2*i], f.Vectors[2*i+1] = float32(cos), float32(sin)
	}
	painter, err := visualize.New(visualize.Options{MaxFlow: 1})
	if err == nil {
		if image, err := painter.Paint(f); err == nil {
			for i := range colors {
				colors[i] = color.NRGBA{image.Pix[3*i], image.Pix[3*i+1], image.Pix[3*i+2], 255}
			}
		}
	}
	return colors
}
