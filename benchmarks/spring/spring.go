// Package spring measures optical flow on the Spring benchmark (Mehl et al., CVPR 2023) by the rule of its own server,
// and writes the tree of files that a submission is made from.
//
// The ground truth has four samples for each Full-HD pixel. A pixel's endpoint error is the least of those to its
// four samples, and a pixel with an unknown one among them is left out. Many public codes take one of the four
// instead: their figures can't be compared with these. All figures are pooled over pixels.
//
// It promises that nothing is left out silently: each file that the data set's layout asks for is there and is right,
// or the error names it.
package spring

import (
	"context"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
)

// Estimator gives the flow from a to b, of their size. It is called from one goroutine at a time. Consecutive calls often
// share frames, which are then the same pointers: features of the frames of the last call are worth keeping.
type Estimator func(ctx context.Context, a, b *frame.Frame) (*field.Field, error)

// Rule names the measure, as each report does.
const Rule = "official: least endpoint error of the four ground-truth samples of a Full-HD pixel, pooled over pixels"

// Rule16 names the same in the server's number format.
const Rule16 = Rule + ", flow and differences in float16 as on the server"
