package consistency

import (
	"errors"
	"math"
	"testing"

	"github.com/wwflow/wwflow/field"
)

// scene returns the exact flow of a square of 8x8 pixels, at (10, 10), that moves by (6, 0) over a still background, in both
// directions, and the pixels of the first frame that are hidden in the second one.
func scene() (forward, backward *field.Field, hidden map[int]bool) {
	const width, height = 32, 28
	forward, backward = field.New(width, height), field.New(width, height)
	hidden = map[int]bool{}
	for y := 10; y < 18; y++ {
		for x := 10; x < 18; x++ {
			forward.Vectors[2*(y*width+x)] = 6
			backward.Vectors[2*(y*width+x+6)] = -6
		}
		for x := 18; x < 24; x++ {
			hidden[y*width+x] = true
		}
	}
	return forward, backward, hidden
}

func TestCheckFindsHiddenPixels(t *testing.T) {
	forward, backward, hidden := scene()
	if err := Check(forward, backward, Thresholds{}); err != nil {
		t.Fatal(err)
	}
	for i, v := range forward.Visibility {
		want := field.Visible
		if hidden[i] {
			want = field.Occluded
		}
		if v != want {
			t.Fatalf("pixel (%d, %d) has visibility %d, want %d", i%forward.Width, i/forward.Width, v, want)
		}
	}
	if forward.Reverse != backward || backward.Reverse != forward || backward.Share(field.Occluded) != forward.Share(field.Occluded) {
		t.Error("the fields are not each other's reverse")
	}
	forward.MaskOccluded()
	for i := range forward.Visibility {
		if known := field.Known(forward.At(i%forward.Width, i/forward.Width)); known == hidden[i] {
			t.Fatalf("pixel %d: known is %v", i, known)
		}
	}
}

func TestCheckTellsBorderFromOcclusion(t *testing.T) {
	forward, backward := field.New(4, 3), field.New(4, 3)
	set := func(x, y int, u, v float32) {
		i := 2 * (y*4 + x)
		forward.Vectors[i], forward.Vectors[i+1] = u, v
	}
	set(0, 0, -0.4, 0)               // the pixel's area is half in the frame
	set(1, 0, -1.6, 0)               // to -0.6
	set(2, 0, 1.5, 0)                // to 3.5, the right edge
	set(3, 0, 0, 2.6)                // below
	set(0, 1, field.Unknown(), 0)    // unknown flow
	set(1, 1, 1, 0)                  // the background stands still
	set(2, 1, float32(1e30), 0)      // far out
	set(3, 1, 0, float32(-1/1024.0)) // depends on one neighbour of unknown flow
	set(0, 2, 3, -2)                 // reaches that neighbour
	backward.Vectors[2*3] = field.Unknown()
	if err := Check(forward, backward, Thresholds{Absolute: 0.5}); err != nil {
		t.Fatal(err)
	}
	want := []field.Visibility{
		field.Visible, field.Outside, field.Outside, field.Outside,
		field.Unchecked, field.Occluded, field.Outside, field.Unchecked,
		field.Unchecked, field.Visible, field.Visible, field.Visible,
	}
	for i, v := range forward.Visibility {
		if v != want[i] {
			t.Errorf("pixel (%d, %d) has visibility %d, want %d", i%4, i/4, v, want[i])
		}
	}
}

// TestThresholds checks the inequality on both sides of the limit, with relative and absolute part.
func TestThresholds(t *testing.T) {
	check := func(u, back float32, th Thresholds) field.Visibility {
		f, b := field.New(64, 1), field.New(64, 1)
		for x := range 64 {
			f.Vectors[2*x], b.Vectors[2*x] = u, back
		}
		if err := Check(f, b, th); err != nil {
			t.Fatal(err)
		}
		return f.Visibility[10]
	}
	for _, c := range []struct {
		u, back float32
		t       Thresholds
		want    field.Visibility
	}{
		{10, -8.6, Thresholds{}, field.Visible},  // 1.96 < 0.01*173.96+0.5
		{10, -8.5, Thresholds{}, field.Occluded}, // 2.25 > 0.01*172.25+0.5
		{10, -8.6, Thresholds{Relative: 0.005, Absolute: 0.5}, field.Occluded},
		{10, -8.6, Thresholds{Relative: 0.01, Absolute: 0.2}, field.Occluded},
		{10, -8.5, Thresholds{Relative: 0.02, Absolute: 0.5}, field.Visible},
	} {
		if got := check(c.u, c.back, c.t); got != c.want {
			t.Errorf("%v and %v with %v: %d, want %d", c.u, c.back, c.t, got, c.want)
		}
	}
}

func TestConfidenceIsAddedOnlyWhereMissing(t *testing.T) {
	forward, backward, _ := scene()
	backward.Confidence = make([]float32, len(backward.Vectors)/2)
	if err := Check(forward, backward, Thresholds{}); err != nil {
		t.Fatal(err)
	}
	if c := forward.Confidence[0]; c != 1 {
		t.Errorf("a pixel that returns to itself has confidence %v, want 1", c)
	}
	if c, want := forward.Confidence[10*32+18], float32(1.0/7); math.Abs(float64(c-want)) > 1e-6 { // B is -6 there
		t.Errorf("a pixel that is led 6 pixels away has confidence %v, want %v", c, want)
	}
	if backward.Confidence[0] != 0 {
		t.Error("the network's own confidence was replaced")
	}
}

func TestAtInterpolates(t *testing.T) {
	f := field.New(2, 2)
	copy(f.Vectors, []float32{0, 0, 4, 0, 0, 8, 4, 8})
	for _, c := range []struct{ x, y, u, v float32 }{{0, 0, 0, 0}, {0.5, 0.25, 2, 2}, {1, 1, 4, 8}, {-3, 9, 0, 8}} {
		if u, v := At(f, c.x, c.y); u != c.u || v != c.v {
			t.Errorf("(%v, %v): %v, %v; want %v, %v", c.x, c.y, u, v, c.u, c.v)
		}
	}
}

func TestCheckRefusesOtherSizes(t *testing.T) {
	if err := Check(field.New(2, 2), field.New(3, 2), Thresholds{}); !errors.Is(err, field.ErrSizes) {
		t.Errorf("the error is %v", err)
	}
}
