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
	var us, vs, lengths []float64
	for i := 0; i < len(f.Vectors); i += 2 {
		u, v := f.Vectors[i], f.Vectors[i+1]
		if !Known(u, v) {
			s.Unknown++
			continue
		}
		s.Known++
		a, b := float64(u), float64(v)
		if math.IsInf(a, 0) || math.IsInf(b, 0) {
			s.Infinite++
			continue
		}
		us, vs, lengths = append(us, a), append(vs, b), append(lengths, math.Hypot(a, b))
	}
	s.U, s.V, s.Length = distribution(us), distribution(vs), distribution(lengths)
	return s
}

// distribution sorts the numbers in place.
func distribution(numbers []float64) Distribution {
	n := len(numbers)
	if n == 0 {
		return Distribution{}
	}
	slices.Sort(numbers)
	sum := 0.0
	for _, v := range numbers {
		sum += v
	}
	return Distribution{
		Min: numbers[0], Median: (numbers[(n-1)/2] + numbers[n/2]) / 2, Mean: sum / float64(n),
		P99: numbers[(99*n+99)/100-1], Max: numbers[n-1],
	}
}
