package spring

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"image/png"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/picture"
)

// The tiny data set, its estimate, and the tables that its generator worked out in NumPy.
const (
	tiny     = "../../testdata/spring/data"
	tinyFlow = "../../testdata/spring/flow"
	tables   = "../../testdata/spring/expected.json"
)

type figures struct {
	Px1    float64 `json:"px1_percent"`
	EPE    float64 `json:"epe_pixels"`
	Fl     float64 `json:"fl_percent"`
	WAUC   float64 `json:"wauc_percent"`
	Pixels int64   `json:"pixels"`
}

// expected is mode -> selection -> subset -> figures.
func expected(t *testing.T) map[string]map[string]map[string]figures {
	t.Helper()
	b, err := os.ReadFile(tables)
	if err != nil {
		t.Fatal(err)
	}
	var e map[string]map[string]map[string]figures
	if err := json.Unmarshal(b, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

func compare(t *testing.T, name string, got Tallies, want map[string]figures) {
	t.Helper()
	for i, subset := range Subsets {
		f, w := got[i].Figures(), want[subset]
		for _, c := range []struct {
			name string
			a, b float64
		}{{"1px", f.Px1, w.Px1}, {"EPE", f.EPE, w.EPE}, {"Fl", f.Fl, w.Fl}, {"WAUC", f.WAUC, w.WAUC}, {"pixels", float64(got[i].Pixels), float64(w.Pixels)}} {
			if !(math.Abs(c.a-c.b) <= 1e-6) {
				t.Errorf("%s, %s: %s is %v, want %v", name, subset, c.name, c.a, c.b)
			}
		}
	}
}

func all(root string) Selection { return Selection{Root: root, Split: "train"} }

// TestTables compares every figure of every subset with the ones worked out in NumPy, in both number formats.
func TestTables(t *testing.T) {
	for mode, byName := range expected(t) {
		for name, s := range map[string]Selection{
			"train":   all(tiny),
			"0002":    {Root: tiny, Split: "0002"},
			"FW left": {Root: tiny, Split: "0001,0002", Direction: "FW", Camera: "left"},
			"BW":      {Root: tiny, Split: "train", Direction: "BW", Camera: "both"},
		} {
			r, err := Evaluate(t.Context(), Options{Selection: s, FlowDir: tinyFlow, Float16: mode == "float16"})
			if err != nil {
				t.Fatal(err)
			}
			compare(t, mode+" "+name, r.All, byName[name])
			if name == "train" {
				if r.Flows != 12 || len(r.Sequences) != 2 {
					t.Errorf("%d flows of %d sequences", r.Flows, len(r.Sequences))
				}
				for _, q := range r.Sequences {
					compare(t, mode+" "+q.Name, q.Tallies, byName[q.Name])
				}
			}
		}
	}
}

// TestWAUC holds the bins at their borders, where a product is easily rounded to the wrong side.
func TestWAUC(t *testing.T) {
	for i := 0; i <= 100; i++ {
		at := float64(i) / 20
		for _, epe := range []float64{at, math.Nextafter(at, 9), math.Nextafter(at, -1)} {
			want := int64(0)
			for k := 1; k <= 100; k++ {
				if epe <= float64(k)/20 {
					want += int64(101 - k)
				}
			}
			if got := waucOf(max(epe, 0)); got != want {
				t.Errorf("error %v adds %d, want %d", epe, got, want)
			}
		}
	}
}

// TestFormats writes the report as text, JSON and CSV.
func TestFormats(t *testing.T) {
	r, err := Evaluate(t.Context(), Options{Selection: all(tiny), FlowDir: tinyFlow})
	if err != nil {
		t.Fatal(err)
	}
	r.All[8] = Tally{} // no sky: no figure, rather than a wrong one
	want := expected(t)["float64"]
	var b bytes.Buffer
	if err := r.WriteText(&b, true); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{Rule, "12 flows", "1px %", "14.859", "WAUC", "0002", "s40+"} {
		if !strings.Contains(b.String(), part) {
			t.Errorf("no %q in\n%s", part, b.String())
		}
	}
	b.Reset()
	if err := r.WriteJSON(&b, true); err != nil {
		t.Fatal(err)
	}
	var object struct {
		Rule      string
		Subsets   map[string]*figures
		Sequences map[string]map[string]figures
	}
	if err := json.Unmarshal(b.Bytes(), &object); err != nil {
		t.Fatal(err)
	}
	if got := object.Sequences["0001"]["unmatched"].WAUC; object.Rule != Rule || math.Abs(got-want["0001"]["unmatched"].WAUC) > 1e-6 {
		t.Errorf("JSON has WAUC %v", got)
	}
	if !strings.Contains(b.String(), `"epe_pixels": null`) {
		t.Error("JSON has a figure for no pixels")
	}
	b.Reset()
	if err := r.WriteCSV(&b, true); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if epe, err := strconv.ParseFloat(lines[1][3], 64); err != nil || math.Abs(epe-want["train"]["all"].EPE) > 1e-6 || len(lines) != 1+3*12 || lines[9][3] != "" {
		t.Errorf("CSV has %v, %v", lines[1], lines[9])
	}
}

// copyTree makes a copy of the data set or the estimate that a test may break.
func copyTree(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

// TestBroken breaks one file at a time: each is one error that names the file.
func TestBroken(t *testing.T) {
	const truth = "train/0001/flow_FW_left/flow_FW_left_0002.flo5"
	const estimate = "0001/flow_BW_right/flow_BW_right_0002.flo5"
	cut := func(t *testing.T, path string) {
		stat, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, stat.Size()/2); err != nil {
			t.Fatal(err)
		}
	}
	remove := func(t *testing.T, path string) {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	change := func(edit func(f *field.Field) *field.Field) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			f, err := flowfile.Read(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := flowfile.Write(path, edit(f)); err != nil {
				t.Fatal(err)
			}
		}
	}
	small := change(func(f *field.Field) *field.Field { return field.New(f.Width-2, f.Height) })
	for _, c := range []struct {
		name, file string
		damage     func(*testing.T, string)
		want       error
	}{
		{"truth cut short", truth, cut, flowfile.ErrFormat},
		{"truth missing at the end", truth, remove, fs.ErrNotExist},
		{"truth missing in between", "train/0001/flow_FW_left/flow_FW_left_0001.flo5", remove, fs.ErrNotExist},
		{"map missing", "train/0002/maps/skymap_left/skymap_left_0001.png", remove, fs.ErrNotExist},
		{"map cut short", "train/0002/maps/rigidmap_FW_left/rigidmap_FW_left_0001.png", cut, picture.ErrFormat},
		{"truth of a wrong size", truth, small, ErrSize},
		{"estimate missing", estimate, remove, fs.ErrNotExist},
		{"estimate cut short", estimate, cut, flowfile.ErrFormat},
		{"estimate of a wrong size", estimate, small, ErrSize},
		{"estimate of the truth's size", estimate, change(func(f *field.Field) *field.Field { return field.New(2*f.Width, 2*f.Height) }), ErrSize},
		{"estimate unknown", estimate, change(func(f *field.Field) *field.Field { f.Vectors[99] = field.Unknown(); return f }), ErrUnknown},
		{"estimate infinite", estimate, change(func(f *field.Field) *field.Field { f.Vectors[4] = float32(math.Inf(-1)); return f }), ErrUnknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			root, flow, file := tiny, tinyFlow, ""
			if strings.HasPrefix(c.file, "train") {
				root = copyTree(t, tiny)
				file = filepath.Join(root, c.file)
			} else {
				flow = copyTree(t, tinyFlow)
				file = filepath.Join(flow, c.file)
			}
			c.damage(t, file)
			r, err := Evaluate(t.Context(), Options{Selection: all(root), FlowDir: flow})
			named := strings.TrimSuffix(c.file, ".flo5")
			if c.name == "truth of a wrong size" {
				named = "flow_FW_left_0002" // the estimate or a map of it no longer fits
			}
			if r != nil || !errors.Is(err, c.want) || !strings.Contains(err.Error(), named) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v", err)
			}
		})
	}
}

