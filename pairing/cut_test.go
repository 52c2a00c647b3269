package pairing_test

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/pairing"
)

// TestCutOnRealClips looks for cuts in real clips: a talk show has one in its first 120 frames, after frame 87, and the
// two with the fastest motion have none.
func TestCutOnRealClips(t *testing.T) {
	dir := filepath.Join("..", "..", "shared", "data", "videos")
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("the real material is missing: ", err)
		}
		t.Skip("no real material: ", err)
	}
	for name, want := range map[string][]int{
		"704x480-mpeg2-interlaced-tff.mp4":  {87},
		"720p-h264-rot180-vfr-fast-aac.mp4": nil,
		"720p-h264-444-mp3-cockatoo.mp4":    nil,
		"720x480-mpeg2-interlaced-film.mp4": nil,
		"720p-h264-rot90-phone-3gp5.mp4":    nil,
	} {
		in, err := decode.Open(t.Context(), filepath.Join(dir, name), decode.Options{Frames: 120, Scale: 0.25})
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
			if p != nil && pairing.Cut(p) > pairing.CutAbove {
				cuts = append(cuts, p.First.Index)
			}
		}
		if !slices.Equal(cuts, want) {
			t.Errorf("%s: cuts after frames %v, want %v", name, cuts, want)
		}
	}
}
