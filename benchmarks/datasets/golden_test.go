package datasets

import (
	"bytes"
	"flag"
	"math"
	"path/filepath"
	"testing"

	"github.com/wwflow/wwflow/internal/testutil"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestReportFormats compares a report of fixed figures, byte for byte, with golden files in all formats.
func TestReportFormats(t *testing.T) {
	report := Report{
		Dataset: "MPI-Sintel", Rule: "mean endpoint error", Source: "network tiny 1 on cpu",
		Columns: []string{"EPE all", "EPE s40+", "Fl %"},
		Rows:    []Row{{"clean", 12, []float64{1.0 / 3, math.NaN(), 100}}, {"final", 3, []float64{1e-7, 4e21, 0}}},
		PerPair: []Row{{"clean/alley_1/frame_0001", 1, []float64{2, math.NaN(), 12.34567}}},
	}
	always := report
	always.showPairs = true
	for name, write := range map[string]func(*bytes.Buffer) error{
		"report.txt":           func(b *bytes.Buffer) error { return report.WriteText(b, false) },
		"report.json":          func(b *bytes.Buffer) error { return report.WriteJSON(b, false) },
		"report.csv":           func(b *bytes.Buffer) error { return report.WriteCSV(b, false) },
		"report-per-pair.txt":  func(b *bytes.Buffer) error { return report.WriteText(b, true) },
		"report-per-pair.json": func(b *bytes.Buffer) error { return always.WriteJSON(b, false) },
		"report-per-pair.csv":  func(b *bytes.Buffer) error { return always.WriteCSV(b, true) },
	} {
		var got bytes.Buffer
		if err := write(&got); err != nil {
			t.Fatal(err)
		}
		testutil.Golden(t, filepath.Join("testdata", name), got.Bytes(), *update)
	}
}
