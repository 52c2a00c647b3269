package parts

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/testutil"
	"github.com/wwflow/wwflow/pipeline"
)

// retiming are the options for a retimed video of a clip whose pattern moves, with a cut at frame 20. t is not used where the
// clip exists.
func retiming(t testing.TB, folder string, r pipeline.Retiming) Options {
	input := filepath.Join(folder, "in.mkv")
	if _, err := os.Stat(input); err != nil {
		writePictures(t, input, 40, func(i, at int) byte {
			level := byte((at/3%32+i)*5%60 + at/96)
			if i >= 20 {
				level += 150
			}
			return level
		})
	}
	o := options(t, folder, 40)
	o.Retiming = &r
	return o
}

// TestResumeRetiming stops retiming several times, in and between pairs: frames, times and counts are those of pipeline.Retime.
// The clip has a variable frame rate and a cut.
func TestResumeRetiming(t *testing.T) {
	slow, fast := frame.Rational{Num: 1, Den: 4}, frame.Rational{Num: 3, Den: 1}
	for _, c := range []struct {
		pipeline.Retiming
		segment int
		stops   []int
	}{
		{pipeline.Retiming{Speed: slow}, 0, []int{5, 61, 130}},
		{pipeline.Retiming{Speed: slow}, 1, []int{30, 70}},
		{pipeline.Retiming{FrameRate: frame.Rational{Num: 60000, Den: 1001}, KeepAudio: true}, 7, []int{1, 40, 75}},
		{pipeline.Retiming{Speed: fast}, 4, []int{1, 9}},
	} {
		t.Run(fmt.Sprintf("%v %v", c.Describe(), c.segment), func(t *testing.T) {
			o := retiming(t, t.TempDir(), c.Retiming)
			o.Segment = c.segment
			want := whole(t, o)
			last := 0
			for _, at := range c.stops {
				stopped(t, o, max(at, last+1))
				m, err := readManifest(Folder(o.Video.Output), Part{1, 1})
				if err != nil || m.frames() <= last {
					t.Fatalf("%d images are kept after %d: %v", m.frames(), last, err)
				}
				last = m.frames()
			}
			var before Continued
			o.Continued = func(c Continued) { before = c }
			first := 0
			o.Video.Events.Written = func(done, total int) {
				if first == 0 {
					first = done
				}
				if done > total {
					t.Errorf("%d of %d images", done, total)
				}
			}
			r, err := Resume(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if r.Frames != len(want.frames) || r.New != want.made || r.Read != 40 || before.Done != last || first != last+1 {
				t.Errorf("%+v, want %d frames and %d new; continued %+v, first new image %d", r, len(want.frames), want.made, before, first)
			}
			if c.Speed != fast && (want.made == 0 || want.made == len(want.frames)) {
				t.Errorf("%d new frames of %d", want.made, len(want.frames))
			}
			if d := read(t, o.Video.Output).differs(want); d != "" {
				t.Error(d)
			}
			if names := testutil.List(t, filepath.Dir(o.Video.Output)); !slices.Equal(names, []string{"in.mkv", "out.mkv"}) {
				t.Errorf("there are %v", names)
			}
		})
	}
}

// TestResumeRetimingAtTheEnd stops when all pairs are done: the last frame is still shown for its duration, once.
func TestResumeRetimingAtTheEnd(t *testing.T) {
	o := retiming(t, t.TempDir(), pipeline.Retiming{Speed: frame.Rational{Num: 1, Den: 4}})
	want := whole(t, o)
	for at := len(want.frames) - 6; at <= len(want.frames); at++ {
		part := o
		stopping(&part, at)
		if _, err := Resume(t.Context(), part); err != nil {
			if !errors.Is(err, pipeline.ErrStopped) {
				t.Fatal(err)
			}
			if _, err := Resume(t.Context(), o); err != nil {
				t.Fatal(err)
			}
		}
		if d := read(t, o.Video.Output).differs(want); d != "" {
			t.Errorf("stopped at %d of %d: %s", at, len(want.frames), d)
		}
		o.Video.Encode.Force = true
	}
}

// TestResumeRetimingRefuses what has changed, and names it.
func TestResumeRetimingRefuses(t *testing.T) {
	slow := pipeline.Retiming{Speed: frame.Rational{Num: 1, Den: 4}}
	o := retiming(t, t.TempDir(), slow)
	stopped(t, o, 20)
	for _, c := range []struct {
		pipeline.Retiming
		text string
	}{
		{pipeline.Retiming{Speed: frame.Rational{Num: 1, Den: 2}}, "speed was 1/4, is 1/2"},
		{pipeline.Retiming{Speed: slow.Speed, FrameRate: frame.Rational{Num: 50, Den: 1}}, "fps was the default, is 50"},
		{pipeline.Retiming{Speed: slow.Speed, Stretch: true}, "audio was drop, is stretch"},
	} {
		o.Retiming = &c.Retiming
		if _, err := Resume(t.Context(), o); !errors.Is(err, ErrChanged) || !strings.HasSuffix(err.Error(), c.text) {
			t.Errorf("%v, want %q", err, c.text)
		}
	}
	o.Retiming = nil
	if _, err := Resume(t.Context(), o); !errors.Is(err, ErrChanged) || !strings.Contains(err.Error(), "speed was 1/4, is the default") {
		t.Errorf("a flow video: %v", err)
	}
	o.Retiming = &slow
	if _, err := Resume(t.Context(), o); err != nil {
		t.Error(err)
	}
	o.Dir, o.Part = t.TempDir(), Part{1, 2}
	if _, err := Compute(t.Context(), o); !errors.Is(err, pipeline.ErrOptions) {
		t.Errorf("in parts: %v", err)
	}
}

// TestSegmentsHaveWholePairs ends a segment by time only between pairs.
func TestSegmentsHaveWholePairs(t *testing.T) {
	s := &sink{segment: &Segment{First: 2, End: 5}, closed: time.Now().Add(-2 * segmentTime)}
	if s.full(4) || !s.full(5) {
		t.Error("a segment ends within a pair, or does not end")
	}
}
