package datasets

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/wwflow/wwflow/benchmarks/internal/evaluate"
	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/internal/pathname"
)

// sintel is MPI-Sintel (Butler et al., 2012). A pixel is unmatched if the next frame does not show it (occlusions). The
// speeds are those of the ground truth.
var sintel = dataset{
	name: "sintel", title: "MPI-Sintel",
	layout:    "ROOT/training/{clean,final,flow,occlusions,invalid}/alley_1/frame_0001.*; flow: clean/alley_1/frame_0001.flo",
	rule:      "mean endpoint error in pixels, pooled over pixels; pixels marked invalid are left out",
	hasPasses: true,
	extension: ".flo",
	pairs:     sintelPairs,
	columns:   []string{"EPE all", "EPE matched", "EPE unmatched", "EPE s0-10", "EPE s10-40", "EPE s40+"},
	measure:   sintelMeasure,
	classes:   []int{0, 1, 2, 3, 4, 5},
	figures: func(p [][]field.Errors) []float64 {
		return []float64{
			pool(p, 0, 1, 2, 3, 4, 5).EPE(), pool(p, 0, 1, 2).EPE(), pool(p, 3, 4, 5).EPE(),
			pool(p, 0, 3).EPE(), pool(p, 1, 4).EPE(), pool(p, 2, 5).EPE(),
		}
	},
}

// sintelMeasure has three classes of speed for matched pixels and three for unmatched ones. The masks are those of the
// occluded and of the invalid pixels.
func sintelMeasure(estimate *field.Field, truths []*field.Field, masks [][]bool) ([]field.Errors, error) {
	return field.Compare(estimate, truths[0], 6, func(pixel int, length float64) int {
		class := 0
		switch {
		case masks[1] != nil && masks[1][pixel]:
			return -1
		case length >= 40:
			class = 2
		case length >= 10:
			class = 1
		}
		if masks[0][pixel] {
			class += 3
		}
		return class
	})
}

func sintelPairs(o *Options) ([]pair, error) {
	passes, err := evaluate.Choose("pass", o.Pass, "both", "clean", "final")
	if err != nil {
		return nil, err
	}
	root := firstFolder(filepath.Join(o.Root, "training"), o.Root)
	scenes, err := subfolders(filepath.Join(root, "flow"))
	if err != nil {
		return nil, err
	}
	// The masks of invalid pixels are a separate download.
	hasInvalid := pathname.IsFolder(filepath.Join(root, "invalid"))
	var pairs []pair
	for _, pass := range passes {
		for _, scene := range scenes {
			names, err := filepath.Glob(filepath.Join(root, "flow", scene, "frame_*.flo"))
			if err != nil {
				return nil, err
			}
			for i, truth := range names {
				frame := fmt.Sprintf("frame_%04d", i+1)
				if strings.TrimSuffix(filepath.Base(truth), ".flo") != frame {
					return nil, fmt.Errorf("%s: %w", filepath.Join(root, "flow", scene, frame+".flo"), syscall.ENOENT)
				}
				p := pair{
					name: filepath.Join(pass, scene, frame), row: pass,
					first:  filepath.Join(root, pass, scene, frame+".png"),
					second: filepath.Join(root, pass, scene, fmt.Sprintf("frame_%04d.png", i+2)),
					truths: []string{truth},
					masks:  []string{filepath.Join(root, "occlusions", scene, frame+".png"), ""},
				}
				if hasInvalid {
					p.masks[1] = filepath.Join(root, "invalid", scene, frame+".png")
				}
				pairs = append(pairs, p)
			}
		}
	}
	return pairs, nil
}
