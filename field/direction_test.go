package field_test

import (
	"testing"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
)

func TestDirection(t *testing.T) {
	at := func(index int, pts int64) *frame.Frame { return &frame.Frame{Index: index, PTS: pts} }
	for _, c := range []struct {
		name string
		pair *frame.Pair
		want field.Direction
	}{
		{"no pair", nil, field.UnknownDirection},
		{"no frames", &frame.Pair{}, field.UnknownDirection},
		{"to a later frame", &frame.Pair{First: at(3, 90), Second: at(4, 80)}, field.Forward},
		{"to an earlier frame", &frame.Pair{First: at(4, 80), Second: at(3, 90)}, field.Backward},
		{"same index, later time", &frame.Pair{First: at(0, 1), Second: at(0, 2)}, field.Forward},
		{"same index, earlier time", &frame.Pair{First: at(0, 2), Second: at(0, 1)}, field.Backward},
		{"two pictures without order", &frame.Pair{First: at(0, 0), Second: at(0, 0)}, field.UnknownDirection},
	} {
		f := field.New(1, 1)
		f.Pair = c.pair
		if got := f.Direction(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
