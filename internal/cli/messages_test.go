package cli

import "testing"

func TestSpeed(t *testing.T) {
	for perSecond, want := range map[float64]string{3930: "3930 frames/s", 99.96: "100 frames/s", 2.174: "2.17 frames/s", 0.0352: "28.4 s per frame"} {
		if got := speed(perSecond, "frame"); got != want {
			t.Errorf("%v: %s, want %s", perSecond, got, want)
		}
	}
}
