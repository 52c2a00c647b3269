package datasets

import (
	"path/filepath"

	"github.com/wwflow/wwflow/field"
)

// middlebury is Middlebury (Baker et al., 2011): the mean endpoint and angular error of each sequence, and their mean over
// sequences.
var middlebury = dataset{
	name: "middlebury", title: "Middlebury",
	layout:    "ROOT/{other-data,other-gt-flow}/Dimetrodon/frame10.png, frame11.png, flow10.flo; flow: Dimetrodon/flow10.flo",
	rule:      "AEE: mean endpoint error in pixels; AAE: mean angular error in degrees; the last row is the mean over sequences",
	extension: ".flo",
	showPairs: true,
	pairs:     middleburyPairs,
	columns:   []string{"AEE", "AAE"},
	measure: func(estimate *field.Field, truths []*field.Field, _ [][]bool) ([]field.Errors, error) {
		return field.Compare(estimate, truths[0], 1, nil)
	},
	classes: []int{0},
	figures: func(p [][]field.Errors) []float64 {
		return []float64{meanOf(p, 0, field.Errors.EPE), meanOf(p, 0, field.Errors.AAE)}
	},
}

func middleburyPairs(o *Options) ([]pair, error) {
	truths := filepath.Join(o.Root, "other-gt-flow")
	names, err := subfolders(truths)
	if err != nil {
		return nil, err
	}
	frames := firstFolder(filepath.Join(o.Root, "other-data"), filepath.Join(o.Root, "other-color-twoframes"), filepath.Join(o.Root, "other-color-allframes"))
	var pairs []pair
	for _, name := range names {
		pairs = append(pairs, pair{
			name: filepath.Join(name, "flow10"), row: "mean",
			first: filepath.Join(frames, name, "frame10.png"), second: filepath.Join(frames, name, "frame11.png"),
			truths: []string{filepath.Join(truths, name, "flow10.flo")},
		})
	}
	return pairs, nil
}
