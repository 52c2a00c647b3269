package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/wwflow/wwflow/frame"
)

// What several commands print.

// count writes a number and its noun: 1 frame, 2 frames.
func count(n int, noun string) string { return counted(n, noun, noun+"s") }

func counted(n int, singular, plural string) string {
	if n == 1 {
		return "1 " + singular
	}
	return fmt.Sprintf("%d %s", n, plural)
}

func pixels(x float64) string {
	if x == 1 {
		return "1 pixel"
	}
	return fmt.Sprintf("%.4g pixels", x)
}

func byteSize(n int64) string {
	if n >= 1<<30 {
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	}
	return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20))
}

// clock writes a duration as 0:07 or 1:02:03.
func clock(d time.Duration) string {
	s := int(d.Round(time.Second).Seconds())
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// speed writes a rate: 12.5 frames/s, or 28 s per pair where that is easier to read.
func speed(perSecond float64, noun string) string {
	if perSecond < 1 {
		return fmt.Sprintf("%s s per %s", significant(1/perSecond), noun)
	}
	return fmt.Sprintf("%s %ss/s", significant(perSecond), noun)
}

// significant writes a number with three digits at least, and never with an exponent.
func significant(x float64) string {
	if x >= 100 {
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.3g", x)
}

func lasts(d time.Duration) string {
	if d <= 0 {
		return "length unknown"
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

func rate(r frame.Rational) string {
	if r.Float() <= 0 {
		return "frame rate unknown"
	}
	return fmt.Sprintf("%.5g frames/s on average", r.Float())
}

func when(yes bool, s string) string {
	if yes {
		return s
	}
	return ""
}

// writeJSON writes one indented JSON object.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(v)
}
