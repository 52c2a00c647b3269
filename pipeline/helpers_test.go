package pipeline

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/testutil/cliptest"
)

// clip has 30 frames.
const clip = "../testdata/clips/square-walkers.mp4"

// uneven are presentation times in milliseconds, as in a recording of a phone. They need three segments.
var uneven = []int64{0, 40, 73, 120, 121, 160, 240, 260, 301, 333, 350, 400, 444, 500, 510, 530, 600, 610, 650, 700}

// fakeNetwork names the network of flow/testdata/generate.py, which computes exactly what expected returns.
func fakeNetwork(devices int) flow.Options {
	return flow.Options{ModelDir: "../flow/testdata/fake", Device: strings.Repeat("cpu,", devices-1) + "cpu", Threads: 1}
}

func openFake(t *testing.T, devices int) Networks {
	t.Helper()
	n, err := OpenNetworks(fakeNetwork(devices))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

// lossless is an output whose frames are those that were written, in 8-bit RGB.
func lossless() encode.Options { return encode.Options{Codec: "ffv1"} }

// texture returns a frame whose pixels all change with i.
func texture(width, height, i int) *frame.Frame {
	f := frame.New(width, height)
	for at := range f.Pix {
		f.Pix[at] = byte(at*7 + at*at*(i+1)/5 + 13*i)
	}
	f.Index, f.TimeBase = i, frame.Rational{Num: 1, Den: 1000}
	return f
}

// writeVideo writes a lossless video with frames at these times in milliseconds, and returns its frames.
func writeVideo(t *testing.T, path string, width, height int, times []int64) (frames []*frame.Frame) {
	t.Helper()
	for i, at := range times {
		f := texture(width, height, i)
		f.PTS = at
		frames = append(frames, f)
	}
	o := lossless()
	o.FrameRate, o.SampleAspect = frame.Rational{Num: 25, Den: 1}, frame.Rational{Num: 4, Den: 3}
	cliptest.Write(t, path, o, frames...)
	return frames
}

// readVideo returns all frames of a video or a folder of images.
func readVideo(t *testing.T, path string) ([]*frame.Frame, decode.Info) {
	t.Helper()
	return cliptest.Read(t, path, decode.Options{})
}

// expected returns the vectors that the fake network computes from one frame to another.
func expected(from, to *frame.Frame) *field.Field {
	f := field.New(from.Width, from.Height)
	f.Pair = &frame.Pair{First: from, Second: to}
	code := func(f *frame.Frame, i int) float32 { return float32(f.Pix[3*i]) + 256*float32(f.Pix[3*i+1]) }
	for i := range len(f.Vectors) / 2 {
		f.Vectors[2*i], f.Vectors[2*i+1] = code(to, i)-code(from, i), code(from, i)/2
	}
	return f
}

func contents(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// runVideo runs a lossless video of 64x48 pixels with uneven times. change may be nil.
func runVideo(t *testing.T, ctx context.Context, change func(*Options)) (in []*frame.Frame, o Options, r Result, err error) {
	t.Helper()
	folder := t.TempDir()
	o = Options{Input: filepath.Join(folder, "in.mkv"), Output: filepath.Join(folder, "out.mkv"), Encode: lossless(), Network: fakeNetwork(1)}
	in = writeVideo(t, o.Input, 64, 48, uneven)
	if change != nil {
		change(&o)
	}
	r, err = Run(ctx, o)
	return in, o, r, err
}
