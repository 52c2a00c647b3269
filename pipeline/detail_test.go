package pipeline

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/frame"
)

func openFakeAt(t *testing.T, detail float64) Networks {
	t.Helper()
	o := fakeNetwork(2)
	o.Detail = detail
	n, err := OpenNetworks(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

func TestDetailRange(t *testing.T) {
	if n, err := OpenNetworks(flow.Options{ModelDir: "../flow/testdata/fake", Device: "cpu", Detail: 3}); !errors.Is(err, ErrOptions) {
		n.Close()
		t.Errorf("detail 3: %v", err)
	}
}

// TestSamplesIgnoreDetail estimates a sample pair, which is shrunk already, at detail 2: the flow is that of detail 1.
func TestSamplesIgnoreDetail(t *testing.T) {
	p := &frame.Pair{First: texture(24, 16, 0), Second: texture(24, 16, 1)}
	plain, err := openFakeAt(t, 1)[0].sample(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	n := openFakeAt(t, 2)[0]
	sample, err := n.sample(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(sample.Vectors, plain.Vectors) {
		t.Error("the flow of a sample pair depends on the detail")
	}
	next, err := n.next(t.Context(), p, false)
	if err != nil {
		t.Fatal(err)
	}
	if slices.Equal(next.Vectors, plain.Vectors) {
		t.Error("the flow of a pair does not depend on the detail")
	}
}

// TestDetailKeepsTheFrames runs a video at detail 2 and looks at what comes out.
func TestDetailKeepsTheFrames(t *testing.T) {
	folder := t.TempDir()
	input := filepath.Join(folder, "in.mkv")
	frames := writeVideo(t, input, 32, 16, uneven)
	for _, backward := range []bool{false, true} {
		i := 0
		for f, err := range Fields(t.Context(), input, Options{Networks: openFakeAt(t, 2), Backward: backward}) {
			if err != nil {
				t.Fatal(err)
			}
			first, second := frames[i], frames[i+1]
			if backward {
				first, second = second, first
			}
			if f.Width != 32 || f.Height != 16 || f.Pair.First.PTS != first.PTS || f.Pair.Second.PTS != second.PTS {
				t.Fatalf("field %d is %dx%d, from the frame at %d to the one at %d", i, f.Width, f.Height, f.Pair.First.PTS, f.Pair.Second.PTS)
			}
			if !slices.Equal(f.Pair.First.Pix, first.Pix) {
				t.Fatalf("field %d does not have the original frame", i)
			}
			i++
		}
		if i != len(frames)-1 {
			t.Errorf("%d fields of %d frames", i, len(frames))
		}
	}
	var plan Plan
	o := Options{Input: input, Output: filepath.Join(folder, "out.mkv"), Networks: openFakeAt(t, 2), Encode: lossless(),
		Events: Events{Started: func(p Plan) { plan = p }}}
	if _, err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if plan.Width != 32 || plan.Height != 16 || plan.NetworkWidth != 64 || plan.NetworkHeight != 32 || plan.Detail != 2 {
		t.Errorf("the plan is %+v", plan)
	}
}
