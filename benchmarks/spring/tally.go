package spring

import "math"

// Tally holds the sums over a set of pixels. Tallies of several flows can be added.
type Tally struct {
	Pixels   int64   // pixels whose truth and estimate are known
	Unknown  int64   `json:",omitempty"` // pixels whose truth alone is known; they are in no other sum
	Length   float64 // sum of endpoint errors, pixels
	Over1    int64   // pixels with an error above 1
	Outliers int64   // pixels with an error above 3 and above 5 % of the longest true length
	WAUC     int64   // sum over pixels of what waucOf returns
}

func (t *Tally) add(o Tally) {
	t.Pixels += o.Pixels
	t.Unknown += o.Unknown
	t.Length += o.Length
	t.Over1 += o.Over1
	t.Outliers += o.Outliers
	t.WAUC += o.WAUC
}

// Figures is a row of the table. All are NaN if no pixel was scored.
type Figures struct {
	Px1  float64 // share of pixels with an endpoint error above 1, in percent
	EPE  float64 // mean endpoint error, in pixels
	Fl   float64 // share of outliers, in percent
	WAUC float64 // weighted area under the curve of errors up to 5 pixels, in percent
}

// Figures returns the figures of the set.
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

// Density returns the share of the pixels with ground truth whose estimate is known, in percent. It is NaN without pixels.
func (t Tally) Density() float64 { return 100 * float64(t.Pixels) / float64(t.Pixels+t.Unknown) }

// Subsets names the subsets of pixels in the order of the table.
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

// subsets adds up the classes of pixels that make up each subset.
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
