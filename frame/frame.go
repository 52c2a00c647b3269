// Package frame defines a decoded picture and a pair of them.
//
// It imports no other package of this module. A Frame is read-only once the function that made it has returned it, so
// goroutines may share it without a lock. Its pixels are Go memory, freed by the garbage collector.
package frame

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// MaxPixels is the largest size of a picture or flow field that is read from a file. DCI 8K (8192x4320) fits. A file
// whose header claims more is refused before memory is allocated.
const MaxPixels = 1 << 26

// Rational is a fraction, as containers store time bases, frame rates and aspect ratios. The zero value means unknown.
type Rational struct{ Num, Den int }

// Float returns the value of the fraction, or 0 if it is unknown.
func (r Rational) Float() float64 {
	if r.IsZero() {
		return 0
	}
	return float64(r.Num) / float64(r.Den)
}

func (r Rational) String() string { return fmt.Sprintf("%d/%d", r.Num, r.Den) }

// IsZero reports whether the fraction is unknown. The JSON option omitzero then omits it.
func (r Rational) IsZero() bool { return r.Den == 0 }

// MarshalText returns String, or nothing if the fraction is unknown.
func (r Rational) MarshalText() ([]byte, error) {
	if r.IsZero() {
		return nil, nil
	}
	return []byte(r.String()), nil
}

// UnmarshalText reads what MarshalText returns.
func (r *Rational) UnmarshalText(text []byte) error {
	*r = Rational{}
	if len(text) == 0 {
		return nil
	}
	num, den, _ := strings.Cut(string(text), "/")
	var err error
	if r.Num, err = strconv.Atoi(num); err == nil {
		r.Den, err = strconv.Atoi(den)
	}
	return err
}

// Frame is one picture, upright: packed 8-bit sRGB-like RGB, row-major, top row first.
type Frame struct {
	Index         int      // 0-based number in the selected part of the input, damaged frames included
	PTS           int64    // presentation time stamp, in units of TimeBase
	Duration      int64    // display time, in units of TimeBase; 0 = unknown
	TimeBase      Rational // seconds per unit of PTS
	Width, Height int      // pixels
	Pix           []byte   // 3*Width*Height bytes: R, G, B; no padding between rows
}

// New returns a black frame of the given size in pixels. It panics unless width and height are positive.
func New(width, height int) *Frame {
	if width <= 0 || height <= 0 {
		panic(fmt.Sprintf("frame: size %dx%d", width, height))
	}
	return &Frame{Width: width, Height: height, Pix: make([]byte, 3*width*height)}
}

// Time returns the presentation time since the origin of the time base, truncated to a nanosecond.
func (f *Frame) Time() time.Duration {
	if f.TimeBase.Den == 0 {
		return 0
	}
	ns := new(big.Int).Mul(big.NewInt(f.PTS), big.NewInt(int64(f.TimeBase.Num)*int64(time.Second)))
	return time.Duration(ns.Quo(ns, big.NewInt(int64(f.TimeBase.Den))).Int64())
}

// Pair holds two frames of the same size. Flow is estimated from First to Second.
type Pair struct{ First, Second *Frame }
