package evaluate

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/frame"
)

// writeFrames writes frames of different widths, 2 for the first one, so that a frame can be told by its width.
func writeFrames(t *testing.T, count int) []string {
	t.Helper()
	var paths []string
	for i := range count {
		path := filepath.Join(t.TempDir(), "frame.png")
		file, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(png.Encode(file, image.NewRGBA(image.Rect(0, 0, 2+i, 2))), file.Close()); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

// TestEstimator: the estimator gets the frames of each pair in order, each frame is read once, and the flow reaches the score
// of its own pair.
func TestEstimator(t *testing.T) {
	frames := writeFrames(t, 4)
	for name, pairs := range map[string][][2]int{
		"forward":  {{0, 1}, {1, 2}, {2, 3}},
		"backward": {{1, 0}, {2, 1}, {3, 2}},
		"both":     {{0, 1}, {1, 0}, {1, 2}, {2, 1}, {2, 3}, {3, 2}}, // as Spring has them
	} {
		var calls [][2]int
		read := map[*frame.Frame]bool{}
		results := make([][2]int, len(pairs))
		var progress []int
		loop := Loop{
			Workers: 3,
			Estimate: func(_ context.Context, a, b *frame.Frame) (*field.Field, error) {
				calls = append(calls, [2]int{a.Width - 2, b.Width - 2})
				read[a], read[b] = true, true
				return field.New(a.Width, b.Width), nil
			},
			Score: func(i int, flow Flow) error {
				results[i] = [2]int{flow.Width - 2, flow.Height - 2}
				if !strings.Contains(flow.From, fmt.Sprintf("pair %d", i)) {
					t.Errorf("%s: the flow of pair %d is called %q", name, i, flow.From)
				}
				return nil
			},
			Progress: func(done, total int) {
				if progress = append(progress, done); total != len(pairs) {
					t.Errorf("%s: progress of %d pairs, want %d", name, total, len(pairs))
				}
			},
		}
		for i, p := range pairs {
			loop.Pairs = append(loop.Pairs, Pair{Name: fmt.Sprintf("pair %d", i), First: frames[p[0]], Second: frames[p[1]]})
		}
		if err := loop.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(calls, pairs) {
			t.Errorf("%s: pairs of frames %v, want %v", name, calls, pairs)
		}
		if !slices.Equal(results, pairs) {
			t.Errorf("%s: results are those of %v, want %v", name, results, pairs)
		}
		if len(read) != 4 {
			t.Errorf("%s: frames were read %d times, want 4", name, len(read))
		}
		for i, done := range progress {
			if done != i+1 || len(progress) != len(pairs) {
				t.Errorf("%s: progress %v of %d pairs", name, progress, len(pairs))
				break
			}
		}
	}
}

// TestDone: pairs that are done are neither estimated nor scored, but count as progress.
func TestDone(t *testing.T) {
	frames := writeFrames(t, 2)
	pair := Pair{Name: "pair", First: frames[0], Second: frames[1]}
	var estimated, progress int
	var scored []int
	loop := Loop{
		Pairs: []Pair{pair, pair, pair}, Workers: 1,
		Estimate: func(_ context.Context, a, _ *frame.Frame) (*field.Field, error) {
			estimated++
			return field.New(a.Width, a.Height), nil
		},
		Done:     func(i int) (bool, error) { return i != 1, nil },
		Score:    func(i int, _ Flow) error { scored = append(scored, i); return nil },
		Progress: func(done, _ int) { progress = done },
	}
	if err := loop.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if estimated != 1 || !slices.Equal(scored, []int{1}) || progress != 3 {
		t.Errorf("%d pairs were estimated, %v scored, progress %d; want 1, [1], 3", estimated, scored, progress)
	}
}

// TestErrors: each error ends the run and is returned, and no pair is scored after it.
func TestErrors(t *testing.T) {
	frames := writeFrames(t, 2)
	pair := Pair{Name: "the pair", First: frames[0], Second: frames[1]}
	bad := errors.New("bad")
	estimate := func(_ context.Context, a, _ *frame.Frame) (*field.Field, error) {
		return field.New(a.Width, a.Height), nil
	}
	for name, c := range map[string]struct {
		change func(*Loop)
		want   error
		text   string
	}{
		"estimator": {func(l *Loop) {
			l.Estimate = func(context.Context, *frame.Frame, *frame.Frame) (*field.Field, error) { return nil, bad }
		}, bad, "the pair"},
		"score":        {func(l *Loop) { l.Score = func(int, Flow) error { return bad } }, bad, ""},
		"done":         {func(l *Loop) { l.Done = func(int) (bool, error) { return false, bad } }, bad, ""},
		"first frame":  {func(l *Loop) { l.Pairs[0].First = "missing.png" }, fs.ErrNotExist, "missing.png"},
		"second frame": {func(l *Loop) { l.Pairs[0].Second = "missing.png" }, fs.ErrNotExist, "missing.png"},
		"flow file":    {func(l *Loop) { l.Pairs[0].FlowFiles = []string{"missing.flo"} }, fs.ErrNotExist, "missing.flo"},
	} {
		scored := 0
		loop := Loop{Pairs: []Pair{pair, pair, pair, pair}, Workers: 2, Estimate: estimate, Score: func(int, Flow) error { scored++; return nil }}
		if c.change(&loop); name == "flow file" {
			loop.Workers = 1
		}
		if err := loop.Run(t.Context()); !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: error %v, want %v with %q", name, err, c.want, c.text)
		}
		if scored > 0 {
			t.Errorf("%s: %d pairs were scored", name, scored)
		}
	}
}

// TestCancel: a cancelled context ends the run between two pairs, and Run returns its cause.
func TestCancel(t *testing.T) {
	frames := writeFrames(t, 2)
	cause := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	calls := 0
	loop := Loop{Workers: 2, Score: func(int, Flow) error { return nil }, Estimate: func(_ context.Context, a, _ *frame.Frame) (*field.Field, error) {
		if calls++; calls == 3 {
			cancel(cause)
		}
		return field.New(a.Width, a.Height), nil
	}}
	for range 100 {
		loop.Pairs = append(loop.Pairs, Pair{Name: "pair", First: frames[0], Second: frames[1]})
	}
	if err := loop.Run(ctx); !errors.Is(err, cause) {
		t.Errorf("error %v, want %v", err, cause)
	}
	if calls > 4 {
		t.Errorf("%d pairs were estimated after the third cancelled the run", calls-3)
	}

	ctx, cancel = context.WithCancelCause(t.Context())
	calls = 0
	loop.Done = func(int) (bool, error) {
		if calls++; calls == 3 {
			cancel(cause)
		}
		return true, nil
	}
	if err := loop.Run(ctx); !errors.Is(err, cause) || calls != 3 {
		t.Errorf("%d pairs were looked up, the third cancelled the run; error %v", calls, err)
	}
}

// TestFlowFile: the first place that has a flow file wins, in whatever format.
func TestFlowFile(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	p := Pair{FlowFiles: []string{filepath.Join(a, "x.flo5"), filepath.Join(b, "x.flo5")}}
	if _, err := p.FlowFile(); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), p.FlowFiles[0]) {
		t.Errorf("no file: %v", err)
	}
	for _, want := range []string{filepath.Join(b, "x.pfm"), filepath.Join(a, "x.npy")} {
		if err := flowfile.Write(want, field.New(2, 2)); err != nil {
			t.Fatal(err)
		}
		if got, err := p.FlowFile(); got != want || err != nil {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	}
}

