package pipeline

import (
	"errors"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/wwflow/wwflow/consistency"
	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/testutil"
	"github.com/wwflow/wwflow/visualize"
)

// TestBothEncodesEachFrameOnce compares both directions with the exact flow, at several steps and in both orders, and counts
// the frames that go through the encoder.
func TestBothEncodesEachFrameOnce(t *testing.T) {
	networks := openFake(t, 1)
	path := filepath.Join(t.TempDir(), "in.mkv")
	in := writeVideo(t, path, 32, 24, uneven[:9])
	var before flow.Stats
	for _, step := range []int{1, 3} {
		for _, backward := range []bool{false, true} {
			i := 0
			for f, err := range Fields(t.Context(), path, Options{Networks: networks, Step: step, Backward: backward, Both: true}) {
				if err != nil {
					t.Fatal(err)
				}
				p := directed(&frame.Pair{First: in[i], Second: in[i+step]}, backward)
				there, back := expected(p.First, p.Second), expected(p.Second, p.First)
				if !slices.Equal(f.Vectors, there.Vectors) || !slices.Equal(f.Reverse.Vectors, back.Vectors) {
					t.Errorf("step %d, backward %v: field %d or its reverse has other vectors", step, backward, i)
				}
				if err := consistency.Check(there, back, consistency.Default); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(f.Visibility, there.Visibility) || !slices.Equal(f.Reverse.Visibility, back.Visibility) {
					t.Errorf("step %d, backward %v: field %d has another visibility", step, backward, i)
				}
				i++
			}
			stats := networks[0].estimator.Stats()
			if e, d := stats.Encoded-before.Encoded, stats.Decoded-before.Decoded; e != len(in) || d != 2*(len(in)-step) {
				t.Errorf("step %d, backward %v: %d frames were encoded and %d pairs decoded", step, backward, e, d)
			}
			if n := networks[0].estimator.Kept(); n != 0 {
				t.Errorf("features of %d frames are held after the run", n)
			}
			before = stats
		}
	}
}

// TestDropOccluded checks that occluded flow and no other flow becomes unknown, in both directions.
func TestDropOccluded(t *testing.T) {
	f, back := field.New(8, 1), field.New(8, 1)
	f.Vectors[2*2], back.Vectors[2*5] = 3, -1 // pixel 2 of the first frame and pixel 5 of the second do not come back
	if err := consistency.Check(f, back, consistency.Default); err != nil {
		t.Fatal(err)
	}
	(&run{Options: Options{DropOccluded: true}}).mask(f)
	for _, f := range []*field.Field{f, f.Reverse} {
		if f.Share(field.Occluded) == 0 {
			t.Error("no pixel is occluded")
		}
		for i, v := range f.Visibility {
			if known := field.Known(f.Vectors[2*i], f.Vectors[2*i+1]); known == (v == field.Occluded) {
				t.Errorf("pixel %d of visibility %d is known: %v", i, v, known)
			}
		}
	}
}

// TestRunExportsMasks compares the masks of a run with the visibility.
func TestRunExportsMasks(t *testing.T) {
	var dir string
	in, _, r, err := runVideo(t, t.Context(), func(o *Options) {
		dir = filepath.Join(filepath.Dir(o.Output), "mask")
		o.Paint.Style = visualize.Occlusion
		o.Exports = []Export{{Format: Mask, Dir: dir}}
	})
	if err != nil {
		t.Fatal(err)
	}
	there, back := expected(in[3], in[4]), expected(in[4], in[3])
	if err := consistency.Check(there, back, consistency.Default); err != nil {
		t.Fatal(err)
	}
	if n := len(testutil.List(t, dir)); n != 2*(len(in)-1) {
		t.Errorf("there are %d files", n)
	}
	for name, want := range map[string]field.Visibility{"occluded": field.Occluded, "outside": field.Outside} {
		m := readGray(t, filepath.Join(dir, name+"_000003.png"))
		white := 0
		for i, v := range there.Visibility {
			level := m.Pix[i]
			if level != 0 && level != 255 || (level == 255) != (v == want) {
				t.Fatalf("%s: a pixel of visibility %d is %d", name, v, level)
			}
			white += int(level) / 255
		}
		if share := there.Share(want); float64(white)/float64(len(m.Pix)) != share {
			t.Errorf("%s: %d pixels are white, want a share of %v", name, white, share)
		}
	}
	if r.Occluded+r.Outside == 0 || r.Occluded+r.Outside > 1 {
		t.Errorf("the result states %v occluded and %v outside", r.Occluded, r.Outside)
	}
}

// TestMaskOfUnknownFlow checks that unknown flow counts as having no counterpart.
func TestMaskOfUnknownFlow(t *testing.T) {
	f := (&run{Options: Options{Both: true}}).unknownField(&frame.Pair{First: frame.New(3, 2), Second: frame.New(3, 2)})
	if m := maskOf(f, field.Occluded, field.Unchecked); !slices.Equal(m.Pix, slices.Repeat([]uint8{255}, 6)) {
		t.Errorf("the mask of unknown flow is %v", m.Pix)
	}
}

func TestThresholdsAreChecked(t *testing.T) {
	_, _, _, err := runVideo(t, t.Context(), func(o *Options) { o.Consistency.Relative = -1 })
	if !errors.Is(err, ErrOptions) {
		t.Errorf("a negative threshold: %v", err)
	}
}

func readGray(t *testing.T, path string) *image.Gray {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	m, err := png.Decode(file)
	gray, ok := m.(*image.Gray)
	if err != nil || !ok {
		t.Fatalf("%s is a %T, %v", path, m, err)
	}
	return gray
}

// TestRunExportsMotion reads the files for a compositing program: frame 3 has the flow to frame 4 and that to frame 2.
func TestRunExportsMotion(t *testing.T) {
	var dir string
	in, _, _, err := runVideo(t, t.Context(), func(o *Options) {
		dir = filepath.Join(filepath.Dir(o.Output), "nuke")
		o.Paint.MaxFlow = 9000
		o.Exports = []Export{{Format: flowfile.EXR, Dir: dir, For: flowfile.Nuke}}
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(testutil.List(t, dir)); n != len(in)-1 {
		t.Errorf("there are %d files", n)
	}
	next, err := flowfile.Read(filepath.Join(dir, "000003.exr"))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(next.Vectors, expected(in[3], in[4]).Vectors) {
		t.Error("the flow to the next frame has other vectors")
	}
	want := flowfile.Motion{Next: expected(in[3], in[4]), Previous: expected(in[3], in[2])}
	err = errors.Join(consistency.Check(want.Next, expected(in[4], in[3]), consistency.Default),
		consistency.Check(expected(in[2], in[3]), want.Previous, consistency.Default))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "want.exr")
	want.Next.Confidence, want.Previous.Confidence = networkConfidence(in[3]), networkConfidence(in[3])
	if err := flowfile.WriteMotion(path, want, flowfile.Nuke); err != nil {
		t.Fatal(err)
	}
	if contents(t, path) != contents(t, filepath.Join(dir, "000003.exr")) {
		t.Error("the file of frame 3 differs")
	}
}

// networkConfidence returns the confidence of the fake network for flow that starts in a frame.
func networkConfidence(f *frame.Frame) []float32 {
	list := make([]float32, f.Width*f.Height)
	for i := range list {
		list[i] = float32(1 / (1 + math.Exp((float64(f.Pix[3*i])-float64(f.Pix[3*i+1]))/32)))
	}
	return list
}