// fromFiles is an Estimator that knows the frames' contents, and counts how often a frame comes again.
func fromFiles(t *testing.T, s Selection, again *int) Estimator {
	flows, err := s.Flows()
	if err != nil {
		t.Fatal(err)
	}
	byPixels := map[string]Flow{}
	for _, f := range flows {
		a, err := picture.Read(f.picture(s.folder(), f.Frame))
		if err != nil {
			t.Fatal(err)
		}
		b, err := picture.Read(f.picture(s.folder(), f.other()))
		if err != nil {
			t.Fatal(err)
		}
		byPixels[string(a.Pix)+string(b.Pix)] = f
	}
	seen := map[*frame.Frame]bool{}
	return func(_ context.Context, a, b *frame.Frame) (*field.Field, error) {
		f, ok := byPixels[string(a.Pix)+string(b.Pix)]
		if !ok {
			t.Error("a pair that is no flow's")
		}
		for _, frame := range []*frame.Frame{a, b} {
			if seen[frame] {
				*again++
			}
			seen[frame] = true
		}
		path, err := s.estimateFile(tinyFlow, f)
		if err != nil {
			return nil, err
		}
		return flowfile.Read(path)
	}
}

// TestEstimator: the flow of a network scores as the same flow from files does, and each frame is read once.
func TestEstimator(t *testing.T) {
	again := 0
	var steps []int
	r, err := Evaluate(t.Context(), Options{
		Selection: all(tiny), Estimate: fromFiles(t, all(tiny), &again), Source: "fake",
		Progress: func(done, total int) { steps = append(steps, done*100+total) },
	})
	if err != nil {
		t.Fatal(err)
	}
	compare(t, "network", r.All, expected(t)["float64"]["train"])
	if frames := 24 - again; frames != 10 { // twelve pairs of 2 x 5 frames
		t.Errorf("%d frames were read, of 10", frames)
	}
	if len(steps) != 12 || steps[11] != 1212 {
		t.Errorf("progress %v", steps)
	}
}

