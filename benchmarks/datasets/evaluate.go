package datasets

import (
	"context"
	"fmt"
	"math"
	"runtime"

	"github.com/wwflow/wwflow/benchmarks/internal/evaluate"
	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/internal/picture"
)

// Evaluate scores all pairs of a data set. Its memory does not grow with their number.
func Evaluate(ctx context.Context, o Options) (*Report, error) {
	if err := evaluate.CheckSource(o.FlowDir, o.Estimate); err != nil {
		return nil, err
	}
	d, pairs, err := prepare(&o)
	if err != nil {
		return nil, err
	}
	results := make([][]field.Errors, len(pairs))
	loop := evaluate.Loop{
		Pairs: d.evaluationPairs(pairs, o.FlowDir), Estimate: o.Estimate, Workers: runtime.GOMAXPROCS(0), Progress: o.Progress,
		Score: func(i int, flow evaluate.Flow) (err error) {
			results[i], err = d.score(pairs[i], flow)
			return err
		},
	}
	if err := loop.Run(ctx); err != nil {
		return nil, err
	}
	return d.report(&o, pairs, results), nil
}

// score returns the errors of a pair, one element for each class of pixels.
func (d *dataset) score(p pair, flow evaluate.Flow) ([]field.Errors, error) {
	var truths []*field.Field
	for _, path := range p.truths {
		truth, err := flowfile.Read(path)
		if err != nil {
			return nil, err
		}
		if truth.Width != flow.Width || truth.Height != flow.Height {
			return nil, fmt.Errorf("%s: %w: it is %dx%d, the ground truth %s is %dx%d",
				flow.From, field.ErrSizes, flow.Width, flow.Height, path, truth.Width, truth.Height)
		}
		truths = append(truths, truth)
	}
	var masks [][]bool
	for _, path := range p.masks {
		mask, err := readMask(path, flow.Width, flow.Height)
		if err != nil {
			return nil, err
		}
		masks = append(masks, mask)
	}
	errors, err := d.measure(flow.Field, truths, masks)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flow.From, err)
	}
	return errors, nil
}

// readMask returns for each pixel of a picture whether it is not black. It returns nil for an empty path.
func readMask(path string, width, height int) ([]bool, error) {
	if path == "" {
		return nil, nil
	}
	f, err := picture.Read(path)
	if err != nil {
		return nil, err
	}
	if f.Width != width || f.Height != height {
		return nil, fmt.Errorf("%s: %w: it is %dx%d instead of %dx%d", path, field.ErrSizes, f.Width, f.Height, width, height)
	}
	mask := make([]bool, width*height)
	for i := range mask {
		mask[i] = f.Pix[3*i]|f.Pix[3*i+1]|f.Pix[3*i+2] != 0
	}
	return mask, nil
}

// pool returns the sum of some classes over all pairs.
func pool(pairs [][]field.Errors, classes ...int) field.Errors {
	var sum field.Errors
	for _, p := range pairs {
		for _, c := range classes {
			sum.Add(p[c])
		}
	}
	return sum
}

// meanOf returns the mean over pairs of a figure of one class. Pairs without scored pixels are left out; without any, it is
// NaN.
func meanOf(pairs [][]field.Errors, class int, figure func(field.Errors) float64) float64 {
	sum, n := 0.0, 0
	for _, p := range pairs {
		if p[class].Pixels > 0 {
			sum += figure(p[class])
			n++
		}
	}
	if n == 0 {
		return math.NaN()
	}
	return sum / float64(n)
}
