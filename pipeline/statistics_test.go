package pipeline

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/testutil"
	"github.com/wwflow/wwflow/pairing"
	"github.com/wwflow/wwflow/stats"
)

// readStatistics reads a JSON file of statistics.
func readStatistics(t *testing.T, path string) (file struct {
	Pairs []stats.Pair
	Video stats.Video
}) {
	t.Helper()
	if err := json.Unmarshal([]byte(contents(t, path)), &file); err != nil {
		t.Fatal(err)
	}
	return file
}

// checkPairs compares the pairs of a file with the exact flow of the fake network.
func checkPairs(t *testing.T, got []stats.Pair, in []*frame.Frame, sample int) {
	t.Helper()
	if want := (len(in) - 1 + sample - 1) / sample; len(got) != want {
		t.Fatalf("%d pairs, want %d", len(got), want)
	}
	for i, p := range got {
		a, b := in[i*sample], in[i*sample+1]
		if p.Frame != a.Index || math.Abs(p.Time-float64(a.PTS)/1000) > 1e-9 || math.Abs(p.Interval-float64(b.PTS-a.PTS)/1000) > 1e-9 {
			t.Errorf("pair %d is %+v", i, p)
		}
		if want := pairing.CutScore(&frame.Pair{First: a, Second: b}) > pairing.CutThreshold; p.Cut != want {
			t.Errorf("pair %d: cut %v", i, p.Cut)
		}
		if p.Motion == nil {
			continue
		}
		if want := expected(a, b).Statistics().Length.Mean; math.Abs(p.Length.Mean-want) > 1e-4*want {
			t.Errorf("pair %d: mean %v, want %v", i, p.Length.Mean, want)
		}
	}
}

// TestRunWritesStatistics compares the file of a run, and its result, with the exact flow.
func TestRunWritesStatistics(t *testing.T) {
	in, o, result, err := runVideo(t, t.Context(), func(o *Options) {
		o.Paint.MaxFlow, o.Stats = 9000, filepath.Join(filepath.Dir(o.Output), "motion.json")
		o.Network = fakeNetwork(2)
	})
	if err != nil {
		t.Fatal(err)
	}
	file := readStatistics(t, o.Stats)
	checkPairs(t, file.Pairs, in, 1)
	if file.Video.Pairs != len(in)-1 || result.Motion == nil || result.Motion.Pairs != len(in)-1 || result.Frames != len(in)-1 {
		t.Errorf("%+v, %+v", file.Video, result)
	}
	if got, want := len(testutil.List(t, filepath.Dir(o.Output))), 3; got != want {
		t.Errorf("%d files, want %d", got, want)
	}
}

// TestStatistics measures every pair and each third one.
func TestStatistics(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "in.mkv")
	in := writeVideo(t, path, 64, 48, uneven)
	for _, sample := range []int{1, 3} {
		total := 0
		o := Options{Input: path, Network: fakeNetwork(1), Sample: sample, Stats: filepath.Join(folder, "motion.json"), Encode: encode.Options{Force: true}}
		o.Events.Written = func(_, of int) { total = of }
		result, err := Statistics(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		pairs := readStatistics(t, o.Stats).Pairs
		checkPairs(t, pairs, in, sample)
		if result.Frames != len(pairs) || total != len(pairs) || result.Read != len(in) || result.Output != "" {
			t.Errorf("sample %d: %d of %d pairs: %+v", sample, len(pairs), total, result)
		}
	}
}

// TestStatisticsCuts checks that a cut is marked by Statistics, which does not estimate it, and by a run that does.
func TestStatisticsCuts(t *testing.T) {
	f := field.New(64, 48)
	f.Pair = &frame.Pair{First: frame.New(64, 48), Second: frame.New(64, 48)}
	for i := range f.Pair.Second.Pix { // a picture after black
		f.Pair.Second.Pix[i] = byte(i * i / 7)
	}
	m, err := newMotionMeter("", false)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.measure(f); err != nil {
		t.Fatal(err)
	}
	if v := m.summary.Video(); v.Cuts != 1 || v.Measured != 0 {
		t.Errorf("%+v", v)
	}
}

// TestStatisticsErrors checks that what cannot be written is found first, and that nothing is left after a failure.
func TestStatisticsErrors(t *testing.T) {
	folder := t.TempDir()
	input := filepath.Join(folder, "in.mkv")
	writeVideo(t, input, 64, 48, uneven[:3])
	existing := filepath.Join(folder, "there.csv")
	if err := os.WriteFile(existing, []byte("mine"), 0o666); err != nil {
		t.Fatal(err)
	}
	short := filepath.Join(folder, "short.mkv")
	writeVideo(t, short, 64, 48, uneven[:1])
	before := testutil.List(t, folder)
	for name, c := range map[string]struct {
		o    Options
		want error
	}{
		"exists":    {Options{Input: input, Stats: existing}, encode.ErrExists},
		"extension": {Options{Input: input, Stats: filepath.Join(folder, "a.txt")}, ErrOptions},
		"no folder": {Options{Input: input, Stats: filepath.Join(folder, "none", "a.csv")}, ErrOutput},
		"sample":    {Options{Input: input, Sample: -1}, ErrOptions},
		"too short": {Options{Input: short, Stats: filepath.Join(folder, "a.csv")}, ErrTooShort},
	} {
		c.o.Network = fakeNetwork(1)
		if _, err := Statistics(t.Context(), c.o); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, o := range map[string]Options{"exists": {Stats: existing}, "sample": {Sample: 2}} {
		o.Input, o.Output = input, filepath.Join(folder, "out.mkv")
		if err := o.Check(); err == nil {
			t.Errorf("%s: a run has no objection", name)
		}
	}
	if after := testutil.List(t, folder); !slices.Equal(before, after) || contents(t, existing) != "mine" {
		t.Errorf("there are %v, before %v", after, before)
	}
}
