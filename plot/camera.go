package plot

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/wwflow/wwflow/stats"
)

// cameraPlot draws the way of the camera's axis over the scene: the sum of pan and tilt, beginning at 0 after each cut.
func cameraPlot(pairs []stats.Pair) *plot.Plot {
	p := newPlot("path of the camera", "pan to the right in pixels", "tilt up in pixels")
	var begins, ends plotter.XYs
	all := plotter.XYs{{}}
	for _, run := range runs(pairs, func(p stats.Pair) bool { return p.Motion != nil && p.Camera != nil }) {
		path := plotter.XYs{{}}
		for _, pair := range run {
			last := path[len(path)-1]
			path = append(path, plotter.XY{X: last.X + pair.Camera.Pan, Y: last.Y + pair.Camera.Tilt})
		}
		p.Add(line(path, blue, 1.2))
		begins, ends = append(begins, path[0]), append(ends, path[len(path)-1])
		all = append(all, path...)
	}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = square(all)
	dots := func(name string, points plotter.XYs, shape draw.GlyphDrawer) {
		if s, err := plotter.NewScatter(points); err == nil {
			s.GlyphStyle = draw.GlyphStyle{Color: ink, Radius: 3, Shape: shape}
			p.Add(s)
			p.Legend.Add(name, s)
		}
	}
	dots("begin", begins, draw.RingGlyph{})
	dots("end", ends, draw.CircleGlyph{})
	p.Legend.Padding = vg.Points(1)
	return p
}

// square returns ranges of the same length around points, so that directions look as they are. They are at least 10 pixels
// long, so that noise of a static camera does not look like a journey.
func square(points plotter.XYs) (xmin, xmax, ymin, ymax float64) {
	xmin, xmax, ymin, ymax = plotter.XYRange(points)
	side := 1.1 * max(xmax-xmin, ymax-ymin, 9)
	x, y := (xmin+xmax)/2, (ymin+ymax)/2
	return x - side/2, x + side/2, y - side/2, y + side/2
}
