package datasets

import (
	"path/filepath"
	"strings"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/internal/pathname"
)

// kitti2012 is KITTI 2012 (Geiger et al.). Its tool averages the figures of the pictures. "noc" are the pixels that the
// second frame shows too; "all" includes those that leave the picture.
var kitti2012 = dataset{
	name: "kitti2012", title: "KITTI 2012",
	layout:    "ROOT/training/{colored_0,flow_occ,flow_noc}/000000_10.png, _11.png; flow: 000000_10.png",
	rule:      "Out: pixels with an error above 3 pixels, and EPE: mean error in pixels, both as the mean over pictures; Fl: above 3 pixels and 5 %, pooled over pixels",
	extension: ".png",
	pairs:     func(o *Options) ([]pair, error) { return kittiPairs(o, false, "colored_0", "image_0", "image_2") },
	columns:   []string{"Out-all %", "Out-noc %", "EPE-all", "EPE-noc", "Fl-all %", "Fl-noc %"},
	measure: func(estimate *field.Field, truths []*field.Field, _ [][]bool) ([]field.Errors, error) {
		return eachTruth(estimate, truths, func(int) int { return 0 }, 1)
	},
	classes: []int{0},
	figures: func(p [][]field.Errors) []float64 {
		out := func(e field.Errors) float64 { return e.Percent(e.Over3) }
		return []float64{
			meanOf(p, 0, out), meanOf(p, 1, out), meanOf(p, 0, field.Errors.EPE), meanOf(p, 1, field.Errors.EPE),
			pool(p, 0).Fl(), pool(p, 1).Fl(),
		}
	},
}

// kitti2015 is KITTI 2015 (Menze and Geiger). "fg" are the pixels on moving cars, according to the object map.
var kitti2015 = dataset{
	name: "kitti2015", title: "KITTI 2015",
	layout:    "ROOT/training/{image_2,flow_occ,flow_noc,obj_map}/000000_10.png, _11.png; flow: 000000_10.png",
	extension: ".png",
	rule:      "Fl: pixels with an error above 3 pixels and above 5 % of the true length; bg, fg: background and cars, of all pixels; EPE in pixels; pooled over pixels",
	pairs:     func(o *Options) ([]pair, error) { return kittiPairs(o, true, "image_2", "colored_0", "image_0") },
	columns:   []string{"Fl-bg %", "Fl-fg %", "Fl-all %", "Fl-noc %", "EPE-all", "EPE-noc"},
	measure: func(estimate *field.Field, truths []*field.Field, masks [][]bool) ([]field.Errors, error) {
		return eachTruth(estimate, truths, func(pixel int) int {
			switch {
			case masks[0] == nil: // there is no object map
				return 2
			case masks[0][pixel]:
				return 1
			}
			return 0
		}, 3)
	},
	classes: []int{0, 1, 2},
	figures: func(p [][]field.Errors) []float64 {
		return []float64{
			pool(p, 0).Fl(), pool(p, 1).Fl(), pool(p, 0, 1, 2).Fl(), pool(p, 3, 4, 5).Fl(), pool(p, 0, 1, 2).EPE(), pool(p, 3, 4, 5).EPE(),
		}
	},
}

// eachTruth returns the classes of errors against the first truth, then those against the second.
func eachTruth(estimate *field.Field, truths []*field.Field, class func(pixel int) int, classes int) ([]field.Errors, error) {
	var out []field.Errors
	for _, truth := range truths {
		e, err := field.Compare(estimate, truth, classes, func(pixel int, _ float64) int { return class(pixel) })
		if err != nil {
			return nil, err
		}
		out = append(out, e...)
	}
	return out, nil
}

// kittiPairs lists the pairs. images are the folders where the frames may be. The folder of object maps may be missing: bg and
// fg then have no figures.
func kittiPairs(o *Options, objects bool, images ...string) ([]pair, error) {
	root := firstFolder(filepath.Join(o.Root, "training"), o.Root)
	names, err := filepath.Glob(filepath.Join(root, "flow_occ", "*_10.png"))
	if err != nil {
		return nil, err
	}
	for i := range images {
		images[i] = filepath.Join(root, images[i])
	}
	folder := firstFolder(images...)
	objects = objects && pathname.IsFolder(filepath.Join(root, "obj_map"))
	var pairs []pair
	for _, truth := range names {
		file := filepath.Base(truth)
		number := strings.TrimSuffix(file, "_10.png")
		p := pair{
			name: number + "_10", row: "training",
			first: filepath.Join(folder, file), second: filepath.Join(folder, number+"_11.png"),
			truths: []string{truth, filepath.Join(root, "flow_noc", file)},
			masks:  []string{""},
		}
		if objects {
			p.masks[0] = filepath.Join(root, "obj_map", file)
		}
		pairs = append(pairs, p)
	}
	return pairs, nil
}
