package datasets

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/wwflow/wwflow/field"
)

// FlyingChairs (Dosovitskiy et al., 2015): mean endpoint error.
var chairs = dataset{
	name: "chairs", title: "FlyingChairs",
	layout:  "ROOT/data/00001_img1.ppm, 00001_img2.ppm, 00001_flow.flo; flow: 00001_flow.flo",
	rule:    "EPE: mean endpoint error in pixels; 1px: pixels with an error above 1; Fl: above 3 pixels and 5 %; pooled over pixels",
	pairs:   chairsPairs,
	columns: []string{"EPE", "1px %", "Fl %"},
	measure: func(estimate *field.Field, truths []*field.Field, _ [][]bool) ([]field.Errors, error) {
		return field.Compare(estimate, truths[0], 1, nil)
	},
	figures: func(p [][]field.Errors) []float64 {
		e := pool(p, 0)
		return []float64{e.EPE(), e.Percent(e.Over1), e.Fl()}
	},
}

// chairsList is the data set's own list: a line for each pair, 1 for training and 2 for validation.
const chairsList = "FlyingChairs_train_val.txt"

func chairsPairs(o *Options) ([]pair, error) {
	folder := firstFolder(filepath.Join(o.Root, "data"), o.Root)
	truths, err := filepath.Glob(filepath.Join(folder, "*_flow.flo"))
	if err != nil {
		return nil, err
	}
	want := ""
	switch o.Split {
	case "", "all":
	case "train":
		want = "1"
	case "val":
		want = "2"
	default:
		return nil, fmt.Errorf("split %q: give train, val or all", o.Split)
	}
	var marks []string
	if want != "" {
		list, err := os.ReadFile(filepath.Join(o.Root, chairsList))
		if err != nil {
			return nil, err
		}
		if marks = strings.Fields(string(list)); len(marks) != len(truths) {
			return nil, fmt.Errorf("%s: it has %d lines for %d flows", filepath.Join(o.Root, chairsList), len(marks), len(truths))
		}
	}
	var pairs []pair
	for i, truth := range truths {
		if want != "" && marks[i] != want {
			if marks[i] != "1" && marks[i] != "2" {
				return nil, fmt.Errorf("%s: %w", filepath.Join(o.Root, chairsList), errors.New("a line is neither 1 nor 2"))
			}
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
