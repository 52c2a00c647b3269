package batch

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/testutil/cliptest"
	"github.com/wwflow/wwflow/pipeline"
)

// writeClip writes a lossless video of 32x24 pixels. The seed makes its frames differ from those of other clips.
func writeClip(t testing.TB, path string, frames, seed int) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	var list []*frame.Frame
	for i := range frames {
		f := frame.New(32, 24)
		for at := range f.Pix {
			f.Pix[at] = byte(at*7 + at*at*(i+seed)/5 + 13*i)
		}
		f.Index, f.PTS, f.TimeBase = i, int64(40*i), frame.Rational{Num: 1, Den: 1000}
		list = append(list, f)
	}
	cliptest.Write(t, path, encode.Options{Codec: "ffv1", FrameRate: frame.Rational{Num: 25, Den: 1}}, list...)
}

func fakeNetwork() flow.Options {
	return flow.Options{ModelDir: "../flow/testdata/fake", Device: "cpu", Threads: 1}
}

func base() pipeline.Options {
	o := pipeline.Options{Encode: encode.Options{Codec: "ffv1"}}
	o.Paint.MaxFlow = 1000
	return o
}

// nameOutput names outputs as wwflow run does.
func nameOutput(input string) string {
	return strings.TrimSuffix(input, filepath.Ext(input)) + "-flow.mkv"
}

// clips writes one clip per number of frames, a.mkv, b.mkv and so on, into a folder of the test. It returns the options of
// a batch of this folder.
func clips(t *testing.T, frames ...int) (folder string, o Options) {
	t.Helper()
	folder = t.TempDir()
	for i, n := range frames {
		writeClip(t, filepath.Join(folder, "in", string(rune('a'+i))+".mkv"), n, i+1)
	}
	return folder, collect(t, filepath.Join(folder, "out"), filepath.Join(folder, "in"))
}

func collect(t *testing.T, dir string, args ...string) Options {
	t.Helper()
	videos, err := Collect(args, Source{Dir: dir, Base: base(), Name: nameOutput})
	if err != nil {
		t.Fatal(err)
	}
	return Options{Dir: dir, Videos: videos, Network: fakeNetwork(), ExitCode: func(error) int { return 3 }}
}

// watched runs a batch and returns the entries of the videos that ended.
func watched(ctx context.Context, o Options) (ended []string, r Result, err error) {
	o.Events.Ended = func(_ int, e Entry) { ended = append(ended, e.Output+" "+string(e.State)) }
	r, err = Run(ctx, o)
	return ended, r, err
}

// tree returns the files under a folder with their contents, without journals and locks.
func tree(t *testing.T, root string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), "wwflow-batch") {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(root, path)
		files[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func names(files map[string]string) []string { return slices.Sorted(maps.Keys(files)) }

// states returns the states in a journal, in order.
func states(t *testing.T, path string) (list []string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(data) {
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%s: %v in %q", path, err, line)
		}
		list = append(list, e.Output+" "+string(e.State))
	}
	return list
}

// sorted puts the states of each video together, in their order: the end of a video may be recorded after the start of the next one.
func sorted(states []string) []string {
	slices.SortStableFunc(states, func(a, b string) int {
		a, _, _ = strings.Cut(a, " ")
		b, _, _ = strings.Cut(b, " ")
		return strings.Compare(a, b)
	})
	return states
}

func equal(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}
