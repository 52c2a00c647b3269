package stats

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// written returns three pairs as a file: one with motion, a cut, and one without confident flow.
func written(t *testing.T, format Format) ([]Pair, string) {
	t.Helper()
	f := uniform(30, 40, 3, 4)
	f.Confidence = make([]float32, 1200) // nothing is confident enough for the camera
	pairs := []Pair{Measure(uniform(30, 40, 0.25, -7), false), Measure(f, true), Measure(f, false)}
	var b bytes.Buffer
	w := NewPairWriter(&b, format)
	s := Summary{}
	for _, p := range pairs {
		s.Add(p)
		if err := w.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(s.Video()); err != nil {
		t.Fatal(err)
	}
	return pairs, b.String()
}

func TestPairsAsJSON(t *testing.T) {
	pairs, text := written(t, JSON)
	var got struct {
		Pairs []Pair
		Video Video
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if !reflect.DeepEqual(got.Pairs, pairs) {
		t.Errorf("%+v\nwant %+v", got.Pairs, pairs)
	}
	if got.Video.Pairs != 3 || got.Video.Cuts != 1 || got.Video.Score <= 0 {
		t.Errorf("%+v", got.Video)
	}
}

func TestPairsAsJSONLines(t *testing.T) {
	pairs, text := written(t, JSONL)
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) != len(pairs) {
		t.Fatalf("%d lines", len(lines))
	}
	for i, line := range lines {
		var got Pair
		if err := json.Unmarshal([]byte(line), &got); err != nil || !reflect.DeepEqual(got, pairs[i]) {
			t.Errorf("%+v, %v, want %+v", got, err, pairs[i])
		}
	}
}

func TestPairsAsCSV(t *testing.T) {
	pairs, text := written(t, CSV)
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 4 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	cell := func(row int, name string) string {
		for i, n := range rows[0] {
			if n == name {
				return rows[row][i]
			}
		}
		t.Fatalf("no column %s in %v", name, rows[0])
		return ""
	}
	number := func(row int, name string) float64 {
		x, err := strconv.ParseFloat(cell(row, name), 64)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		return x
	}
	first := pairs[0]
	for name, want := range map[string]float64{
		"frame": 3, "time_s": 0.12, "interval_s": first.Interval, "known": 1, "mean_px": first.Length.Mean, "median_px": first.Length.Median,
		"p90_px": first.Length.P90, "p95_px": first.Length.P95, "p99_px": first.Length.P99, "p99_share": first.Relative.P99,
		"mean_share": first.Relative.Mean, "score": first.Score, "moving": 1, "direction_deg": 270, "direction_share": 1, "d12": 1, "d00": 0,
		"pan_px": first.Camera.Pan, "tilt_px": first.Camera.Tilt, "zoom": first.Camera.Zoom, "roll_deg": first.Camera.Roll,
		"follow": 1, "residual_px": first.Camera.Residual, "objects_px": 0,
	} {
		if got := number(1, name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if cell(1, "confidence") != "" || cell(3, "confidence") != "0" || cell(3, "pan_px") != "" || number(3, "mean_px") != 5 {
		t.Errorf("without confidence: %v", rows)
	}
	if cell(2, "cut") != "true" || cell(2, "mean_px") != "" || cell(2, "known") != "1" {
		t.Errorf("a cut is %v", rows[2])
	}
}

func TestFormatOf(t *testing.T) {
	for path, want := range map[string]Format{"a.csv": CSV, "b/c.JSON": JSON, "d.jsonl": JSONL, "e.txt": "", "csv": ""} {
		if got, err := FormatOf(path); got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
}
