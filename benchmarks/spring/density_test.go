package spring

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/internal/picture"
)

// TestUnknownFlow makes the lower half of one flow unknown: its other pixels keep their score, the report states the
// density and no longer calls itself official, and the error picture is black there.
func TestUnknownFlow(t *testing.T) {
	s := Selection{Root: tiny, Split: "0002", Direction: "FW", Camera: "left"}
	dir := copyTree(t, tinyFlow)
	const name = "0002/flow_FW_left/flow_FW_left_0001"
	path := filepath.Join(dir, name+".flo5")
	estimate, err := flowfile.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(estimate.Vectors) / 2; i < len(estimate.Vectors); i += 2 {
		estimate.Vectors[i], estimate.Vectors[i+1] = field.Unknown(), field.Unknown()
	}
	if err := flowfile.Write(path, estimate); err != nil {
		t.Fatal(err)
	}
	truth, err := flowfile.Read(filepath.Join(tiny, "train", name+".flo5"))
	if err != nil {
		t.Fatal(err)
	}
	var pixels, unknown int64
	var sum float64
	for y := range estimate.Height {
		for x := range estimate.Width {
			still := field.New(estimate.Width, estimate.Height)
			switch hasTruth := smallestError(still, truth, x, y); {
			case hasTruth != hasTruth:
			case y >= estimate.Height/2:
				unknown++
			default:
				pixels++
				sum += float64(smallestError(estimate, truth, x, y))
			}
		}
	}
	maps := t.TempDir()
	for _, float16 := range []bool{false, true} {
		r, err := Evaluate(t.Context(), Options{Selection: s, FlowDir: dir, Float16: float16, ErrorMaps: maps})
		if err != nil {
			t.Fatal(err)
		}
		all := r.All[0]
		if all.Pixels != pixels || all.Unknown != unknown || math.Abs(all.Figures().EPE-sum/float64(pixels)) > 1e-3 {
			t.Errorf("float16 %v: %+v, EPE %v; want %d pixels, %d unknown, EPE %v",
				float16, all, all.Figures().EPE, pixels, unknown, sum/float64(pixels))
		}
		for i := 1; i < 9; i += 2 {
			if r.All[i].Unknown+r.All[i+1].Unknown != unknown {
				t.Errorf("%s and %s: %d and %d unknown pixels of %d", Subsets[i], Subsets[i+1], r.All[i].Unknown, r.All[i+1].Unknown, unknown)
			}
		}
		if !float16 {
			checkDensity(t, r, 100*float64(pixels)/float64(pixels+unknown))
		}
	}
	m, err := picture.Decode(filepath.Join(maps, name+".png"))
	if err != nil {
		t.Fatal(err)
	}
	if r, g, b, _ := m.At(0, estimate.Height-1).RGBA(); r|g|b != 0 {
		t.Errorf("the error picture is not black where the flow is unknown")
	}
}

// checkDensity checks the density in all formats.
func checkDensity(t *testing.T, r *Report, want float64) {
	t.Helper()
	if !strings.HasPrefix(r.Rule, "not official") {
		t.Errorf("the rule is %q", r.Rule)
	}
	var text, object, lines bytes.Buffer
	for _, err := range []error{r.WriteText(&text, true), r.WriteJSON(&object, true), r.WriteCSV(&lines, true)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(text.String(), "density %\n") {
		t.Errorf("no density in\n%s", text.String())
	}
	var j struct {
		Subsets map[string]struct {
			Density float64 `json:"density_percent"`
		}
	}
	if err := json.Unmarshal(object.Bytes(), &j); err != nil {
		t.Fatal(err)
	}
	if got := j.Subsets["all"].Density; math.Abs(got-want) > 1e-9 {
		t.Errorf("JSON has density %v, want %v", got, want)
	}
	rows, err := csv.NewReader(&lines).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if last := len(rows[0]) - 1; rows[0][last] != "density_percent" || rows[1][last] != strconv.FormatFloat(want, 'g', -1, 64) {
		t.Errorf("CSV has %v, %v", rows[0], rows[1])
	}
}
