// Package frame holds a decoded picture and two of them.
//
// It is data: it imports nothing of ours, and every stage of the program imports it.
// A Frame is read-only once it has been returned by the function that made it, so it may be
// shared between goroutines without a lock. Its pixels are Go memory, freed by the garbage collector.
package frame

import (
	"fmt"
	"math/big"
	"time"
)

// Rational is a fraction, as containers write time bases, frame rates and aspect ratios.
// The zero value means unknown.
type Rational struct{ Num, Den int }

// Float is the fraction's value, and 0 where it is unknown.
func (r Rational) Float() float64 {
	if r.IsZero() {
		return 0
	}
	return float64(r.Num) / float64(r.Den)
}

func (r Rational) String() string { return fmt.Sprintf("%d/%d", r.Num, r.Den) }

// IsZero says whether the fraction is unknown: JSON leaves it out.
func (r Rational) IsZero() bool { return r.Den == 0 }

// MarshalText is String, and nothing where the fraction is unknown: how it stands in JSON.
func (r Rational) MarshalText() ([]byte, error) {
	if r.IsZero() {
		return nil, nil
	}
	return []byte(r.String()), nil
}

// Frame is one picture, upright: packed 8-bit sRGB-like RGB, row-major, top row first.
type Frame struct {
	Index         int      // 0-based position among the frames that the source returned
	PTS           int64    // presentation time stamp, in units of TimeBase
	Duration      int64    // how long it is shown, in units of TimeBase; 0 = unknown
	TimeBase      Rational // seconds in one unit of PTS
	Width, Height int      // pixels
	Pix           []byte   // 3*Width*Height bytes: R, G, B; no padding between rows
}

// New returns a black frame of the given size. It panics unless both sides are positive.
func New(width, height int) *Frame {
	if width <= 0 || height <= 0 {
		panic(fmt.Sprintf("frame: size %dx%d", width, height))
	}
	return &Frame{Width: width, Height: height, Pix: make([]byte, 3*width*height)}
}

// Time is the presentation time since the time base's origin, exact to a nanosecond.
func (f *Frame) Time() time.Duration {
	if f.TimeBase.Den == 0 {
		return 0
	}
	ns := new(big.Int).Mul(big.NewInt(f.PTS), big.NewInt(int64(f.TimeBase.Num)*int64(time.Second)))
	return time.Duration(ns.Quo(ns, big.NewInt(int64(f.TimeBase.Den))).Int64())
}

// Pair is two frames of one size: flow is estimated from First to Second.
type Pair struct{ First, Second *Frame }
