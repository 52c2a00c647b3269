package warp

import (
	"errors"
	"slices"
	"testing"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
)

// row returns a frame of one row with these grey levels.
func row(levels ...uint8) *frame.Frame {
	f := frame.New(len(levels), 1)
	for i, v := range levels {
		f.Pix[3*i], f.Pix[3*i+1], f.Pix[3*i+2] = v, v, v
	}
	return f
}

func flow(u ...float32) *field.Field {
	f := field.New(len(u), 1)
	for i, v := range u {
		f.Vectors[2*i] = v
	}
	return f
}

func levels(f *frame.Frame) (list []uint8) {
	for i := range f.Width {
		list = append(list, f.Pix[3*i])
	}
	return list
}

func TestBackward(t *testing.T) {
	unknown := field.Unknown()
	got, known, err := Backward(row(10, 20, 30, 40), flow(1, 0.5, unknown, 0.6))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(levels(got), []uint8{20, 25, 0, 0}) || !slices.Equal(known, []bool{true, true, false, false}) {
		t.Errorf("the row is %v, known %v", levels(got), known)
	}
	if _, _, err := Backward(row(1), flow(1, 2)); !errors.Is(err, field.ErrSizes) {
		t.Errorf("other sizes: %v", err)
	}
}

func TestSplat(t *testing.T) {
	s := NewSplat(4, 1)
	// Half of the way: 10 goes from 0 to 1, where 20 stays, with a third of its weight; 30 leaves the image to the right.
	if err := s.Add(row(10, 20, 30, 40), flow(2, 0, 9, field.Unknown()), 0.5, []float32{1, 3, 1, 1}); err != nil {
		t.Fatal(err)
	}
	got, known := s.Frame()
	if !slices.Equal(levels(got), []uint8{0, 18, 0, 0}) || !slices.Equal(known, []bool{false, true, false, false}) {
		t.Errorf("the row is %v, known %v", levels(got), known)
	}
	s = NewSplat(3, 1)
	if err := s.Add(row(100, 0, 0), flow(1.25, 9, 9), 1, nil); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.Weight, []float32{0, 0.75, 0.25}) {
		t.Errorf("a pixel between two others has the weights %v", s.Weight)
	}
	if err := s.Add(row(1), flow(1), 1, nil); !errors.Is(err, field.ErrSizes) {
		t.Errorf("other sizes: %v", err)
	}
}
