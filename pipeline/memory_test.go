package pipeline

import (
	"path/filepath"
	"runtime"
	"testing"
	"weak"

	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/testutil"
)

// TestNetworkFreesFeatures estimates the pairs of a video, and then those of a later segment. The features of at most
// step frames are held between pairs.
func TestNetworkFreesFeatures(t *testing.T) {
	for _, step := range []int{1, 3} {
		for _, backward := range []bool{false, true} {
			n := openFake(t, 1)[0]
			var frames []*frame.Frame
			for i := range 40 {
				frames = append(frames, texture(8, 8, i))
			}
			for i := range len(frames) - step {
				if i >= 8 && i < 24 {
					continue // segments of other devices
				}
				if _, err := n.next(t.Context(), &frame.Pair{First: frames[i], Second: frames[i+step]}, backward); err != nil {
					t.Fatal(err)
				}
				if kept := n.estimator.Kept(); kept > step {
					t.Errorf("step %d, backward %v: features of %d frames are held after pair %d", step, backward, kept, i)
				}
			}
		}
	}
}

// TestFieldsFreeFrames counts the frames of a long video that the garbage collector cannot free.
func TestFieldsFreeFrames(t *testing.T) {
	path := filepath.Join(t.TempDir(), "in.mkv")
	writeVideo(t, path, 16, 16, regular(200))
	var seen []weak.Pointer[frame.Frame]
	for f, err := range Fields(t.Context(), path, Options{Network: fakeNetwork(1)}) {
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, weak.Make(f.Pair.First))
		if len(seen)%50 != 0 {
			continue
		}
		runtime.GC()
		alive := 0
		for _, p := range seen {
			if p.Value() != nil {
				alive++
			}
		}
		if alive > 3 { // frames that were returned; those of the queues are not counted
			t.Errorf("%d of the first %d frames are in memory", alive, len(seen))
		}
	}
}

// TestMemoryDoesNotGrow compares the memory of the process, C memory included, early and late in a long video. If 8-bit RGB
// of one frame were left behind for each image, it would grow by 23 MB.
func TestMemoryDoesNotGrow(t *testing.T) {
	const begin, frames = 100, 500
	folder := t.TempDir()
	in := filepath.Join(folder, "in.mkv")
	writeVideo(t, in, 160, 120, regular(frames))
	var early, late int64
	o := Options{Input: in, Output: filepath.Join(folder, "out.mkv"), Encode: lossless(), Network: fakeNetwork(1)}
	o.Paint.MaxFlow = 1000
	o.Exports = []Export{{Format: H5Half, Dir: filepath.Join(folder, "h5")}}
	o.Events.Written = func(done, _ int) {
		switch done {
		case begin:
			early = testutil.ResidentMemory(t)
		case frames - 1:
			late = testutil.ResidentMemory(t)
		}
	}
	if _, err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	t.Logf("%.1f MB after %d images, %.1f MB after %d", float64(early)/1e6, begin, float64(late)/1e6, frames-1)
	if grown := late - early; grown > 10e6 || early == 0 {
		t.Errorf("memory grew by %.1f MB", float64(grown)/1e6)
	}
}

// regular returns the times of n frames in milliseconds.
func regular(n int) (times []int64) {
	for i := range n {
		times = append(times, int64(40*i))
	}
	return times
}
