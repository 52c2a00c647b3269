package field

import (
	"math"
	"slices"
)

// Statistics summarises a field. The distributions cover the known and finite vectors, in pixels. They are zero if there
// are none.
type Statistics struct {
	Width    int          `json:"width"`
	Height   int          `json:"height"`
	Known    int          `json:"known"`    // number of pixels
	Unknown  int          `json:"unknown"`  // number of pixels
	Infinite int          `json:"infinite"` // number of known pixels with an infinite component
	U        Distribution `json:"u"`
	V        Distribution `json:"v"`
	Length   Distribution `json:"length"`
}

// Distribution describes a set of numbers.
type Distribution struct {
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	Mean   float64 `json:"mean"`
	P99    float64 `json:"p99"` // 99th percentile
	Max    float64 `json:"max"`
}

// Statistics returns the statistics of the field.
func (f *Field) Statistics() Statistics {
	s := Statistics{Width: f.Width, Height: f.Height}
	for i := 0; i < len(f.Vectors); i += 2 {
		switch u, v := f.Vectors[i], f.Vectors[i+1]; {
		case !Known(u, v):
			s.Unknown++
		case !finite(u, v):
			s.Known++
			s.Infinite++
		default:
			s.Known++
		}
	}
	// One buffer for all distributions: a field can have 67 million pixels.
	numbers := make([]float32, 0, s.Known-s.Infinite)
	of := func(value func(u, v float32) float32) Distribution {
		numbers = numbers[:0]
		for i := 0; i < len(f.Vectors); i += 2 {
			if u, v := f.Vectors[i], f.Vectors[i+1]; finite(u, v) {
				numbers = append(numbers, value(u, v))
			}
		}
		return distribution(numbers)
	}
	s.U = of(func(u, _ float32) float32 { return u })
	s.V = of(func(_, v float32) float32 { return v })
	s.Length = of(func(u, v float32) float32 { return float32(math.Hypot(float64(u), float64(v))) })
	return s
}

// finite reports whether the flow is known and neither component is infinite.
func finite(u, v float32) bool { return Known(u-u, v-v) }

// distribution sorts the numbers in place.
func distribution(numbers []float32) Distribution {
	n := len(numbers)
	if n == 0 {
		return Distribution{}
	}
	slices.Sort(numbers)
	sum := 0.0
	for _, v := range numbers {
		sum += float64(v)
	}
	return Distribution{
		Min:    float64(numbers[0]),
		Median: (float64(numbers[(n-1)/2]) + float64(numbers[n/2])) / 2,
		Mean:   sum / float64(n),
		P99:    float64(numbers[(99*n+99)/100-1]),
		Max:    float64(numbers[n-1]),
	}
}
