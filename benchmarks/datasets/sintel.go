package datasets

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/wwflow/wwflow/field"
)

// MPI-Sintel (Butler et al., 2012). A pixel is unmatched where the next frame doesn't show it (occlusions); speeds are
// those of the truth.
var sintel = dataset{
	name: "sintel", title: "MPI-Sintel",
	layout:  "ROOT/training/{clean,final,flow,occlusions,invalid}/alley_1/frame_0001.*; flow: clean/alley_1/frame_0001.flo",
	rule:    "mean endpoint error in pixels, pooled over pixels; pixels marked invalid are left out",
	pairs:   sintelPairs,
	columns: []string{"EPE all", "EPE matched", "EPE unmatched", "EPE s0-10", "EPE s10-40", "EPE s40+"},
	measure: sintelMeasure,
	figures: func(p [][]field.Errors) []float64 {
		return []float64{
			pool(p, 0, 1, 2, 3, 4, 5).EPE(), pool(p, 0, 1, 2).EPE(), pool(p, 3, 4, 5).EPE(),
			pool(p, 0, 3).EPE(), pool(p, 1, 4).EPE(), pool(p, 2, 5).EPE(),
		}
	},
}

// sintelMeasure has a class for each speed, three for matched pixels and three for others. The masks are those of occluded
// and of invalid pixels.
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
	passes := []string{"clean", "final"}
	switch o.Pass {
	case "", "both":
	case "clean", "final":
		passes = []string{o.Pass}
	default:
		return nil, fmt.Errorf("pass %q: give clean, final or both", o.Pass)
	}
	root := firstFolder(filepath.Join(o.Root, "training"), o.Root)
	scenes, err := folders(filepath.Join(root, "flow"))
	if err != nil {
		return nil, err
	}
	// The masks of invalid pixels are a part of their own of the data set.
	_, err = os.Stat(filepath.Join(root, "invalid"))
	hasInvalid := err == nil
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
