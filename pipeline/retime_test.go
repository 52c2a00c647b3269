package pipeline

import (
	"bytes"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/testutil"
)

// retimed runs Retime on a lossless video of grey frames, whose levels are given, at these times in milliseconds. It returns the
// level of the middle of each frame of the output and its time in units of its time base.
func retimed(t *testing.T, times []int64, levels []uint8, r Retiming) (got []uint8, pts []int64, result Result) {
	t.Helper()
	folder := t.TempDir()
	o := Options{Input: filepath.Join(folder, "in.mkv"), Output: filepath.Join(folder, "out.mkv"), Encode: lossless(), Network: fakeNetwork(1)}
	e := lossless()
	e.Width, e.Height, e.TimeBase, e.FrameRate = 32, 24, frame.Rational{Num: 1, Den: 1000}, frame.Rational{Num: 10, Den: 1}
	out, err := encode.Create(t.Context(), o.Input, e)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	for i, at := range times {
		f := frame.New(32, 24)
		copy(f.Pix, bytes.Repeat([]byte{levels[i]}, len(f.Pix)))
		f.PTS, f.TimeBase, f.Duration = at, e.TimeBase, 100
		if err := out.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Commit(); err != nil {
		t.Fatal(err)
	}
	if result, err = Retime(t.Context(), o, r); err != nil {
		t.Fatal(err)
	}
	frames, info := readVideo(t, o.Output)
	for _, f := range frames {
		got = append(got, f.Pix[3*(12*32+16)])
		pts = append(pts, f.PTS*1000*int64(info.TimeBase.Num)/int64(info.TimeBase.Den))
	}
	return got, pts, result
}

// TestRetimeTimes checks what is shown at which time, at a constant and at a variable frame rate. Frames of the input are
// shown unchanged at their own times, the last one for its duration.
func TestRetimeTimes(t *testing.T) {
	tenth := frame.Rational{Num: 10, Den: 1}
	// Black frames have the flow 0, so frames between are black too; the levels 0 and 1 differ too little to be a cut.
	got, pts, r := retimed(t, []int64{0, 100, 200}, []uint8{0, 0, 0}, Retiming{Speed: frame.Rational{Num: 1, Den: 2}, FrameRate: tenth})
	if want := []int64{0, 100, 200, 300, 400, 500}; !slices.Equal(pts, want) || r.Frames != 6 || r.New != 2 || r.Read != 3 {
		t.Errorf("half the speed: times %v, want %v; %+v", pts, want, r)
	}
	if !slices.Equal(got, make([]uint8, 6)) {
		t.Errorf("the levels are %v", got)
	}
	// At 25 frames a second and a variable rate only frame 0 and the one at 200 ms are on time.
	_, pts, r = retimed(t, []int64{0, 90, 200}, []uint8{0, 0, 0}, Retiming{FrameRate: frame.Rational{Num: 25, Den: 1}})
	if want := []int64{0, 40, 80, 120, 160, 200, 240, 280}; !slices.Equal(pts, want) || r.New != 4 {
		t.Errorf("25 frames a second: times %v, want %v; %+v", pts, want, r)
	}
	// Faster: every second frame is left out.
	_, pts, r = retimed(t, []int64{0, 100, 200, 300}, []uint8{0, 0, 0, 0}, Retiming{Speed: frame.Rational{Num: 2, Den: 1}, FrameRate: tenth})
	if want := []int64{0, 100}; !slices.Equal(pts, want) || r.New != 0 {
		t.Errorf("twice the speed: times %v, want %v; %+v", pts, want, r)
	}
}

// TestRetimeKeepsCuts checks that nothing is made across a cut: the nearer frame is shown.
func TestRetimeKeepsCuts(t *testing.T) {
	got, _, r := retimed(t, []int64{0, 100}, []uint8{20, 230}, Retiming{FrameRate: frame.Rational{Num: 50, Den: 1}})
	if want := []uint8{20, 20, 20, 230, 230, 230, 230, 230, 230, 230}; !slices.Equal(got, want) || r.New != 0 || r.Cuts != 1 {
		t.Errorf("the levels are %v, want %v; %+v", got, want, r)
	}
}

func TestRetimeRefusesOptions(t *testing.T) {
	for _, r := range []Retiming{{Speed: frame.Rational{Num: -1, Den: 1}}, {FrameRate: frame.Rational{Num: 1}}, {Speed: frame.Rational{Num: 1, Den: 2}, KeepAudio: true}} {
		if _, err := Retime(t.Context(), Options{Input: clip, Output: "x.mkv"}, r); !errors.Is(err, ErrOptions) {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

// TestRetimeLeavesNothing stops a run by an option that the encoder refuses.
func TestRetimeLeavesNothing(t *testing.T) {
	folder := t.TempDir()
	o := Options{Input: clip, Output: filepath.Join(folder, "out.mp4"), Network: fakeNetwork(1)}
	o.Decode.Frames, o.Decode.Scale = 4, 0.1
	o.Encode.EncoderOptions = map[string]string{"preset": "nonsense"}
	if _, err := Retime(t.Context(), o, Retiming{FrameRate: frame.Rational{Num: 50, Den: 1}}); err == nil {
		t.Error("an invalid option gives no error")
	}
	if list := testutil.List(t, folder); len(list) > 0 {
		t.Errorf("there are %v", list)
	}
}
