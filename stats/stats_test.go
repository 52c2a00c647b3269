package stats

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
)

// uniform returns a field of one vector, between frames that are 40 ms apart.
func uniform(width, height int, u, v float32) *field.Field {
	f := field.New(width, height)
	at := func(i int) *frame.Frame {
		return &frame.Frame{Index: i, PTS: int64(40 * i), TimeBase: frame.Rational{Num: 1, Den: 1000}, Width: width, Height: height}
	}
	f.Pair = &frame.Pair{First: at(3), Second: at(4)}
	for i := 0; i < len(f.Vectors); i += 2 {
		f.Vectors[i], f.Vectors[i+1] = u, v
	}
	return f
}

// TestMeasureUnknown checks that unknown and infinite flow is in no number.
func TestMeasureUnknown(t *testing.T) {
	f := uniform(30, 40, 3, 4)
	f.Confidence = make([]float32, 1200)
	for i := range f.Confidence {
		f.Confidence[i] = 0.5
	}
	f.Vectors[0], f.Vectors[2], f.Vectors[5] = field.Unknown(), 1e30, float32(math.Inf(-1))
	f.Confidence[0], f.Confidence[1], f.Confidence[2] = 1, 1, 1
	p := Measure(f, false)
	if p.Frame != 3 || p.Time != 0.12 || math.Abs(p.Interval-0.04) > 1e-12 || p.Cut || p.Known != 1197./1200 {
		t.Errorf("%+v", p)
	}
	if m := p.Motion; m.Length.Mean != 5 || m.Relative.Mean != 0.1 || m.Moving != 1 || math.Abs(m.Score-250) > 1e-9 || *m.Confidence != 0.5 {
		t.Errorf("%+v", m)
	}
	for _, percentile := range []float64{p.Length.Median, p.Length.P90, p.Length.P95, p.Length.P99} {
		if math.Abs(percentile-5) > 0.005 {
			t.Errorf("a percentile of lengths of 5 is %v", percentile)
		}
	}
}

// TestMeasureNothing checks pairs without motion to measure.
func TestMeasureNothing(t *testing.T) {
	unknown := uniform(8, 8, field.Unknown(), field.Unknown())
	for name, c := range map[string]struct {
		f    *field.Field
		cut  bool
		want string
	}{
		"a cut":        {uniform(8, 8, 1, 0), true, `{"frame":3,"time":0.12,"interval":0.04,"cut":true,"known":1}`},
		"unknown flow": {unknown, false, `{"frame":3,"time":0.12,"interval":0.04,"cut":false,"known":0}`},
		"no pair":      {&field.Field{Width: 1, Height: 1, Vectors: unknown.Vectors[:2]}, false, `{"frame":0,"time":0,"interval":0,"cut":false,"known":0}`},
	} {
		got, err := json.Marshal(Measure(c.f, c.cut))
		if err != nil || string(got) != c.want {
			t.Errorf("%s gives %s, %v, want %s", name, got, err, c.want)
		}
	}
	p := Measure(uniform(8, 8, 0, 0), false)
	if p.Motion == nil || p.Direction != nil || p.Length != (Lengths{}) || p.Camera.Zoom != 1 || p.Camera.Follow != 1 || p.Confidence != nil {
		t.Errorf("no motion gives %+v", p.Motion)
	}
}

// TestPercentiles compares with the exact ranks of lengths over 20 octaves.
func TestPercentiles(t *testing.T) {
	h := &histogram{}
	const n = 5003
	length := func(i int) float32 { return float32(math.Exp2(float64(i)*30/n - 12)) } // ascending, 1/4096 to 262144
	for i := range n {
		h.add(length(n - 1 - i))
	}
	for _, p := range []int{1, 2, 7, 50, 90, 95, 99} {
		want := float64(length((p*n+99)/100 - 1))
		switch got := h.percentile(p); {
		case want < lowest:
			want = 0
			fallthrough
		default:
			if math.Abs(got-want) > 0.001*want && want < highest {
				t.Errorf("percentile %d is %v, want %v", p, got, want)
			}
		}
	}
	if got := h.percentile(100); got < highest || math.IsInf(got, 0) {
		t.Errorf("the longest is %v", got)
	}
}

// TestBin compares with the arc tangent, and states what the first four directions are.
func TestBin(t *testing.T) {
	for i := range 3600 {
		angle := (float64(i) + 0.3) * math.Pi / 1800 // never a border
		want := int(math.Round(angle*8/math.Pi)) % 16
		if got := bin(float32(math.Cos(angle)), float32(math.Sin(angle))); got != want {
			t.Fatalf("the direction of %.2f degrees is in bin %d, want %d", angle*180/math.Pi, got, want)
		}
	}
	for i, v := range [][2]float32{{1, 0}, {0, 1}, {-1, 0}, {0, -1}} { // right, down, left, up
		p := Measure(uniform(4, 4, v[0], v[1]), false)
		if p.Direction.Degrees != float64(90*i) || p.Direction.Share != 1 || p.Directions[4*i] != 1 {
			t.Errorf("(%v, %v) gives %+v", v[0], v[1], p.Direction)
		}
	}
}
