package pairing_test

import (
	"io"
	"path/filepath"
	"slices"
	"testing"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/internal/testutil"
	"github.com/wwflow/wwflow/pairing"
)

// TestCutScoreOnRealClips searches real clips for cuts. The first 120 frames of a talk show have one, after frame 87. Two
// clips with fast motion have none.
func TestCutScoreOnRealClips(t *testing.T) {
	folder := testutil.Require(t, "videos")
	for name, want := range map[string][]int{
		"704x480-mpeg2-interlaced-tff.mp4":  {87},
		"720p-h264-rot180-vfr-fast-aac.mp4": nil,
		"720p-h264-444-mp3-cockatoo.mp4":    nil,
		"720x480-mpeg2-interlaced-film.mp4": nil,
		"720p-h264-rot90-phone-3gp5.mp4":    nil,
	} {
		in, err := decode.Open(t.Context(), filepath.Join(folder, name), decode.Options{Frames: 120, Scale: 0.25})
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		pairs, err := pairing.New(1)
		if err != nil {
			t.Fatal(err)
		}
		var cuts []int
		for {
			f, err := in.Read()
			if err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			p, err := pairs.Push(f)
			if err != nil {
				t.Fatal(err)
			}
			if p != nil && pairing.CutScore(p) > pairing.CutThreshold {
				cuts = append(cuts, p.First.Index)
			}
		}
		if !slices.Equal(cuts, want) {
			t.Errorf("%s: cuts after frames %v, want %v", name, cuts, want)
		}
	}
}
