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
	"slices"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/picture"
	"github.com/wwflow/wwflow/internal/testutil"
)

// tiny is a folder with a small data set in each layout, and the figures that its generator computes in NumPy.
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

// compare compares rows with the wanted ones of the same names, and returns how many of the wanted ones it found.
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

// TestTables compares every figure with NumPy.
func TestTables(t *testing.T) {
	tables := expected(t)
	if len(tables) != len(Names()) {
		t.Errorf("expected.json has %d data sets, want %d", len(tables), len(Names()))
	}
	for name, want := range tables {
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

// TestOptions: an option that is invalid or does not apply to the data set is an OptionError that names it.
func TestOptions(t *testing.T) {
	var invalid *OptionError
	for _, c := range []struct {
		o    Options
		want string // in the error; empty = valid
	}{
		{Options{Dataset: "tub"}, `"tub": choose one of sintel, kitti2012`},
		{Options{Dataset: "sintel", Pass: "cleaner"}, `pass "cleaner": give clean, final or both`},
		{Options{Dataset: "chairs", Split: "test"}, `split "test": give train, val or all`},
		{Options{Dataset: "kitti2015", Pass: "final"}, `pass "final": KITTI 2015 has no passes`},
		{Options{Dataset: "kitti2012", Pass: "both"}, "KITTI 2012 has no passes"},
		{Options{Dataset: "middlebury", Pass: "clean"}, "Middlebury has no passes"},
		{Options{Dataset: "chairs", Pass: "clean"}, "FlyingChairs has no passes"},
		{Options{Dataset: "sintel", Split: "val"}, `split "val": MPI-Sintel has no splits`},
		{Options{Dataset: "middlebury", Split: "all"}, "Middlebury has no splits"},
		{Options{Dataset: "sintel", Pass: "both"}, ""},
		{Options{Dataset: "sintel", Pass: "clean"}, ""},
		{Options{Dataset: "chairs", Split: "all"}, ""},
		{Options{Dataset: "chairs", Split: "train"}, ""},
	} {
		c.o.Root, c.o.FlowDir = filepath.Join(tiny, c.o.Dataset, "data"), filepath.Join(tiny, c.o.Dataset, "flow")
		for name, err := range map[string]error{"Check": Check(c.o), "Evaluate": evaluateOnly(t, c.o)} {
			if c.want == "" && err != nil {
				t.Errorf("%s %+v: %v", name, c.o, err)
			}
			if c.want != "" && (!errors.As(err, &invalid) || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%s %+v: error %v, want %s", name, c.o, err, c.want)
			}
		}
	}
	if err := evaluateOnly(t, Options{Dataset: "sintel", Root: filepath.Join(tiny, "sintel/data")}); !errors.As(err, &invalid) {
		t.Errorf("no source of flow: %v", err)
	}
}

func evaluateOnly(t *testing.T, o Options) error {
	_, err := Evaluate(t.Context(), o)
	return err
}

// TestMissingFiles removes one file of each kind: the error names it.
func TestMissingFiles(t *testing.T) {
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
		if _, err := Evaluate(t.Context(), o); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), inside) {
			t.Errorf("%s: %v", file, err)
		}
	}
	if _, err := Evaluate(t.Context(), Options{Dataset: "chairs", Root: t.TempDir(), FlowDir: "."}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty folder: %v", err)
	}
}

// TestDamagedFlow: a flow file that is infinite, of another size, or truncated is an error that names it.
func TestDamagedFlow(t *testing.T) {
	for name, c := range map[string]struct {
		change func(path string) error
		want   error
	}{
		"infinite": {func(path string) error {
			f := field.New(28, 20)
			f.Vectors[6] = float32(math.Inf(1))
			return flowfile.Write(strings.TrimSuffix(path, ".flo")+".npy", f)
		}, field.ErrInfiniteFlow},
		"size":      {func(path string) error { return flowfile.Write(path, field.New(20, 28)) }, field.ErrSizes},
		"truncated": {func(path string) error { return os.Truncate(path, 500) }, flowfile.ErrFormat},
	} {
		root := t.TempDir()
		if err := os.CopyFS(root, os.DirFS(filepath.Join(tiny, "chairs"))); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(root, "flow", "00002_flow.flo")
		if name == "infinite" { // .flo has no infinity
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.change(path); err != nil {
			t.Fatal(err)
		}
		_, err := Evaluate(t.Context(), Options{Dataset: "chairs", Root: filepath.Join(root, "data"), FlowDir: filepath.Join(root, "flow")})
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), strings.TrimSuffix(path, ".flo")) {
			t.Errorf("%s: error %v, want %v", name, err, c.want)
		}
	}
}

