package batch

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/testutil"
	"github.com/wwflow/wwflow/internal/testutil/cliptest"
)

// TestThroughput compares a batch of tiny clips with the network alone, which estimates the same pairs from memory. They take
// turns, so that both meet the same load of other programs. The clips are pieces of the sample clip.
func TestThroughput(t *testing.T) {
	if os.Getenv("WWFLOW_CLIPS") == "" {
		t.Skip("it takes minutes; make test-survival runs it")
	}
	const clips, rounds = 11, 5
	folder := t.TempDir()
	clip := filepath.Join(folder, "clip.mp4")
	frames := writePiece(t, clip, 192, 30)
	if err := os.Mkdir(filepath.Join(folder, "in"), 0o777); err != nil {
		t.Fatal(err)
	}
	for i := range clips {
		if err := os.Link(clip, filepath.Join(folder, "in", fmt.Sprintf("%04d.mp4", i))); err != nil {
			t.Fatal(err)
		}
	}
	o := collect(t, filepath.Join(folder, "out"), filepath.Join(folder, "in"))
	o.Network = flow.Options{Device: "cpu"}
	for i := range o.Videos {
		o.Videos[i].Encode, o.Videos[i].Paint.MaxFlow = encode.Options{}, 5
	}
	model, err := flow.Open(o.Network)
	if err != nil {
		t.Fatal(err)
	}
	defer model.Close()
	alone := func() time.Duration {
		begin := time.Now()
		e := flow.NewEstimator(model)
		defer e.Close()
		for i := range len(frames) - 1 {
			if _, err := e.Flow(t.Context(), frames[i], frames[i+1]); err != nil {
				t.Fatal(err)
			}
			e.ForgetBefore(frames[i].Index + 1)
		}
		return time.Since(begin)
	}
	alone() // warms up
	var ratios []float64
	for range rounds {
		if err := os.RemoveAll(o.Dir); err != nil {
			t.Fatal(err)
		}
		var begin time.Time
		o.Events.Ended = func(n int, _ Entry) {
			if n == 1 { // warmed up
				begin = time.Now()
			}
		}
		if _, err := Run(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		batch := time.Since(begin)
		begin = time.Now()
		for range clips - 1 {
			alone()
		}
		ratios = append(ratios, time.Since(begin).Seconds()/batch.Seconds())
	}
	slices.Sort(ratios)
	ratio := ratios[len(ratios)/2]
	t.Logf("clips of %d frames: throughput %.3f of the network's own (median of %.3f)", len(frames), ratio, ratios)
	if ratio < 0.95 {
		t.Errorf("throughput is %.3f of the network's own, want 0.95", ratio)
	}
}

// writePiece writes the first frames of the sample clip, resized, and returns them as they are read back.
func writePiece(t *testing.T, path string, width, n int) []*frame.Frame {
	t.Helper()
	sample := filepath.Join(testutil.Repository(), "testdata", "clips", "square-walkers.mp4")
	frames, _ := cliptest.Read(t, sample, decode.Options{Frames: n, Scale: float64(width) / 768})
	for _, f := range frames {
		f.PTS, f.TimeBase, f.Duration = int64(100*f.Index), frame.Rational{Num: 1, Den: 1000}, 0
	}
	cliptest.Write(t, path, encode.Options{FrameRate: frame.Rational{Num: 10, Den: 1}}, frames...)
	frames, _ = cliptest.Read(t, path, decode.Options{})
	return frames
}
