package spring

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/color"
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

// The tiny data set, flow files for it, and the tables that its generator computes in NumPy.
const (
	tiny         = "../../testdata/spring/data"
	tinyFlow     = "../../testdata/spring/flow"
	expectedFile = "../../testdata/spring/expected.json"
)

type figures struct {
	Px1    float64 `json:"px1_percent"`
	EPE    float64 `json:"epe_pixels"`
	Fl     float64 `json:"fl_percent"`
	WAUC   float64 `json:"wauc_percent"`
	Pixels int64   `json:"pixels"`
}

// expected returns mode -> selection -> subset -> figures.
func expected(t *testing.T) map[string]map[string]map[string]figures {
	t.Helper()
	b, err := os.ReadFile(expectedFile)
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

// TestTables compares every figure of every subset with NumPy, in both number formats.
func TestTables(t *testing.T) {
	tables := expected(t)
	if len(tables) != 2 {
		t.Errorf("expected.json has %d number formats, want 2", len(tables))
	}
	for mode, byName := range tables {
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
					t.Errorf("%d flows of %d sequences, want 12 of 2", r.Flows, len(r.Sequences))
				}
				for _, q := range r.Sequences {
					compare(t, mode+" "+q.Name, q.Tallies, byName[q.Name])
				}
			}
		}
	}
}

// TestWAUC checks errors at the thresholds and beside them, where a rounded product falls into the wrong bin.
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
				t.Errorf("waucOf(%v) = %d, want %d", epe, got, want)
			}
		}
	}
}

// copyTree copies a folder, so that a test can damage the files.
func copyTree(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

// TestDamagedFiles damages one file at a time: the error names the file.
func TestDamagedFiles(t *testing.T) {
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
		{"truncated truth", truth, cut, flowfile.ErrFormat},
		{"last truth missing", truth, remove, fs.ErrNotExist},
		{"first truth missing", "train/0001/flow_FW_left/flow_FW_left_0001.flo5", remove, fs.ErrNotExist},
		{"missing map", "train/0002/maps/skymap_left/skymap_left_0001.png", remove, fs.ErrNotExist},
		{"truncated map", "train/0002/maps/rigidmap_FW_left/rigidmap_FW_left_0001.png", cut, picture.ErrFormat},
		{"truth of another size", truth, small, field.ErrSizes},
		{"missing estimate", estimate, remove, fs.ErrNotExist},
		{"truncated estimate", estimate, cut, flowfile.ErrFormat},
		{"estimate of another size", estimate, small, field.ErrSizes},
		{"estimate of the size of the truth", estimate, change(func(f *field.Field) *field.Field { return field.New(2*f.Width, 2*f.Height) }), field.ErrSizes},
		{"infinite estimate", estimate, change(func(f *field.Field) *field.Field { f.Vectors[4] = float32(math.Inf(-1)); return f }), field.ErrInfiniteFlow},
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
			if c.name == "truth of another size" {
				named = "flow_FW_left_0002" // the estimate or a map no longer fits
			}
			if r != nil || !errors.Is(err, c.want) || !strings.Contains(err.Error(), named) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v, want %v in one line that names %s", err, c.want, named)
			}
		})
	}
}

// fromFiles returns an Estimator that identifies the pair by its pixels and returns the flow of the file.
func fromFiles(t *testing.T, s Selection) Estimator {
	t.Helper()
	flows, err := s.Flows()
	if err != nil {
		t.Fatal(err)
	}
	paths := map[string]string{}
	for _, f := range flows {
		p := s.pair(f, tinyFlow)
		path, err := p.FlowFile()
		if err != nil {
			t.Fatal(err)
		}
		paths[pixels(t, p.First)+pixels(t, p.Second)] = path
	}
	if len(paths) != len(flows) {
		t.Fatalf("%d flows have %d different pairs of frames", len(flows), len(paths))
	}
	return func(_ context.Context, a, b *frame.Frame) (*field.Field, error) {
		path, ok := paths[string(a.Pix)+string(b.Pix)]
		if !ok {
			return nil, errors.New("no flow of the data set has these frames")
		}
		return flowfile.Read(path)
	}
}

func pixels(t *testing.T, path string) string {
	t.Helper()
	f, err := picture.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(f.Pix)
}

// TestEstimator: an Estimator that returns the flow of the files has the figures of the files.
func TestEstimator(t *testing.T) {
	r, err := Evaluate(t.Context(), Options{Selection: all(tiny), Estimate: fromFiles(t, all(tiny)), Source: "fake"})
	if err != nil {
		t.Fatal(err)
	}
	compare(t, "estimator", r.All, expected(t)["float64"]["train"])
	if r.Source != "fake" {
		t.Errorf("flow from %q", r.Source)
	}
}