// TestResume ends an evaluation in its middle, damages the journal's last line as a crash would, and goes on: the table is
// the same, and no flow that was done is done again.
func TestResume(t *testing.T) {
	journal := filepath.Join(t.TempDir(), "journal")
	var again int
	known := fromFiles(t, all(tiny), &again)
	calls := 0
	stop := errors.New("stop")
	o := Options{Selection: all(tiny), Source: "fake", Journal: journal, Estimate: func(ctx context.Context, a, b *frame.Frame) (*field.Field, error) {
		if calls++; calls == 8 {
			return nil, stop
		}
		return known(ctx, a, b)
	}}
	if _, err := Evaluate(t.Context(), o); !errors.Is(err, stop) {
		t.Fatal(err)
	}
	b, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	done := bytes.Count(b, []byte("\n")) - 1
	if done < 3 || done > 7 {
		t.Fatalf("the journal has %d flows", done)
	}
	if err := os.WriteFile(journal, append(b, `{"Flow":"0002/fl`...), 0o666); err != nil {
		t.Fatal(err)
	}
	calls = 100
	r, err := Evaluate(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if calls != 100+12-done {
		t.Errorf("%d flows were done, of which %d are in the journal", calls-100, done)
	}
	compare(t, "resumed", r.All, expected(t)["float64"]["train"])

	o.Float16 = true
	if _, err := Evaluate(t.Context(), o); err == nil || !strings.Contains(err.Error(), journal) {
		t.Errorf("another evaluation's journal: %v", err)
	}
}

// TestChangedEstimate: a file that changed since the journal was written is scored again.
func TestChangedEstimate(t *testing.T) {
	flow := copyTree(t, tinyFlow)
	o := Options{Selection: all(tiny), FlowDir: flow, Journal: filepath.Join(t.TempDir(), "journal")}
	before, err := Evaluate(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(flow, "0001/flow_FW_left/flow_FW_left_0001")
	if err := os.Remove(path + ".flo5"); err != nil {
		t.Fatal(err)
	}
	if err := flowfile.Write(path+".flo", field.New(48, 32)); err != nil { // any format is read
		t.Fatal(err)
	}
	after, err := Evaluate(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if before.All[0].Pixels != after.All[0].Pixels || before.All[0].Length == after.All[0].Length {
		t.Errorf("%+v and %+v", before.All[0], after.All[0])
	}
}

func TestErrorMaps(t *testing.T) {
	folder := t.TempDir()
	o := Options{Selection: Selection{Root: tiny, Split: "0001", Direction: "FW", Camera: "left"}, FlowDir: tinyFlow, ErrorMaps: folder}
	if _, err := Evaluate(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"0001", "0002"} {
		f, err := os.Open(filepath.Join(folder, "0001/flow_FW_left/flow_FW_left_"+name+".png"))
		if err != nil {
			t.Fatal(err)
		}
		m, err := png.Decode(f)
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			x, y    int
			r, g, b uint32
		}{
			{25, 20, 0, 0, 0},     // no ground truth
			{10, 5, 0, 0, 0},      // nor for one of the samples
			{7, 7, 39, 40, 148},   // right
			{7, 5, 223, 242, 248}, // close to one pixel
		} {
			r, g, b, _ := m.At(c.x, c.y).RGBA()
			if c.r == 223 { // the least of four errors: at most the one that was put there
				if b>>8 < 148 {
					t.Errorf("%d,%d is %d %d %d", c.x, c.y, r>>8, g>>8, b>>8)
				}
			} else if r>>8 != c.r || g>>8 != c.g || b>>8 != c.b {
				t.Errorf("%d,%d is %d %d %d, want %d %d %d", c.x, c.y, r>>8, g>>8, b>>8, c.r, c.g, c.b)
			}
		}
	}
}

// TestErrorColours holds the colours at the middle of the scale and at its ends.
func TestErrorColours(t *testing.T) {
	m := ErrorPicture([]float32{0, 1.0 / 32, 1, 32, 1e9, 2, 0.5}, 7)
	for x, want := range [][3]uint32{{39, 40, 148}, {39, 40, 148}, {223, 242, 248}, {165, 0, 38}, {165, 0, 38}, {254, 223, 144}, {171, 216, 233}} {
		r, g, b, _ := m.At(x, 0).RGBA()
		for i, v := range []uint32{r >> 8, g >> 8, b >> 8} {
			if math.Abs(float64(v)-float64(want[i])) > 2 {
				t.Errorf("pixel %d is %d %d %d, want %v", x, r>>8, g>>8, b>>8, want)
				break
			}
		}
	}
}

func TestSubmit(t *testing.T) {
	out := t.TempDir()
	o := Options{Selection: Selection{Root: tiny}, FlowDir: tinyFlow}
	if n, err := Submit(t.Context(), o, out); n != 8 || err != nil {
		t.Fatalf("%d flows, %v", n, err)
	}
	var found []string
	if err := filepath.WalkDir(out, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			found = append(found, path)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if len(found) != 8 || found[0] != filepath.Join(out, "0003/flow_BW_left/flow_BW_left_0002.flo5") {
		t.Errorf("%v", found)
	}
	// What is there and right is kept; what is damaged is made again; without a source for it there is an error.
	if err := os.Truncate(found[3], 100); err != nil {
		t.Fatal(err)
	}
	o.FlowDir = ""
	o.Estimate = func(context.Context, *frame.Frame, *frame.Frame) (*field.Field, error) { return field.New(48, 32), nil }
	if _, err := Submit(t.Context(), o, out); err != nil {
		t.Fatal(err)
	}
	f, err := flowfile.Read(found[3])
	if err != nil || f.Vectors[0] != 0 {
		t.Errorf("%v", err)
	}
	for name, bad := range map[string]*field.Field{"NaN": field.New(48, 32), "size": field.New(24, 16), "large": field.New(48, 32)} {
		switch name {
		case "NaN":
			bad.Vectors[7] = field.Unknown()
		case "large":
			bad.Vectors[7] = 1e5
		}
		o.Estimate = func(context.Context, *frame.Frame, *frame.Frame) (*field.Field, error) { return bad, nil }
		empty := t.TempDir()
		_, err := Submit(t.Context(), o, empty)
		if !errors.Is(err, ErrIncomplete) && !errors.Is(err, ErrSize) || !strings.Contains(err.Error(), "flow_FW_left_0001") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