// TestUnknownFlow makes the upper half of each flow unknown: the rest is scored, and all formats state the density.
func TestUnknownFlow(t *testing.T) {
	for name, want := range map[string]float64{"sintel": 0, "kitti2012": 0, "kitti2015": 0, "middlebury": 0, "chairs": 50} {
		o := Options{Dataset: name, Root: filepath.Join(tiny, name, "data"), Source: "fake"}
		_, pairs, err := prepare(&o)
		if err != nil {
			t.Fatal(err)
		}
		next := 0
		var truth, known int64
		o.Estimate = func(_ context.Context, a, _ *frame.Frame) (*field.Field, error) {
			p := pairs[next]
			next++
			half := field.New(a.Width, a.Height)
			for i := range half.Vectors[:len(half.Vectors)/2] {
				half.Vectors[i] = field.Unknown()
			}
			t1, k1, err := count(p, half)
			truth, known = truth+t1, known+k1
			return half, err
		}
		r, err := Evaluate(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		last := len(r.Columns) - 1
		if r.Columns[last] != "density %" || !strings.Contains(r.Rule, "density") {
			t.Errorf("%s: columns %v, rule %q", name, r.Columns, r.Rule)
			continue
		}
		if want == 0 {
			want = 100 * float64(known) / float64(truth)
		}
		// All rows of a table have the same density where one row has all pairs, and Sintel's passes share the truth.
		for _, row := range r.Rows {
			if got := row.Figures[last]; math.Abs(got-want) > 1e-9 {
				t.Errorf("%s, %s: density %v, want %v", name, row.Name, got, want)
			}
			if math.IsNaN(row.Figures[0]) {
				t.Errorf("%s, %s: nothing was scored", name, row.Name)
			}
		}
		var b bytes.Buffer
		if err := errors.Join(r.WriteText(&b, false), r.WriteJSON(&b, false), r.WriteCSV(&b, false)); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(b.String(), "density %"); n != 2+len(r.rows(false)) {
			t.Errorf("%s: the column density is named %d times in text, JSON and CSV:\n%s", name, n, b.String())
		}
	}
}

// count returns the number of pixels with ground truth, and of those with known flow. Invalid pixels count as without truth.
func count(p pair, estimate *field.Field) (truth, known int64, err error) {
	t, err := flowfile.Read(p.truths[0])
	if err != nil {
		return 0, 0, err
	}
	var invalid []bool
	if strings.Contains(p.first, "sintel") {
		if invalid, err = readMask(p.masks[1], t.Width, t.Height); err != nil {
			return 0, 0, err
		}
	}
	for y := range t.Height {
		for x := range t.Width {
			if !field.Known(t.At(x, y)) || invalid != nil && invalid[y*t.Width+x] {
				continue
			}
			truth++
			if field.Known(estimate.At(x, y)) {
				known++
			}
		}
	}
	return truth, known, nil
}

// TestEstimator: the estimator gets the frames of each pair in order, and shared frames are the same pointers.
func TestEstimator(t *testing.T) {
	shared := map[string]int{"sintel": 2, "kitti2012": 0, "kitti2015": 0, "middlebury": 0, "chairs": 0}
	for _, name := range Names() {
		o := Options{Dataset: name, Root: filepath.Join(tiny, name, "data"), Source: "fake"}
		_, pairs, err := prepare(&o)
		if err != nil {
			t.Fatal(err)
		}
		next, again := 0, 0
		var last *frame.Frame
		o.Estimate = func(_ context.Context, a, b *frame.Frame) (*field.Field, error) {
			for path, f := range map[string]*frame.Frame{pairs[next].first: a, pairs[next].second: b} {
				want, err := picture.Read(path)
				if err != nil {
					return nil, err
				}
				if !bytes.Equal(want.Pix, f.Pix) {
					t.Errorf("%s: the frame of pair %d is not %s", name, next, path)
				}
			}
			if a == last {
				again++
			}
			last = b
			next++
			return field.New(a.Width, a.Height), nil
		}
		if _, err := Evaluate(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		if next != len(pairs) || again != shared[name] {
			t.Errorf("%s: %d of %d pairs, %d shared frames, want %d", name, next, len(pairs), again, shared[name])
		}
	}
}

// TestRealPairs puts real pairs into the layouts of their data sets and scores zero flow. The wanted figures were computed
// elsewhere, with OpenCV and NumPy; the README of the material has them.
func TestRealPairs(t *testing.T) {
	real, err := filepath.Abs(testutil.Require(t, "pairs"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		dataset, row string
		links        map[string]string // path in the layout -> real file
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
		for name, file := range c.links {
			path := filepath.Join(root, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(filepath.Join(real, file), path); err != nil {
				t.Fatal(err)
			}
		}
		r, err := Evaluate(t.Context(), Options{Dataset: c.dataset, Root: root, Estimate: func(_ context.Context, a, b *frame.Frame) (*field.Field, error) {
			if a.Width != b.Width || a.Height != b.Height || bytes.Equal(a.Pix, b.Pix) {
				t.Errorf("%s: the frames are the same, or of two sizes", c.dataset)
			}
			return field.New(a.Width, a.Height), nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		rows := slices.DeleteFunc(slices.Concat(r.Rows, r.PerPair), func(row Row) bool { return row.Name != c.row })
		if len(rows) != 1 {
			t.Errorf("%s: %d rows are called %s, want 1", c.dataset, len(rows), c.row)
			continue
		}
		if got := rows[0].Figures[c.column]; !(math.Abs(got-c.want) <= 0.0006) {
			t.Errorf("%s: %v, want %v", c.dataset, got, c.want)
		}
	}
}
