// Package plot draws motion statistics: the motion over time, a rose of its directions, and the path of the camera.
package plot

import (
	"errors"
	"fmt"
	"image/color"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/wwflow/wwflow/stats"
)

// Format is a file format of a plot.
type Format string

// The formats.
const (
	SVG Format = "svg"
	PNG Format = "png" // 1600x1200 pixels
)

// FormatOf returns the format of a file name, by its extension.
func FormatOf(path string) (Format, error) {
	f := Format(strings.TrimPrefix(strings.ToLower(filepath.Ext(path)), "."))
	if f != SVG && f != PNG {
		return "", fmt.Errorf("a plot is a .svg or a .png, not %q", path)
	}
	return f, nil
}

// ErrNothing is returned for pairs without motion.
var ErrNothing = errors.New("there is no motion to draw: no pair has any")

// Size of a plot, and the resolution of PNG.
const (
	width, height = 8 * vg.Inch, 6 * vg.Inch
	resolution    = 200 // pixels an inch
)

var (
	ink   = color.Gray{40}
	faint = color.Gray{200}
	blue  = color.NRGBA{31, 119, 180, 255}
	light = color.NRGBA{160, 200, 230, 255}
	red   = color.NRGBA{214, 39, 40, 255}
)

// Draw writes a plot of the pairs of a video, which are in order, under a title.
func Draw(w io.Writer, format Format, title string, pairs []stats.Pair) error {
	if !slices.ContainsFunc(pairs, func(p stats.Pair) bool { return p.Motion != nil }) {
		return ErrNothing
	}
	var canvas interface {
		vg.CanvasSizer
		io.WriterTo
	}
	if format == PNG {
		canvas = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(resolution))}
	} else {
		canvas = vgsvg.New(width, height)
	}
	page := draw.New(canvas)
	page.FillPolygon(color.White, []vg.Point{page.Min, {X: page.Max.X, Y: page.Min.Y}, page.Max, {X: page.Min.X, Y: page.Max.Y}})
	panels(page, title, pairs)
	_, err := canvas.WriteTo(w)
	return err
}

// panels draws the three panels of a page.
func panels(page draw.Canvas, title string, pairs []stats.Pair) {
	const margin = 10
	page = draw.Crop(page, margin, -margin, margin, -margin)
	half := (page.Max.Y - page.Min.Y) / 2
	middle := (page.Max.X - page.Min.X) / 2
	over := motionPlot(pairs)
	over.Title.Text = title
	over.Draw(draw.Crop(page, 0, 0, half+margin, 0))
	drawRose(draw.Crop(page, 0, -middle, 0, -half-margin), pairs)
	cameraPlot(pairs).Draw(draw.Crop(page, middle, 0, 0, -half-margin))
}

// newPlot returns an empty plot in this package's fonts and colours.
func newPlot(title, x, y string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = color.Transparent
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	for style, size := range map[*text.Style]vg.Length{&p.Title.TextStyle: 11, &p.X.Label.TextStyle: 9, &p.Y.Label.TextStyle: 9,
		&p.X.Tick.Label: 8, &p.Y.Tick.Label: 8, &p.Legend.TextStyle: 8} {
		style.Font = sans(size)
		style.Color = ink
	}
	p.Title.Padding, p.Legend.Top = 4, true
	return p
}

// sans is the font of all text; size in points.
func sans(size vg.Length) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
}

// line returns a line through points; a nil one for fewer than two.
func line(points plotter.XYs, c color.Color, width vg.Length) *plotter.Line {
	l, err := plotter.NewLine(points)
	if err != nil {
		return nil
	}
	l.LineStyle.Color, l.LineStyle.Width = c, width
	return l
}

// scored reports whether a pair has a place in the plot of the motion over time.
func scored(p stats.Pair) bool { return p.Motion != nil && p.Interval > 0 }

// motionPlot draws the score of each pair and the 95th percentile over time. Cuts are dashed lines, at which the curves are
// interrupted, as they are where no flow is known.
func motionPlot(pairs []stats.Pair) *plot.Plot {
	p := newPlot("", "time in seconds", "% of the diagonal a second")
	top := 0.0
	var mean, upper []plotter.XYs
	for _, run := range runs(pairs, scored) {
		var m, u plotter.XYs
		for _, pair := range run {
			p95 := 100 * pair.Relative.P95 / pair.Interval
			m, u = append(m, plotter.XY{X: pair.Time, Y: pair.Score}), append(u, plotter.XY{X: pair.Time, Y: p95})
			top = max(top, pair.Score, p95)
		}
		mean, upper = append(mean, m), append(upper, u)
	}
	p.Y.Min, p.Y.Max = 0, max(1, 1.05*top)
	p.X.Min, p.X.Max = span(pairs)
	curve := func(name string, parts []plotter.XYs, c color.Color, width vg.Length) {
		for i, part := range parts {
			if l := line(part, c, width); l != nil {
				p.Add(l)
				if i == 0 {
					p.Legend.Add(name, l)
				}
			}
		}
	}
	curve("95th percentile", upper, light, 1)
	curve("mean (score)", mean, blue, 1.2)
	for i, at := range cuts(pairs) {
		l := line(plotter.XYs{{X: at, Y: 0}, {X: at, Y: p.Y.Max}}, red, 0.8)
		l.LineStyle.Dashes = []vg.Length{3, 2}
		p.Add(l)
		if i == 0 {
			p.Legend.Add("cut", l)
		}
	}
	return p
}

// span returns the times of the first and the last pair.
func span(pairs []stats.Pair) (first, last float64) {
	first, last = math.Inf(1), math.Inf(-1)
	for _, p := range pairs {
		first, last = min(first, p.Time), max(last, p.Time)
	}
	if last == first {
		last += max(1e-3, pairs[0].Interval)
	}
	return first, last
}

// cuts returns the times of the cuts, between their frames.
func cuts(pairs []stats.Pair) (times []float64) {
	for _, p := range pairs {
		if p.Cut {
			times = append(times, p.Time+p.Interval/2)
		}
	}
	return times
}

// runs splits pairs where one has not what is drawn.
func runs(pairs []stats.Pair, has func(stats.Pair) bool) (list [][]stats.Pair) {
	begin := -1
	for i, p := range append(pairs[:len(pairs):len(pairs)], stats.Pair{}) {
		switch ok := has(p); {
		case ok && begin < 0:
			begin = i
		case !ok && begin >= 0:
			list = append(list, pairs[begin:i])
			begin = -1
		}
	}
	return list
}
