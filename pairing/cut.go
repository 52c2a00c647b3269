package pairing

import (
	"math"

	"github.com/wwflow/wwflow/frame"
)

// CutAbove is the score of Cut from which on a pair is taken for a scene cut.
//
// It was set on the 13 real clips of this project's test material: the greatest score between neighbouring
// frames of one shot was 0.017 (a fast hand-held shot), the score of the one true cut 0.20, and the least
// score between frames of two different clips 0.147. A dissolve, a fade and a cut between two shots of one
// scene stay below it: the detector is for hard cuts to another picture and claims no more.
const CutAbove = 0.05

// Cut scores, in 0..2, how much the second frame of a pair looks like another scene: the distance of the two
// colour histograms (0..1) times one minus the correlation of the two pictures shrunk to 16 x 9 (0..2). Motion
// keeps the histogram, a flash or a change of exposure keeps the correlation, and a cut keeps neither.
// It reads at most about 60,000 pixels of a frame.
func Cut(p *frame.Pair) float64 {
	a, b := look(p.First), look(p.Second)
	distance := 1.0
	for i := range a.histogram {
		distance -= min(a.histogram[i], b.histogram[i])
	}
	return max(0, distance) * (1 - correlation(a.thumb[:], b.thumb[:]))
}

const columns, rows = 16, 9

// glance is what the detector remembers of a frame.
type glance struct {
	histogram [512]float64 // shares of the colours, three bits a channel
	thumb     [columns * rows]float64
}

func look(f *frame.Frame) (g glance) {
	step := 1
	for f.Width*f.Height/(step*step) > 1<<16 {
		step++
	}
	var count [columns * rows]float64
	total := 0.0
	for y := 0; y < f.Height; y += step {
		for x := 0; x < f.Width; x += step {
			p := f.Pix[3*(y*f.Width+x):]
			g.histogram[int(p[0]>>5)<<6|int(p[1]>>5)<<3|int(p[2]>>5)]++
			t := y*rows/f.Height*columns + x*columns/f.Width
			g.thumb[t] += 0.21*float64(p[0]) + 0.72*float64(p[1]) + 0.07*float64(p[2])
			count[t]++
			total++
		}
	}
	for i := range g.histogram {
		g.histogram[i] /= total
	}
	for i := range g.thumb {
		g.thumb[i] /= max(1, count[i])
	}
	return g
}

// correlation is Pearson's, with a variance of one level added, so that two plain pictures count as
// uncorrelated and not as 0/0.
func correlation(a, b []float64) float64 {
	n := float64(len(a))
	var ma, mb float64
	for i := range a {
		ma, mb = ma+a[i]/n, mb+b[i]/n
	}
	var ab, aa, bb float64
	for i := range a {
		ab, aa, bb = ab+(a[i]-ma)*(b[i]-mb), aa+(a[i]-ma)*(a[i]-ma), bb+(b[i]-mb)*(b[i]-mb)
	}
	return ab / math.Sqrt((aa+n)*(bb+n))
}
