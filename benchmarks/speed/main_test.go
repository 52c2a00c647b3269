package main

import (
	"strings"
	"testing"
	"time"

	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/internal/testutil"
)

func TestCover(t *testing.T) {
	for _, c := range []struct{ side, tile, want int }{{384, 384, 1}, {385, 384, 2}, {1920, 384, 15}, {1080, 320, 9}} {
		if got := cover(c.side, c.tile); got != c.want {
			t.Errorf("%d tiles of %d cover %d, want %d", got, c.tile, c.side, c.want)
		}
	}
}

func TestMeasure(t *testing.T) {
	if _, err := flow.Runtime(""); err != nil {
		testutil.Skip(t, "ONNX Runtime is missing: %v", err)
	}
	for what, tiles := range map[string]int{"pair": 0, "no-reuse": 0, "tiles": 2} {
		r := result{What: what, Width: tileWidth + 1, Height: tileHeight}
		if what != "tiles" {
			r.Width, r.Height = 96, 64
		}
		if err := measure(&r, flow.Options{Device: "cpu"}, time.Nanosecond); err != nil {
			t.Error(err)
			continue
		}
		if r.Runs != 1 || !(r.Milliseconds > 0) || r.Max < r.Milliseconds || r.Tiles != tiles || r.Memory < 1<<20 || r.Network == "" || r.Device != "cpu" || r.Precision != "fp32" {
			t.Errorf("%s: %+v", what, r)
		}
	}
	small := result{What: "tiles", Width: 96, Height: 64}
	if err := measure(&small, flow.Options{Device: "cpu"}, time.Nanosecond); err == nil || !strings.Contains(err.Error(), "do not fit") {
		t.Error(err)
	}
}
