package spring

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/wwflow/wwflow/internal/testutil"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestReportFormats compares the report of the tiny data set, byte for byte, with golden files in all formats. The subset
// "sky" is emptied, so that a figure of no pixels is in each file. testdata/spring/generate.py computes the figures
// independently; TestTables compares those.
func TestReportFormats(t *testing.T) {
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(testutil.Repository())
	r, err := Evaluate(t.Context(), Options{Selection: all("testdata/spring/data"), FlowDir: "testdata/spring/flow"})
	if err != nil {
		t.Fatal(err)
	}
	r.All[8] = Tally{}
	for name, write := range map[string]func(*bytes.Buffer) error{
		"report.txt":               func(b *bytes.Buffer) error { return r.WriteText(b, false) },
		"report.json":              func(b *bytes.Buffer) error { return r.WriteJSON(b, false) },
		"report.csv":               func(b *bytes.Buffer) error { return r.WriteCSV(b, false) },
		"report-per-sequence.txt":  func(b *bytes.Buffer) error { return r.WriteText(b, true) },
		"report-per-sequence.json": func(b *bytes.Buffer) error { return r.WriteJSON(b, true) },
		"report-per-sequence.csv":  func(b *bytes.Buffer) error { return r.WriteCSV(b, true) },
	} {
		var got bytes.Buffer
		if err := write(&got); err != nil {
			t.Fatal(err)
		}
		testutil.Golden(t, filepath.Join(folder, "testdata", name), got.Bytes(), *update)
	}
}