// TestResume interrupts an evaluation, truncates the last line of the journal as a crash would, and resumes: the table is
// the same, and no flow in the journal is scored again.
func TestResume(t *testing.T) {
	journal := filepath.Join(t.TempDir(), "journal")
	estimate := fromFiles(t, all(tiny))
	calls := 0
	stop := errors.New("stop")
	o := Options{Selection: all(tiny), Source: "fake", Journal: journal, Estimate: func(ctx context.Context, a, b *frame.Frame) (*field.Field, error) {
		if calls++; calls == 8 {
			return nil, stop
		}
		return estimate(ctx, a, b)
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
		t.Errorf("%d flows were estimated again; %d of 12 were in the journal", calls-100, done)
	}
	compare(t, "resumed", r.All, expected(t)["float64"]["train"])

	o.Float16 = true
	if _, err := Evaluate(t.Context(), o); err == nil || !strings.Contains(err.Error(), "journal of another evaluation") {
		t.Errorf("the journal of another evaluation: %v", err)
	}
}

// TestChangedFlowFile: a flow file that changed since the journal was written is scored again.
func TestChangedFlowFile(t *testing.T) {
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

// TestErrorMaps compares every pixel of the error pictures with the error that the files give, without the code that scores.
func TestErrorMaps(t *testing.T) {
	folder := t.TempDir()
	s := Selection{Root: tiny, Split: "0001", Direction: "FW", Camera: "left"}
	if _, err := Evaluate(t.Context(), Options{Selection: s, FlowDir: tinyFlow, ErrorMaps: folder}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"0001/flow_FW_left/flow_FW_left_0001", "0001/flow_FW_left/flow_FW_left_0002"} {
		truth, err := flowfile.Read(filepath.Join(tiny, "train", name+".flo5"))
		if err != nil {
			t.Fatal(err)
		}
		estimate, err := flowfile.Read(filepath.Join(tinyFlow, name+".flo5"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := picture.Decode(filepath.Join(folder, name+".png"))
		if err != nil {
			t.Fatal(err)
		}
		if got.Bounds().Size() != image.Pt(estimate.Width, estimate.Height) {
			t.Fatalf("%s: size %v", name, got.Bounds())
		}
		colours := map[color.Color]bool{}
		for y := range estimate.Height {
			for x := range estimate.Width {
				want := errorPicture([]float32{smallestError(estimate, truth, x, y)}, 1).At(0, 0)
				if got.At(x, y) != want {
					t.Fatalf("%s, column %d, row %d: colour %v, want %v", name, x, y, got.At(x, y), want)
				}
				colours[want] = true
			}
		}
		if len(colours) < 20 || !colours[color.RGBA{A: 255}] {
			t.Errorf("%s: %d colours, too few to tell pictures apart, or no black", name, len(colours))
		}
	}
}

// smallestError returns the smallest error to one of the four samples, NaN if one is unknown.
func smallestError(estimate, truth *field.Field, x, y int) float32 {
	u, v := estimate.At(x, y)
	smallest := math.Inf(1)
	for _, at := range [][2]int{{0, 0}, {1, 0}, {0, 1}, {1, 1}} {
		tu, tv := truth.At(2*x+at[0], 2*y+at[1])
		smallest = min(smallest, field.EndpointError(u, v, tu, tv)) // min returns NaN if one is
	}
	return float32(smallest)
}

// TestErrorColours checks the colours at the middle of the scale and at its ends.
func TestErrorColours(t *testing.T) {
	m := errorPicture([]float32{0, 1.0 / 32, 1, 32, 1e9, 2, 0.5}, 7)
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
		t.Errorf("files: %v", found)
	}
	// A valid file is kept, a damaged one is replaced.
	if err := os.Truncate(found[3], 100); err != nil {
		t.Fatal(err)
	}
	o.FlowDir = ""
	o.Estimate = func(context.Context, *frame.Frame, *frame.Frame) (*field.Field, error) { return field.New(48, 32), nil }
	if _, err := Submit(t.Context(), o, out); err != nil {
		t.Fatal(err)
	}
	for i, still := range map[int]bool{3: true, 4: false} {
		f, err := flowfile.Read(found[i])
		if err != nil || (f.Vectors[0] == 0) != still {
			t.Errorf("%s was replaced: %v, want %v; error %v", found[i], !still, still, err)
		}
	}
	for name, c := range map[string]struct {
		flow *field.Field
		want error
	}{
		"unknown": {with(field.Unknown()), ErrIncomplete},
		"large":   {with(1e5), ErrIncomplete},
		"size":    {field.New(24, 16), field.ErrSizes},
	} {
		o.Estimate = func(context.Context, *frame.Frame, *frame.Frame) (*field.Field, error) { return c.flow, nil }
		empty := t.TempDir()
		_, err := Submit(t.Context(), o, empty)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), "0003/flow_") { // several flows fail at the same time
			t.Errorf("%s: error %v, want %v", name, err, c.want)
		}
		if files, err := os.ReadDir(empty); len(files) != 0 || err != nil {
			t.Errorf("%s: files were written: %v, %v", name, files, err)
		}
	}
}

// with returns still flow of the tiny size with one other number in it.
func with(number float32) *field.Field {
	f := field.New(48, 32)
	f.Vectors[7] = number
	return f
}
