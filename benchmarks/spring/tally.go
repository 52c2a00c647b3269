package spring

import "math"

// Tally sums a set of pixels. Tallies of several flows are added up.
type Tally struct {
	Pixels   int64   // whose error counts
	Length   float64 // sum of endpoint errors, pixels
	Over1    int64   // pixels with an error above 1
	Outliers int64   // pixels with an error above 3 and above 5 % of the longest true length
	WAUC     int64   // sum over pixels and thresholds i/20 that hold of 101-i, for i from 1 to 100
}

func (t *Tally) add(o Tally) {
	t.Pixels += o.Pixels
	t.Length += o.Length
	t.Over1 += o.Over1
	t.Outliers += o.Outliers
	t.WAUC += o.WAUC
}

// Figures is a row of the table. They are NaN where no pixel counts.
type Figures struct {
	Px1  float64 // pixels with an endpoint error above 1, in percent
	EPE  float64 // mean endpoint error, in pixels
	Fl   float64 // outliers by KITTI's rule, in percent
	WAUC float64 // weighted area under the curve of errors up to 5 pixels, in percent
}

// Figures works out the row.
func (t Tally) Figures() Figures {
	if t.Pixels == 0 {
		return Figures{math.NaN(), math.NaN(), math.NaN(), math.NaN()}
	}
	n := float64(t.Pixels)
	return Figures{
		Px1:  100 * float64(t.Over1) / n,
		EPE:  t.Length / n,
		Fl:   100 * float64(t.Outliers) / n,
		WAUC: 100 * float64(t.WAUC) / (n * float64(waucTotal)),
	}
}

// Subsets names the subsets in the order of the table.
var Subsets = [...]string{
	"all", "low detail", "high detail", "matched", "unmatched", "rigid", "non-rigid", "not sky", "sky", "s0-10", "s10-40", "s40+",
}

// Tallies holds a Tally for each of Subsets.
type Tallies [len(Subsets)]Tally

func (t *Tallies) add(o *Tallies) {
	for i := range t {
		t[i].add(o[i])
	}
}

// subsets puts the classes of pixels together.
func subsets(sums *[classes]Tally) Tallies {
	var t Tallies
	for class, sum := range sums {
		t[0].add(sum)
		for bit := range 4 {
			t[1+2*bit+class>>bit&1].add(sum)
		}
		t[9+class/speeds].add(sum)
	}
	return t
}