// TestCheckFiles: each missing file counts once; the error names the first one.
func TestCheckFiles(t *testing.T) {
	frames := writeFrames(t, 2)
	for name, c := range map[string]struct {
		pairs []Pair
		want  string // in the error; empty = no error
	}{
		"complete":     {[]Pair{{First: frames[0], Second: frames[1], Inputs: frames}}, ""},
		"frame":        {[]Pair{{First: frames[0], Second: "b.png"}}, "b.png"},
		"input":        {[]Pair{{First: frames[0], Second: frames[1], Inputs: []string{"mask.png"}}}, "mask.png"},
		"shared frame": {[]Pair{{First: frames[0], Second: "b.png"}, {First: "b.png", Second: "c.png"}}, "2 files are missing, the first: stat b.png"},
		"flow file":    {[]Pair{{FlowFiles: []string{"x.flo"}, Inputs: []string{"mask.png"}}}, "2 files are missing, the first: find flow x.flo"},
		"no frames":    {[]Pair{{First: "a.png", Second: "b.png", FlowFiles: []string{frames[0]}}}, ""}, // not needed beside a flow file
	} {
		err := CheckFiles(c.pairs)
		if c.want == "" && err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if c.want != "" && (!errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
		if c.want != "" && err != nil && strings.Contains(err.Error(), "files are missing") != strings.Contains(c.want, "files are missing") {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}

func TestChoose(t *testing.T) {
	for _, c := range []struct {
		value string
		want  []string
	}{{"", []string{"FW", "BW"}}, {"both", []string{"FW", "BW"}}, {"BW", []string{"BW"}}} {
		if got, err := Choose("direction", c.value, "both", "FW", "BW"); !slices.Equal(got, c.want) || err != nil {
			t.Errorf("%q: %v, %v", c.value, got, err)
		}
	}
	var bad *OptionError
	if _, err := Choose("direction", "up", "both", "FW", "BW"); !errors.As(err, &bad) || err.Error() != `direction "up": give FW, BW or both` {
		t.Errorf("%v", err)
	}
}

func TestCheckSource(t *testing.T) {
	estimate := func(context.Context, *frame.Frame, *frame.Frame) (*field.Field, error) { return nil, nil }
	if err := errors.Join(CheckSource("flow", nil), CheckSource("", estimate)); err != nil {
		t.Error(err)
	}
	var bad *OptionError
	for _, err := range []error{CheckSource("", nil), CheckSource("flow", estimate)} {
		if !errors.As(err, &bad) {
			t.Errorf("error %v", err)
		}
	}
}
