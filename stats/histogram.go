package stats

import "math"

// The bins of a histogram are floating-point numbers without the lower bits of their mantissa, so that a length finds its
// bin without a logarithm and every bin is 1/512 of an octave wide. The first bin has the lengths below lowest, the last one
// those of highest and more.
const (
	mantissaBits = 9
	shift        = 23 - mantissaBits
	lowest       = 1. / 1024 // pixels
	highest      = 1 << 16
)

var (
	firstBin = math.Float32bits(lowest) >> shift
	lastBin  = math.Float32bits(highest) >> shift
)

const bins = (16+10)<<mantissaBits + 2 // lengths below lowest, 26 octaves, lengths of highest and more

// histogram counts lengths in pixels.
type histogram struct {
	counts [bins]int32
	count  int
	sum    float64
}

// add counts a length. It must be finite, and 0 or more. The caller adds it to sum.
func (h *histogram) add(length float32) {
	h.count++
	b := math.Float32bits(length) >> shift
	b = min(max(b, firstBin-1), lastBin) - (firstBin - 1)
	h.counts[b]++
}

// lengths returns the mean, which is exact, and the percentiles.
func (h *histogram) lengths() Lengths {
	return Lengths{Mean: h.sum / float64(h.count), Median: h.percentile(50), P90: h.percentile(90), P95: h.percentile(95), P99: h.percentile(99)}
}

// percentile returns the middle of the bin that has the length whose rank is ceil(p/100 * count), counted from 1.
func (h *histogram) percentile(p int) float64 {
	rank := max(1, (p*h.count+99)/100)
	for b, n := range h.counts {
		if rank -= int(n); rank <= 0 {
			return middle(b)
		}
	}
	return middle(bins - 1)
}

// middle returns the middle of a bin in pixels, 0 for the first one.
func middle(b int) float64 {
	if b == 0 {
		return 0
	}
	edge := func(b int) float64 { return float64(math.Float32frombits((uint32(b) + firstBin - 1) << shift)) }
	return (edge(b) + edge(b+1)) / 2
}
