// Package spring scores optical flow on the Spring benchmark (Mehl et al., CVPR 2023) by the rule of its server, and
// writes the files of a submission.
//
// The ground truth has four samples for each Full-HD pixel. The endpoint error of a pixel is the smallest of the errors
// to its four samples; a pixel with an unknown sample is left out. All figures are pooled over pixels. Many public
// evaluation codes use one of the four samples instead: their figures are not comparable.
//
// Every file that the layout of the data set requires must exist and be valid; otherwise the error names the file.
package spring

import (
	"github.com/wwflow/wwflow/benchmarks/internal/evaluate"
)

// Estimator returns the flow from frame a to frame b, in pixels, at the size of a. It is called from one goroutine at a
// time. Consecutive calls often share frames, which are then the same pointers, so features can be reused.
type Estimator = evaluate.Estimator

// OptionError is the error for an option that has an invalid value.
type OptionError = evaluate.OptionError

// rule describes the measure, as each report states it.
const rule = "least endpoint error of the four ground-truth samples of a Full-HD pixel, pooled over pixels"

// ruleOf returns the description of the measure in the number format of the server (float16) or in float64. The rule of
// the server needs dense flow: where flow is unknown, the report must not call itself official.
func ruleOf(float16, dense bool) string {
	text := "official: " + rule
	if !dense {
		text = "not official, because pixels of unknown flow are left out: " + rule
	}
	if float16 {
		text += ", flow and differences in float16 as on the server"
	}
	return text
}
