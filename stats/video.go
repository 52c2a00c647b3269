package stats

import "math"

// Class says how much a video moves, by its score.
type Class string

// The classes. Each one but Static begins at a score, in percent of the frame's diagonal per second.
const (
	Static  Class = "static"
	Low     Class = "low"     // from LowScore, or where more than StaticMoving of the pixels move
	Medium  Class = "medium"  // from MediumScore
	High    Class = "high"    // from HighScore
	Extreme Class = "extreme" // from ExtremeScore
)

// The thresholds of the classes. docs/statistics.md has the reasons.
const (
	LowScore     = 2.    // a way of the diagonal takes 50 seconds
	MediumScore  = 5.    // 20 seconds
	HighScore    = 15.   // 6.7 seconds
	ExtremeScore = 50.   // 2 seconds
	StaticMoving = 0.005 // share of the pixels
)

// classify returns the class of a score and a share of moving pixels.
func classify(score, moving float64) Class {
	switch {
	case score >= ExtremeScore:
		return Extreme
	case score >= HighScore:
		return High
	case score >= MediumScore:
		return Medium
	case score >= LowScore || moving > StaticMoving:
		return Low
	}
	return Static
}

// Video has the numbers of a video: those of its measured pairs, aggregated.
type Video struct {
	Pairs    int     `json:"pairs"`           // all pairs
	Measured int     `json:"measured"`        // pairs with motion: without cuts and without unknown flow
	Cuts     int     `json:"cuts"`            // pairs across a scene cut
	Seconds  float64 `json:"seconds"`         // sum of the intervals of the measured pairs
	Class    Class   `json:"class,omitempty"` // absent where no pair was measured, or no time is known

	// Motion is nil, and absent in JSON, where no pair was measured. Each number is the mean over the measured pairs that have
	// it, with these exceptions: Score is the way of the mean pixel in percent of the diagonal divided by Seconds,
	// Directions weighs each pair by its mean length, and Camera.Zoom is the geometric mean.
	*Motion
	Travel float64 `json:"camera_travel"`  // mean length of (Pan, Tilt) in pixels, which does not cancel out
	Peak   *Peak   `json:"peak,omitempty"` // where it moves most
}

// Peak is the pair with the highest score, of equal ones the first.
type Peak struct {
	Frame int     `json:"frame"`
	Time  float64 `json:"time"` // seconds
	Score float64 `json:"score"`
}

// Summary adds up the numbers of pairs. The zero value is that of a video without pairs.
type Summary struct {
	video      Video
	motion     Motion // sums
	directions Directions
	way        float64 // sum of the mean lengths as shares of the diagonal, of pairs whose interval is known
	camera     Camera  // sums; Zoom of logarithms
	travel     float64
	cameras    int
	confidence float64
	confident  int
}

// Add adds the next pair.
func (s *Summary) Add(p Pair) {
	s.video.Pairs++
	if p.Cut {
		s.video.Cuts++
	}
	m := p.Motion
	if m == nil {
		return
	}
	s.video.Measured++
	s.motion.Length, s.motion.Relative = s.motion.Length.plus(m.Length), s.motion.Relative.plus(m.Relative)
	s.motion.Moving += m.Moving
	for i, share := range m.Directions {
		s.directions[i] += share * m.Length.Mean
	}
	if p.Interval > 0 {
		s.video.Seconds += p.Interval
		s.way += m.Relative.Mean
	}
	if s.video.Peak == nil || m.Score > s.video.Peak.Score {
		s.video.Peak = &Peak{p.Frame, p.Time, m.Score}
	}
	if m.Confidence != nil {
		s.confident++
		s.confidence += *m.Confidence
	}
	if m.Camera != nil {
		s.addCamera(m.Camera)
	}
}

func (s *Summary) addCamera(c *Camera) {
	s.cameras++
	s.travel += math.Hypot(c.Pan, c.Tilt)
	t := &s.camera
	t.Pan, t.Tilt, t.Zoom, t.Roll = t.Pan+c.Pan, t.Tilt+c.Tilt, t.Zoom+math.Log(max(c.Zoom, math.SmallestNonzeroFloat64)), t.Roll+c.Roll
	t.Follow, t.Residual, t.Objects = t.Follow+c.Follow, t.Residual+c.Residual, t.Objects+c.Objects
}

// Video returns the numbers of the pairs that were added so far.
func (s *Summary) Video() Video {
	v := s.video
	if v.Measured == 0 {
		return v
	}
	n := float64(v.Measured)
	m := Motion{Length: s.motion.Length.scaled(1 / n), Relative: s.motion.Relative.scaled(1 / n), Moving: s.motion.Moving / n, Directions: s.directions.shares()}
	m.Direction = m.Directions.dominant()
	if v.Seconds > 0 {
		m.Score = 100 * s.way / v.Seconds
	}
	if s.confident > 0 {
		m.Confidence = new(s.confidence / float64(s.confident))
	}
	if s.cameras > 0 {
		n, c := float64(s.cameras), s.camera
		v.Travel = s.travel / n
		m.Camera = &Camera{c.Pan / n, c.Tilt / n, math.Exp(c.Zoom / n), c.Roll / n, c.Follow / n, c.Residual / n, c.Objects / n}
	}
	v.Motion = &m
	if v.Seconds > 0 {
		v.Class = classify(m.Score, m.Moving)
	}
	return v
}
