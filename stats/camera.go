package stats

import (
	"math"
	"math/rand/v2"

	"github.com/wwflow/wwflow/field"
)

// Camera is the motion of the camera between two frames: the similarity (shift, scale, rotation) that most of the
// confident flow follows. A camera that moves sideways or forward looks like one that pans or zooms.
type Camera struct {
	Pan      float64 `json:"pan"`      // pixels at the centre; positive = the camera turns to the right, the picture moves to the left
	Tilt     float64 `json:"tilt"`     // pixels at the centre; positive = the camera turns up, the picture moves down
	Zoom     float64 `json:"zoom"`     // factor; above 1 = the camera zooms in, the picture grows
	Roll     float64 `json:"roll"`     // degrees; positive = the camera turns clockwise, the picture counterclockwise
	Follow   float64 `json:"follow"`   // share of the confident pixels, 0 to 1, that move with the camera's motion
	Residual float64 `json:"residual"` // mean length of the confident flow after the camera's motion is subtracted, in pixels
	Objects  float64 `json:"objects"`  // the same, of the pixels that do not follow; 0 if all follow
}

// MinConfidence is the confidence below which a pixel is not used for the camera's motion: an expected error of 2.3 pixels.
const MinConfidence = 0.3

// A pixel follows the camera if its flow differs from the camera's by at most tolerancePixels plus toleranceShare of its
// length. A share of the camera's flow there would favour large movements of the camera.
const (
	tolerancePixels = MovingLength
	toleranceShare  = 0.05
)

const (
	maxSamples = 1 << 15 // pixels that are used, on a regular grid
	minSamples = 16      // fewer confident ones tell no motion of the camera
	trialPool  = 512     // samples by which a trial is judged
	trials     = 256
	rounds     = 10 // of a refinement
)

// sample is the flow (u, v) of a pixel at (x, y) from the centre, in pixels, and the squared tolerance of a difference.
type sample struct{ x, y, u, v, tolerance float64 }

// similarity is the flow u = tx + a x - b y, v = ty + b x + a y at (x, y) from the centre.
type similarity struct{ a, b, tx, ty float64 }

func (s similarity) at(x, y float64) (u, v float64) {
	return s.tx + s.a*x - s.b*y, s.ty + s.b*x + s.a*y
}

// difference returns the squared difference between a sample's flow and the similarity's.
func (s similarity) difference(p *sample) float64 {
	du, dv := p.u-(s.tx+s.a*p.x-s.b*p.y), p.v-(s.ty+s.b*p.x+s.a*p.y)
	return du*du + dv*dv
}

// At returns the flow of the camera's motion in column x and row y of a frame of the given size, in pixels.
func (c *Camera) At(x, y, width, height int) (u, v float64) {
	angle := -c.Roll * math.Pi / 180
	s := similarity{c.Zoom*math.Cos(angle) - 1, c.Zoom * math.Sin(angle), -c.Pan, c.Tilt}
	return s.at(float64(x)-float64(width-1)/2, float64(y)-float64(height-1)/2)
}

// fitCamera fits the camera's motion to the confident flow; nil where too few pixels are confident.
//
// Trials of two pixels find the motion that most pixels share, however the others move. The refinement then averages over
// the pixels that follow it. The result depends on the field alone: the random numbers are always the same.
func fitCamera(f *field.Field) *Camera {
	samples := sampled(f)
	if len(samples) < minSamples {
		return nil
	}
	s := refine(best(samples, float64(f.Width*f.Width+f.Height*f.Height)), samples)
	c := &Camera{Pan: -s.tx, Tilt: s.ty, Zoom: math.Hypot(1+s.a, s.b), Roll: -math.Atan2(s.b, 1+s.a) * 180 / math.Pi}
	follow, all, objects := 0, 0.0, 0.0
	for i := range samples {
		difference := s.difference(&samples[i])
		length := math.Sqrt(difference)
		all += length
		if difference <= samples[i].tolerance {
			follow++
		} else {
			objects += length
		}
	}
	n := len(samples)
	c.Follow, c.Residual = float64(follow)/float64(n), all/float64(n)
	if follow < n {
		c.Objects = objects / float64(n-follow)
	}
	return c
}

