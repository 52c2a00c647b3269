package parts

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/testutil/cliptest"
	"github.com/wwflow/wwflow/pipeline"
)

// writeClip writes a lossless video of 32x24 pixels with uneven times, whose frames differ much.
func writeClip(t testing.TB, path string, frames, seed int) {
	t.Helper()
	writePictures(t, path, frames, func(i, at int) byte { return byte(at*7 + at*at*(i+seed)/5 + 13*i) })
}

// writePictures writes a lossless video, or images where the path ends with a slash, of 32x24 pixels with uneven times. level gives the byte at a place of a frame.
func writePictures(t testing.TB, path string, frames int, level func(i, at int) byte) {
	t.Helper()
	codec := "ffv1"
	if strings.HasSuffix(path, "/") {
		codec = ""
	}
	var list []*frame.Frame
	pts := int64(0)
	for i := range frames {
		f := frame.New(32, 24)
		for at := range f.Pix {
			f.Pix[at] = level(i, at)
		}
		f.Index, f.PTS, f.TimeBase = i, pts, frame.Rational{Num: 1, Den: 1000}
		pts += []int64{40, 33, 47, 1, 79}[i%5]
		list = append(list, f)
	}
	cliptest.Write(t, path, encode.Options{Codec: codec, FrameRate: frame.Rational{Num: 25, Den: 1}}, list...)
}

// options are those of a lossless video of a clip of the test. t is not used where the clip exists.
func options(t testing.TB, folder string, frames int) Options {
	input := filepath.Join(folder, "in.mkv")
	if _, err := os.Stat(input); err != nil {
		writeClip(t, input, frames, 1)
	}
	o := Options{Version: "test", Segment: 7}
	o.Video = pipeline.Options{Input: input, Output: filepath.Join(folder, "out.mkv"), Encode: encode.Options{Codec: "ffv1"},
		Network: flow.Options{ModelDir: "../flow/testdata/fake", Device: "cpu", Threads: 1}}
	return o
}

// content is the frames of a video with their times.
type content struct {
	frames []*frame.Frame
	made   int // pipeline.Result.New
}

func read(t testing.TB, path string) (c content) {
	t.Helper()
	c.frames, _ = cliptest.Read(t, path, decode.Options{})
	return c
}

// differs says how two videos differ; "" for not at all.
func (c content) differs(d content) string {
	if len(c.frames) != len(d.frames) {
		return fmt.Sprintf("%d frames, want %d", len(c.frames), len(d.frames))
	}
	for i, f := range c.frames {
		switch g := d.frames[i]; {
		case f.PTS != g.PTS:
			return fmt.Sprintf("frame %d is at %d, want %d", i, f.PTS, g.PTS)
		case !bytes.Equal(f.Pix, g.Pix):
			return fmt.Sprintf("frame %d has other pixels", i)
		}
	}
	return ""
}

// whole is the result of a run in one piece.
func whole(t testing.TB, o Options) content {
	t.Helper()
	o.Video.Output = filepath.Join(t.TempDir(), "whole.mkv")
	o.Video.Exports = nil
	var result pipeline.Result
	var err error
	if o.Retiming != nil {
		result, err = pipeline.Retime(context.Background(), o.Video, *o.Retiming)
	} else {
		result, err = pipeline.Run(context.Background(), o.Video)
	}
	if err != nil {
		t.Fatal(err)
	}
	c := read(t, o.Video.Output)
	c.made = result.New
	return c
}
