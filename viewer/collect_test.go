package viewer

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/wwflow/wwflow/batch"
	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/flowfile"
)

// copyClip copies the sample clip.
func copyClip(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(clip)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestOutputs shows an output folder of batch: videos with flow videos, flow files, and a journal that names their inputs.
func TestOutputs(t *testing.T) {
	base := t.TempDir()
	out, videos := filepath.Join(base, "out"), filepath.Join(base, "videos")
	copyClip(t, filepath.Join(videos, "a.mp4"))
	copyClip(t, filepath.Join(videos, "sub", "b.mp4"))
	copyClip(t, filepath.Join(base, "elsewhere.mp4"))
	copyClip(t, filepath.Join(out, "a-flow.mp4"))
	copyClip(t, filepath.Join(out, "sub", "b-overlay.mp4"))
	copyClip(t, filepath.Join(out, "c-flow.mp4"))
	if err := os.MkdirAll(filepath.Join(out, "a-flow-flo"), 0o777); err != nil {
		t.Fatal(err)
	}
	writeFlows(t, filepath.Join(out, "a-flow-flo"), 3, 8, 6)
	line, err := json.Marshal(batch.Entry{State: batch.Done, Output: "c-flow.mp4", Input: batch.Input{Path: filepath.Join(base, "elsewhere.mp4")}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(out, "wwflow-batch.jsonl"), append(line, '\n'), 0o666); err != nil {
		t.Fatal(err)
	}
	type shown struct {
		name, input string
		results     []string
	}
	for _, c := range []struct {
		input string
		want  []shown
	}{
		// Without the folder of the videos no video is shown, not even that of the journal: it is outside.
		{"", []shown{{"a", "", []string{"flow-flo", "flow video"}}, {"c", "", []string{"flow video"}}, {"sub/b", "", []string{"overlay video"}}}},
		{videos, []shown{
			{"a", filepath.Join(videos, "a.mp4"), []string{"flow-flo", "flow video", "estimate"}},
			{"c", "", []string{"flow video"}},
			{"sub/b", filepath.Join(videos, "sub", "b.mp4"), []string{"overlay video", "estimate"}},
		}},
		{base, []shown{{"a", "", nil}, {"c", filepath.Join(base, "elsewhere.mp4"), []string{"flow video", "estimate"}}, {"sub/b", "", nil}}},
	} {
		v := newViewer(t, Sources{Paths: []string{out}, Input: c.input, Open: func() (*flow.Model, error) { return nil, errors.New("none") }})
		if len(v.items) != len(c.want) {
			t.Fatalf("--input %q: %d items, want %d", c.input, len(v.items), len(c.want))
		}
		for k, want := range c.want {
			i := v.items[k]
			var results []string
			for _, s := range i.sources {
				results = append(results, s.name)
			}
			if i.name != want.name || want.results != nil && (i.input != want.input || !slices.Equal(results, want.results)) {
				t.Errorf("--input %q: item %d is %s of %q with %v, want %v", c.input, k, i.name, i.input, results, want)
			}
		}
	}
	_, url := serve(t, Sources{Paths: []string{out}})
	answer, body := get(t, url+"api/picture?item=1&result=0&number=5", nil)
	wantStatus(t, "an image of a flow video", answer, http.StatusOK)
	if len(body) < 10000 {
		t.Errorf("the image has %d bytes", len(body))
	}
	answer, _ = get(t, url+"api/field?item=1&result=0&number=5", nil)
	wantStatus(t, "the vectors of a flow video", answer, http.StatusNotFound)
}

// TestNumbers pairs flow files with frames.
func TestNumbers(t *testing.T) {
	folder := func(names ...string) string {
		dir := t.TempDir()
		for _, name := range names {
			var err error
			if path := filepath.Join(dir, name); filepath.Ext(name) == ".flo" {
				err = flowfile.Write(path, field.New(4, 4))
			} else {
				err = os.WriteFile(path, nil, 0o666)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	for _, c := range []struct {
		what  string
		flows string
		input string
		want  []int
	}{
		{"files of run", folder("000000.flo", "000001.flo", "000007.flo"), "", []int{0, 1, 7}},
		{"numbered from 1, with images", folder("frame_0001.flo", "frame_0002.flo"), folder("frame_0001.png", "frame_0002.png", "frame_0003.png"), []int{0, 1}},
		{"one number in all names", folder("a10.flo", "b10.flo"), "", []int{0, 1}},
		{"no numbers", folder("b.flo", "a.flo"), "", []int{0, 1}},
		{"images without these numbers", folder("000003.flo"), folder("000001.png"), []int{3}},
	} {
		paths, err := flowPaths(c.flows)
		if err != nil {
			t.Fatal(err)
		}
		f := newFiles(paths, nil)
		if c.input != "" {
			f.renumber(c.input)
		}
		if !slices.Equal(f.numbers(), c.want) {
			t.Errorf("%s: the numbers are %v, want %v", c.what, f.numbers(), c.want)
		}
	}
}

// TestSources has arguments that cannot be shown.
func TestSources(t *testing.T) {
	flows, other := writeFlows(t, t.TempDir(), 1, 8, 6), writeFlows(t, t.TempDir(), 1, 8, 6)
	for _, c := range []struct {
		s    Sources
		want error
	}{
		{Sources{Paths: []string{flows, clip}}, ErrMixed},
		{Sources{Paths: []string{clip}}, ErrNothing}, // without a network
		{Sources{Paths: []string{t.TempDir()}}, ErrNothing},
		{Sources{Paths: []string{flows}, Input: flows + "/missing.mp4"}, fs.ErrNotExist},
		{Sources{Paths: []string{flows + "/missing"}}, fs.ErrNotExist},
	} {
		_, err := New(t.Context(), c.s)
		wantError(t, err, c.want)
	}
	v := newViewer(t, Sources{Paths: []string{flows, other}, Truth: flows})
	if s := v.items[0].sources; len(s) != 3 || s[0].name == s[1].name || !s[2].truth {
		t.Errorf("the sources are %+v", s)
	}
}