// sampled returns the confident pixels of a regular grid.
func sampled(f *field.Field) []sample {
	step := 1
	for f.Width*f.Height/(step*step) > maxSamples {
		step++
	}
	samples := make([]sample, 0, (f.Width/step+1)*(f.Height/step+1))
	cx, cy := float64(f.Width-1)/2, float64(f.Height-1)/2
	for y := step / 2; y < f.Height; y += step {
		for x := step / 2; x < f.Width; x += step {
			u, v := f.At(x, y)
			if !field.Known(u-u, v-v) || f.Confidence != nil && f.Confidence[y*f.Width+x] < MinConfidence {
				continue
			}
			tolerance := tolerancePixels + toleranceShare*math.Hypot(float64(u), float64(v))
			samples = append(samples, sample{float64(x) - cx, float64(y) - cy, float64(u), float64(v), tolerance * tolerance})
		}
	}
	return samples
}

// best returns the similarity of two pixels, or that of a camera that stands still, with which most of a part of the
// samples agree. diagonal2 is the frame's squared diagonal.
func best(samples []sample, diagonal2 float64) similarity {
	random := rand.New(rand.NewPCG(1, 2))
	pool := samples
	if len(samples) > trialPool {
		pool = make([]sample, trialPool)
		for i := range pool {
			pool[i] = samples[(2*i+1)*len(samples)/(2*trialPool)]
		}
	}
	winner := similarity{}
	least := cost(winner, pool, math.Inf(1))
	for range trials {
		s, ok := through(samples[random.IntN(len(samples))], samples[random.IntN(len(samples))], diagonal2/100)
		if !ok {
			continue
		}
		if c := cost(s, pool, least); c < least {
			winner, least = s, c
		}
	}
	return winner
}

// through returns the similarity of two pixels, unless they are closer together than the root of least2.
func through(p, q sample, least2 float64) (similarity, bool) {
	dx, dy, du, dv := q.x-p.x, q.y-p.y, q.u-p.u, q.v-p.v
	d2 := dx*dx + dy*dy
	if d2 < least2 || d2 == 0 {
		return similarity{}, false
	}
	s := similarity{a: (dx*du + dy*dv) / d2, b: (dx*dv - dy*du) / d2}
	u, v := s.at(p.x, p.y)
	s.tx, s.ty = p.u-u, p.v-v
	return s, true
}

// cost is the sum of the logarithms of Cauchy's distribution, with the tolerances as its scale. A pixel that is far off
// counts a little more than one that is near: without that, a few pixels decide where hardly any agree. The sum stops above
// a limit.
func cost(s similarity, samples []sample, limit float64) float64 {
	sum := 0.0
	for i := range samples {
		p := &samples[i]
		if sum += math.Log1p(s.difference(p) / p.tolerance); sum >= limit {
			break
		}
	}
	return sum
}

// refine averages over the samples near a similarity, by repeated least squares with Tukey's weights, which are 0 beyond
// twice the tolerance.
func refine(s similarity, samples []sample) similarity {
	for range rounds {
		next, ok := leastSquares(s, samples)
		if !ok {
			break
		}
		s = next
	}
	return s
}

// leastSquares returns the similarity with the least weighted squared differences. The weights are those of s.
func leastSquares(s similarity, samples []sample) (similarity, bool) {
	var w, x, y, u, v, xx, xu, xv float64 // xx: x²+y², xu: x u + y v, xv: x v - y u
	for i := range samples {
		p := &samples[i]
		k := 1 - s.difference(p)/(4*p.tolerance)
		if k <= 0 {
			continue
		}
		k *= k
		w += k
		x, y, u, v = x+k*p.x, y+k*p.y, u+k*p.u, v+k*p.v
		xx += k * (p.x*p.x + p.y*p.y)
		xu += k * (p.x*p.u + p.y*p.v)
		xv += k * (p.x*p.v - p.y*p.u)
	}
	spread := xx - (x*x+y*y)/w
	if !(w > 0) || !(spread > 1e-6*xx) {
		return s, false
	}
	r := similarity{a: (xu - (x*u+y*v)/w) / spread, b: (xv - (x*v-y*u)/w) / spread}
	cu, cv := r.at(x/w, y/w)
	r.tx, r.ty = u/w-cu, v/w-cv
	return r, true
}
