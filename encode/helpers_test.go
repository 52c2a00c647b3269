package encode_test

import (
	"context"
	"os"
	"testing"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/testutil/cliptest"
)

var background = context.Background()

var thousandth = frame.Rational{Num: 1, Den: 1000}

// times are uneven, as in recordings of phones.
var times = []int64{0, 40, 73, 120, 121, 160, 240, 260, 301, 333}

// moving returns a smooth picture that moves with i. All codecs keep most of it.
func moving(width, height, i int) *frame.Frame {
	f := frame.New(width, height)
	for y := range height {
		for x := range width {
			at := 3 * (y*width + x)
			f.Pix[at], f.Pix[at+1], f.Pix[at+2] = byte(60+(x+3*i)%128), byte(60+y%128), byte(200-10*i)
		}
	}
	f.Index, f.PTS, f.TimeBase = i, times[i], thousandth
	if i == len(times)-1 {
		f.Duration = 25
	}
	return f
}

func options(width, height int) encode.Options {
	return encode.Options{Width: width, Height: height, TimeBase: thousandth, FrameRate: frame.Rational{Num: 25, Den: 1}}
}

// fill writes all frames and commits.
func fill(t testing.TB, path string, o encode.Options) (notices []string) {
	t.Helper()
	w, err := encode.Create(background, path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for i := range times {
		if err := w.Write(moving(o.Width, o.Height, i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	return w.Notices()
}

// read returns all frames of a video.
func read(t testing.TB, path string) (list []*frame.Frame, info decode.Info) {
	t.Helper()
	return cliptest.Read(t, path, decode.Options{})
}

// names lists a folder, hidden files included.
func names(t testing.TB, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}
