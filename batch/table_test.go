package batch

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/parts"
	"github.com/wwflow/wwflow/pipeline"
	"github.com/wwflow/wwflow/stats"
)

// withTable returns a batch of a good video, one of a single frame, which fails, and another good one, with a table.
func withTable(t *testing.T, extension string) Options {
	t.Helper()
	folder, o := clips(t, 4, 1, 5)
	o.Stats = filepath.Join(folder, "table"+extension)
	return o
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestTable has the row of a video that fails between two good ones.
func TestTable(t *testing.T) {
	o := withTable(t, ".jsonl")
	_, r, err := watched(t.Context(), o)
	if !errors.Is(err, ErrFailed) || r.Stats != o.Stats {
		t.Errorf("%+v, %v", r, err)
	}
	var rows []stats.Row
	for line := range strings.Lines(readFile(t, o.Stats)) {
		var row stats.Row
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	if len(rows) != 3 {
		t.Fatalf("%d rows", len(rows))
	}
	for i, want := range []struct {
		status stats.Status
		pairs  int
	}{{stats.Done, 3}, {stats.Failed, 0}, {stats.Done, 4}} {
		row := rows[i]
		if row.Input != o.Videos[i].Input || row.Status != want.status || (row.Error != "") != (want.status == stats.Failed) {
			t.Errorf("row %d: %+v", i, row)
		}
		if want.pairs > 0 && (row.Video == nil || row.Pairs != want.pairs) {
			t.Errorf("row %d: %+v, want %d pairs", i, row.Video, want.pairs)
		}
	}
	direct, err := pipeline.Statistics(t.Context(), pipeline.Options{Input: o.Videos[2].Input, Network: o.Network})
	if err != nil {
		t.Fatal(err)
	}
	got, _ := json.Marshal(rows[2].Video)
	want, _ := json.Marshal(direct.Motion)
	if string(got) != string(want) {
		t.Errorf("the batch measured\n%s\nwwflow stats\n%s", got, want)
	}
}

// TestTableAfterStops stops a batch in each video. The table is that of a batch in one go.
func TestTableAfterStops(t *testing.T) {
	for _, extension := range []string{".csv", ".json", ".jsonl"} {
		o := withTable(t, extension)
		if _, err := Run(t.Context(), o); !errors.Is(err, ErrFailed) {
			t.Fatal(err)
		}
		want := readFile(t, o.Stats)
		if err := errors.Join(os.RemoveAll(o.Dir), os.Remove(o.Stats)); err != nil {
			t.Fatal(err)
		}
		for _, output := range []string{"a-flow.mkv", "c-flow.mkv"} {
			ctx, cancel := context.WithCancel(t.Context())
			stopping := o
			stopping.Events.Written = func(p Progress) {
				if p.Output == output {
					cancel()
				}
			}
			if _, r, err := watched(ctx, stopping); !errors.Is(err, context.Canceled) || r.Stats != "" {
				t.Errorf("%s: %+v, %v", output, r, err)
			}
			if _, err := os.Stat(o.Stats); err == nil {
				t.Error("a batch that was stopped has written a table")
			}
		}
		for range 2 { // the second call has nothing to do, and may replace its own table
			if _, err := Run(t.Context(), o); !errors.Is(err, ErrFailed) {
				t.Fatal(err)
			}
			if got := readFile(t, o.Stats); got != want {
				t.Errorf("%s: the table after two stops is\n%s\nwant\n%s", extension, got, want)
			}
		}
	}
}

// TestTableOfParts has a table for each part. The same call without a part then writes that of all videos.
func TestTableOfParts(t *testing.T) {
	o := withTable(t, ".csv")
	if _, err := Run(t.Context(), o); !errors.Is(err, ErrFailed) {
		t.Fatal(err)
	}
	want := readFile(t, o.Stats)
	if err := errors.Join(os.RemoveAll(o.Dir), os.Remove(o.Stats)); err != nil {
		t.Fatal(err)
	}
	lines := 0
	for _, name := range []string{"table-1-of-2.csv", "table-2-of-2.csv"} {
		part := o
		part.Part, _ = parts.ParsePart(name[6:7] + "/2")
		if _, err := Run(t.Context(), part); err != nil && !errors.Is(err, ErrFailed) {
			t.Fatal(err)
		}
		lines += strings.Count(readFile(t, filepath.Join(filepath.Dir(o.Stats), name)), "\n") - 1
	}
	if _, err := os.Stat(o.Stats); err == nil || lines != 3 {
		t.Errorf("a part has written %s, or the tables of the parts have %d rows, not 3", o.Stats, lines)
	}
	ended, _, err := watched(t.Context(), o)
	equal(t, "without a part", ended)
	if got := readFile(t, o.Stats); !errors.Is(err, ErrFailed) || got != want {
		t.Errorf("%v; the table is\n%s\nwant\n%s", err, got, want)
	}
}

func TestTableRefusals(t *testing.T) {
	folder, o := clips(t, 3)
	if _, err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	before := tree(t, o.Dir)
	taken := filepath.Join(folder, "taken.csv")
	if err := os.WriteFile(taken, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	export := o.Videos[0]
	export.Exports = []pipeline.Export{{Format: "flo", Dir: "flow.csv"}}
	for path, want := range map[string]struct {
		err  error
		text string
	}{
		filepath.Join(folder, "table.csv"):         {ErrUnmeasured, "a-flow.mkv was done without statistics"},
		filepath.Join(folder, "table.txt"):         {pipeline.ErrOptions, "written to .csv, .json or .jsonl files"},
		filepath.Join(folder, "none", "table.csv"): {pipeline.ErrOutput, "none does not exist; create it first"},
		taken: {encode.ErrExists, "taken.csv"},
		filepath.Join(o.Dir, "wwflow-batch.jsonl"):      {pipeline.ErrOptions, "is a name of the batch's journals"},
		filepath.Join(o.Dir, "flow.csv"):                {pipeline.ErrOptions, "also an input or an output"},
		filepath.Join(folder, "in", "a.mkv") + "/x.csv": {pipeline.ErrOutput, "a.mkv does not exist"},
	} {
		second := o
		second.Stats = path
		if strings.HasSuffix(path, "flow.csv") {
			second.Videos = []pipeline.Options{export}
		}
		ended, r, err := watched(t.Context(), second)
		if !errors.Is(err, want.err) || !strings.Contains(err.Error(), want.text) || len(ended) > 0 || r.Videos != 0 {
			t.Errorf("%s: %v, %+v, %v; want %q", path, ended, r, err, want.text)
		}
	}
	if got := tree(t, o.Dir); got["a-flow.mkv"] != before["a-flow.mkv"] {
		t.Error("the output has changed")
	}
	o.Stats, o.Force = taken, true
	ended, _, err := watched(t.Context(), o)
	equal(t, "with Force", ended, "a-flow.mkv done")
	if err != nil || readFile(t, taken) == "" {
		t.Error(err)
	}
}
