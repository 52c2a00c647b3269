// Package stats measures the motion in flow fields: for each pair of frames, and aggregated for a video.
//
// Measure gives the numbers of one pair, Summary adds them up to those of a video, and a Writer writes them to a file.
// docs/statistics.md defines each number. The JSON names are in the types.
//
// It builds without cgo and imports only packages frame and field besides helpers.
package stats

import (
	"math"

	"github.com/wwflow/wwflow/field"
)

// MovingLength is the length in pixels above which a pixel counts as moving.
const MovingLength = 0.5

// Pair has the numbers of one pair of frames.
type Pair struct {
	Frame    int     `json:"frame"`    // number of the frame whose pixels move, from 0
	Time     float64 `json:"time"`     // presentation time of that frame in seconds
	Interval float64 `json:"interval"` // time between the two frames in seconds, positive; 0 = unknown
	Cut      bool    `json:"cut"`      // a scene cut lies between the frames
	Known    float64 `json:"known"`    // share of the pixels, 0 to 1, whose flow is known and finite

	// Motion is nil, and absent in JSON, where no motion was measured: across a cut, and where no flow is known.
	*Motion
}

// Motion describes the known and finite flow of a field.
type Motion struct {
	Length     Lengths    `json:"length"`               // in pixels
	Relative   Lengths    `json:"length_share"`         // as a share of the frame's diagonal
	Score      float64    `json:"score"`                // mean length in percent of the diagonal per second; 0 where the interval is unknown
	Moving     float64    `json:"moving"`               // share of the known pixels that move more than MovingLength
	Directions Directions `json:"directions"`           // of the moving pixels
	Direction  *Dominant  `json:"direction,omitempty"`  // the strongest of Directions; nil where nothing moves
	Camera     *Camera    `json:"camera,omitempty"`     // nil where too little flow is confident
	Confidence *float64   `json:"confidence,omitempty"` // mean over the known pixels, 0 to 1; nil where the network gives none
}

// Lengths describes a distribution of lengths. The mean is exact. Percentiles are within 0.1 % of the exact value, and 0
// where that is below 1/1024 pixel.
type Lengths struct {
	Mean   float64 `json:"mean"`
	Median float64 `json:"median"`
	P90    float64 `json:"p90"` // 90th percentile
	P95    float64 `json:"p95"`
	P99    float64 `json:"p99"`
}

// scaled returns the lengths times a factor.
func (l Lengths) scaled(by float64) Lengths {
	return Lengths{l.Mean * by, l.Median * by, l.P90 * by, l.P95 * by, l.P99 * by}
}

// plus returns the sum, number by number.
func (l Lengths) plus(o Lengths) Lengths {
	return Lengths{l.Mean + o.Mean, l.Median + o.Median, l.P90 + o.P90, l.P95 + o.P95, l.P99 + o.P99}
}

// Measure returns the numbers of a field. cut says that a scene cut lies between its frames (pairing.CutScore), across
// which there is no motion to measure. Frame, Time and Interval are 0 for a field without a pair.
func Measure(f *field.Field, cut bool) Pair {
	p := Pair{Cut: cut}
	if f.Pair != nil && f.Pair.First != nil {
		p.Frame, p.Time = f.Pair.First.Index, f.Pair.First.Time().Seconds()
		if f.Pair.Second != nil {
			p.Interval = math.Abs((f.Pair.Second.Time() - f.Pair.First.Time()).Seconds())
		}
	}
	s := scan(f)
	p.Known = float64(s.lengths.count) / float64(f.Width*f.Height)
	if cut || s.lengths.count == 0 {
		return p
	}
	diagonal := math.Hypot(float64(f.Width), float64(f.Height))
	m := &Motion{Length: s.lengths.lengths(), Moving: float64(s.moving) / float64(s.lengths.count), Directions: s.directions.shares()}
	m.Relative = m.Length.scaled(1 / diagonal)
	if p.Interval > 0 {
		m.Score = 100 * m.Relative.Mean / p.Interval
	}
	m.Direction = m.Directions.dominant()
	m.Camera = fitCamera(f)
	if f.Confidence != nil {
		m.Confidence = new(s.confidence / float64(s.lengths.count))
	}
	p.Motion = m
	return p
}

// sums are what one pass over all pixels gives.
type sums struct {
	lengths    histogram
	moving     int
	directions Directions // sums of lengths
	confidence float64    // sum
}

// scan goes over all pixels once.
func scan(f *field.Field) *sums {
	s := &sums{}
	for y := range f.Height {
		row := f.Vectors[2*y*f.Width : 2*(y+1)*f.Width]
		sum, confidence := 0.0, 0.0
		for x := range f.Width {
			u, v := row[2*x], row[2*x+1]
			length := float32(math.Sqrt(float64(u*u + v*v)))
			if !(length <= math.MaxFloat32) {
				continue // unknown or infinite
			}
			sum += float64(length)
			s.lengths.add(length)
			if length > MovingLength {
				s.moving++
				s.directions[bin(u, v)] += float64(length)
			}
			if f.Confidence != nil {
				confidence += float64(f.Confidence[y*f.Width+x])
			}
		}
		s.lengths.sum += sum
		s.confidence += confidence
	}
	return s
}
