package datasets

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/picture"
)

// tiny has a small copy of each layout, and the figures that its generator worked out in NumPy.
const tiny = "../../testdata/eval"

func expected(t *testing.T) map[string]map[string][]float64 {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(tiny, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var e map[string]map[string][]float64
	if err := json.Unmarshal(b, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

func compare(t *testing.T, name string, rows []Row, want map[string][]float64) int {
	t.Helper()
	found := 0
	for _, row := range rows {
		w, ok := want[row.Name]
		if !ok {
			continue
		}
		found++
		if len(row.Figures) != len(w) {
			t.Errorf("%s, %s: %d figures, want %d", name, row.Name, len(row.Figures), len(w))
			continue
		}
		for i, v := range row.Figures {
			if !(math.Abs(v-w[i]) <= 1e-6) {
				t.Errorf("%s, %s: figure %d is %v, want %v", name, row.Name, i, v, w[i])
			}
		}
	}
	return found
}

// TestTables compares every figure with the ones worked out in NumPy.
func TestTables(t *testing.T) {
	for name, want := range expected(t) {
		o := Options{Dataset: name, Root: filepath.Join(tiny, name, "data"), FlowDir: filepath.Join(tiny, name, "flow")}
		r, err := Evaluate(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		found := compare(t, name, append(r.Rows, r.PerPair...), want)
		if name == "chairs" {
			o.Split = "val"
			if r, err = Evaluate(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			found += compare(t, name, r.Rows, map[string][]float64{"all": want["val"]})
		}
		if found != len(want) {
			t.Errorf("%s: %d of %d rows", name, found, len(want))
		}
		for _, row := range r.Rows {
			for i, v := range row.Figures {
				if math.IsNaN(v) {
					t.Errorf("%s: no pixel in %s", name, r.Columns[i])
				}
			}
		}
	}
}

// TestReport writes a report in all three forms.
func TestReport(t *testing.T) {
	r := &Report{Dataset: "D", Rule: "R", Source: "S", Columns: []string{"a", "b"}, Rows: []Row{{"x", 3, []float64{1.25, math.NaN()}}}, PerPair: []Row{{"p", 1, []float64{2, 3}}}}
	for name, c := range map[string]struct {
		write func(*bytes.Buffer) error
		want  []string
	}{
		"text": {func(b *bytes.Buffer) error { return r.WriteText(b, false) }, []string{"flow from S", "Rule: R", "1.250", "-"}},
		"csv":  {func(b *bytes.Buffer) error { return r.WriteCSV(b, true) }, []string{"dataset,row,pairs,a,b\nD,p,1,2,3\nD,x,3,1.25,\n"}},
		"json": {func(b *bytes.Buffer) error { return r.WriteJSON(b, true) }, []string{`"b": null`, `"a": 1.25`, `"name": "p"`}},
	} {
		var b bytes.Buffer
		if err := c.write(&b); err != nil {
			t.Fatal(err)
		}
		for _, w := range c.want {
			if !strings.Contains(b.String(), w) {
				t.Errorf("%s has no %q:\n%s", name, w, b.String())
			}
		}
	}
}

// TestMissing removes one file of each kind: the error names it.
func TestMissing(t *testing.T) {
	for file, o := range map[string]Options{
		"sintel/data/training/flow/alley_9/frame_0001.flo":      {Dataset: "sintel"},
		"sintel/data/training/occlusions/cave_9/frame_0001.png": {Dataset: "sintel"},
		"sintel/data/training/invalid/cave_9/frame_0001.png":    {Dataset: "sintel"},
		"sintel/flow/final/cave_9/frame_0001.flo":               {Dataset: "sintel"},
		"kitti2012/data/training/flow_noc/000001_10.png":        {Dataset: "kitti2012"},
		"kitti2015/data/training/obj_map/000001_10.png":         {Dataset: "kitti2015"},
		"kitti2015/flow/000002_10.png":                          {Dataset: "kitti2015"},
		"middlebury/data/other-gt-flow/Alpha/flow10.flo":        {Dataset: "middlebury"},
		"chairs/flow/00002_flow.flo":                            {Dataset: "chairs"},
		"chairs/data/FlyingChairs_train_val.txt":                {Dataset: "chairs", Split: "train"},
	} {
		root := t.TempDir()
		if err := os.CopyFS(root, os.DirFS(filepath.Join(tiny, o.Dataset))); err != nil {
			t.Fatal(err)
		}
		inside := strings.TrimPrefix(file, o.Dataset+"/")
		if err := os.Remove(filepath.Join(root, inside)); err != nil {
			t.Fatal(err)
		}
		o.Root, o.FlowDir = filepath.Join(root, "data"), filepath.Join(root, "flow")
		named := strings.TrimSuffix(inside, filepath.Ext(inside)) // an estimate may be in any format
		if _, err := Evaluate(t.Context(), o); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), named) {
			t.Errorf("%s: %v", file, err)
		}
	}
	if _, err := Evaluate(t.Context(), Options{Dataset: "tub", FlowDir: "."}); !errors.Is(err, ErrDataset) {
		t.Errorf("an unknown data set: %v", err)
	}
	if _, err := Evaluate(t.Context(), Options{Dataset: "chairs", Root: t.TempDir(), FlowDir: "."}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty folder: %v", err)
	}
}

// TestBroken: an estimate that is unknown, of a wrong size, or cut short.
func TestBroken(t *testing.T) {
	for name, c := range map[string]struct {
		change func(path string) error
		want   error
	}{
		"unknown": {func(path string) error {
			f := field.New(28, 20)
			f.Vectors[6] = field.Unknown()
			return flowfile.Write(path, f)
		}, field.ErrUnknownFlow},
		"size": {func(path string) error { return flowfile.Write(path, field.New(20, 28)) }, field.ErrSizes},
		"cut":  {func(path string) error { return os.Truncate(path, 500) }, flowfile.ErrFormat},
	} {
		root := t.TempDir()
		if err := os.CopyFS(root, os.DirFS(filepath.Join(tiny, "chairs"))); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(root, "flow", "00002_flow.flo")
		if err := c.change(path); err != nil {
			t.Fatal(err)
		}
		_, err := Evaluate(t.Context(), Options{Dataset: "chairs", Root: filepath.Join(root, "data"), FlowDir: filepath.Join(root, "flow")})
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestEstimator: every pair's own frames reach the network, in the right order, and are shared where they can be.
func TestEstimator(t *testing.T) {
	for _, name := range Names() {
		o := Options{Dataset: name, Root: filepath.Join(tiny, name, "data"), Source: "fake"}
		_, pairs, err := prepare(&o)
		if err != nil {
			t.Fatal(err)
		}
		next, shared := 0, 0
		var last *frame.Frame
		o.Estimate = func(_ context.Context, a, b *frame.Frame) (*field.Field, error) {
			for path, f := range map[string]*frame.Frame{pairs[next].first: a, pairs[next].second: b} {
				want, err := picture.Read(path)
				if err != nil {
					return nil, err
				}
				if !bytes.Equal(want.Pix, f.Pix) {
					t.Errorf("%s: pair %d has other frames than %s", name, next, path)
				}
			}
			if a == last {
				shared++
			}
			last = b
			next++
			return field.New(a.Width, a.Height), nil
		}
		if _, err := Evaluate(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		if next != len(pairs) || name == "sintel" && shared != 2 {
			t.Errorf("%s: %d of %d pairs, %d frames shared", name, next, len(pairs), shared)
		}
	}
}

// TestRealPairs lays real pairs out as their data sets do, and measures a still estimate. The figures wanted were worked
// out elsewhere with OpenCV and NumPy; the data's README has them.
func TestRealPairs(t *testing.T) {
	real, err := filepath.Abs("../../../shared/data/pairs")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(real); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("the real pairs aren't there: %v", err)
	}
	for _, c := range []struct {
		dataset, row string
		links        map[string]string // place in the layout -> real file
		column       int
		want         float64
	}{
		{"middlebury", "Venus/flow10", map[string]string{
			"other-data/Venus/frame10.png": "middlebury/Venus/frame1.png", "other-data/Venus/frame11.png": "middlebury/Venus/frame2.png",
			"other-gt-flow/Venus/flow10.flo": "middlebury/Venus/flow.flo"}, 0, 3.802},
		{"kitti2015", "training", map[string]string{
			"training/image_2/000002_10.png": "kitti15/000002/frame1.png", "training/image_2/000002_11.png": "kitti15/000002/frame2.png",
			"training/flow_occ/000002_10.png": "kitti15/000002/flow.png", "training/flow_noc/000002_10.png": "kitti15/000002/flow.png"}, 4, 12.860},
		{"kitti2012", "training", map[string]string{
			"training/colored_0/000027_10.png": "kitti12/000027/frame1.png", "training/colored_0/000027_11.png": "kitti12/000027/frame2.png",
			"training/flow_occ/000027_10.png": "kitti12/000027/flow.png", "training/flow_noc/000027_10.png": "kitti12/000027/flow.png"}, 2, 37.221},
		{"chairs", "all", map[string]string{
			"data/00001_img1.ppm": "chairs/0/frame1.ppm", "data/00001_img2.ppm": "chairs/0/frame2.ppm", "data/00001_flow.flo": "chairs/0/flow.flo"}, 0, 6.053},
	} {
		root := t.TempDir()
		for place, file := range c.links {
			path := filepath.Join(root, place)
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(filepath.Join(real, file), path); err != nil {
				t.Fatal(err)
			}
		}
		r, err := Evaluate(t.Context(), Options{Dataset: c.dataset, Root: root, Estimate: func(_ context.Context, a, b *frame.Frame) (*field.Field, error) {
			if a.Width != b.Width || a.Height != b.Height {
				t.Errorf("%s: frames of two sizes", c.dataset)
			}
			return field.New(a.Width, a.Height), nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range append(r.Rows, r.PerPair...) {
			if row.Name == c.row && math.Abs(row.Figures[c.column]-c.want) > 0.0006 {
				t.Errorf("%s: %v, want %v", c.dataset, row.Figures[c.column], c.want)
			}
		}
	}
}
