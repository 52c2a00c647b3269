package datasets

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/wwflow/wwflow/benchmarks/internal/evaluate"
	"github.com/wwflow/wwflow/field"
)

// chairs is FlyingChairs (Dosovitskiy et al., 2015).
var chairs = dataset{
	name: "chairs", title: "FlyingChairs",
	layout:    "ROOT/data/00001_img1.ppm, 00001_img2.ppm, 00001_flow.flo; flow: 00001_flow.flo",
	rule:      "EPE: mean endpoint error in pixels; 1px: pixels with an error above 1; Fl: above 3 pixels and 5 %; pooled over pixels",
	hasSplits: true,
	extension: ".flo",
	pairs:     chairsPairs,
	columns:   []string{"EPE", "1px %", "Fl %"},
	measure: func(estimate *field.Field, truths []*field.Field, _ [][]bool) ([]field.Errors, error) {
		return field.Compare(estimate, truths[0], 1, nil)
	},
	classes: []int{0},
	figures: func(p [][]field.Errors) []float64 {
		e := pool(p, 0)
		return []float64{e.EPE(), e.Percent(e.Over1), e.Fl()}
	},
}

// chairsList is the list of the data set: a line for each pair, 1 for training and 2 for validation.
const chairsList = "FlyingChairs_train_val.txt"

func chairsPairs(o *Options) ([]pair, error) {
	folder := firstFolder(filepath.Join(o.Root, "data"), o.Root)
	truths, err := filepath.Glob(filepath.Join(folder, "*_flow.flo"))
	if err != nil {
		return nil, err
	}
	selected, err := chairsSplit(o, len(truths))
	if err != nil {
		return nil, err
	}
	var pairs []pair
	for i, truth := range truths {
		if !selected(i) {
			continue
		}
		number := strings.TrimSuffix(filepath.Base(truth), "_flow.flo")
		pairs = append(pairs, pair{
			name: number + "_flow", row: "all",
			first: filepath.Join(folder, number+"_img1.ppm"), second: filepath.Join(folder, number+"_img2.ppm"),
			truths: []string{truth},
		})
	}
	return pairs, nil
}

// chairsSplit returns which of the pairs belong to the split.
func chairsSplit(o *Options, pairs int) (selected func(pair int) bool, err error) {
	splits, err := evaluate.Choose("split", o.Split, "all", "train", "val")
	if err != nil {
		return nil, err
	}
	if len(splits) == 2 {
		return func(int) bool { return true }, nil
	}
	path := filepath.Join(o.Root, chairsList)
	list, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	marks := strings.Fields(string(list))
	if len(marks) != pairs {
		return nil, fmt.Errorf("%s: it has %d lines for %d flows", path, len(marks), pairs)
	}
	for i, mark := range marks {
		if mark != "1" && mark != "2" {
			return nil, fmt.Errorf("%s: line %d is %q instead of 1 or 2", path, i+1, mark)
		}
	}
	want := map[string]string{"train": "1", "val": "2"}[splits[0]]
	return func(pair int) bool { return marks[pair] == want }, nil
}
