package spring

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flowfile"
)

// TestFlows is how many flows a submission for optical flow has: forwards and backwards, left and right, of the 1,000
// frames of ten sequences.
const TestFlows = 3960

// ErrIncomplete is returned for a submission that lacks files or has wrong ones.
var ErrIncomplete = errors.New("the submission is not complete")

// largest16 is the largest number of float16, in which the site keeps a submission.
const largest16 = 65504

// Submit writes the flow of all frames of the test split under out, for each <sequence>/flow_<FW|BW>_<left|right>/ as
// .flo5, and then checks what is there. Flows that are there already and right are kept, so a run that was ended goes on.
// It returns how many flows there are. The flow comes from o.Estimate or o.FlowDir.
func Submit(ctx context.Context, o Options, out string) (int, error) {
	o.Split, o.Direction, o.Camera = "test", "", ""
	if (o.FlowDir == "") == (o.Estimate == nil) {
		panic("spring: give either FlowDir or Estimate")
	}
	flows, err := o.Flows()
	if err != nil {
		return 0, err
	}
	e := &evaluation{Options: o, total: len(flows)}
	var kept pictures
	for _, f := range flows {
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		path := f.truth(out) // where the ground truth would be
		width, height, err := o.size(&kept, f)
		if err != nil {
			return 0, err
		}
		if checkFile(path, width, height) == nil {
			e.progress()
			continue
		}
		var estimate *field.Field
		from := "flow of the network for " + f.Name()
		if o.FlowDir != "" {
			if from, err = o.estimateFile(o.FlowDir, f); err != nil {
				return 0, err
			}
			estimate, err = flowfile.Read(from)
		} else {
			estimate, err = e.estimate(ctx, &kept, f)
		}
		if err != nil {
			return 0, err
		}
		if err := checkSubmitted(estimate, width, height); err != nil {
			return 0, fmt.Errorf("%s: %w", from, err)
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return 0, unwritten(err)
		}
		if err := flowfile.Write(path, estimate); err != nil {
			return 0, unwritten(err)
		}
		e.progress()
	}
	return len(flows), o.checkTree(flows, out)
}

// size is that of the frame that a flow starts from.
func (o *Options) size(kept *pictures, f Flow) (width, height int, err error) {
	p, err := kept.read(f.picture(o.folder(), f.Frame))
	if err != nil {
		return 0, 0, err
	}
	return p.Width, p.Height, nil
}

// checkTree makes sure that each flow has its file.
func (o *Options) checkTree(flows []Flow, out string) error {
	var missing []string
	for _, f := range flows {
		if _, err := os.Stat(f.truth(out)); err != nil {
			missing = append(missing, f.truth(out))
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("%w: %d of %d files are missing, the first: %s", ErrIncomplete, len(missing), len(flows), missing[0])
	}
	return nil
}

func checkFile(path string, width, height int) error {
	if _, err := os.Stat(path); err != nil {
		return err
	}
	f, err := flowfile.Read(path)
	if err != nil {
		return err
	}
	return checkSubmitted(f, width, height)
}

// checkSubmitted refuses what the site refuses, or would take for infinite.
func checkSubmitted(f *field.Field, width, height int) error {
	if f.Width != width || f.Height != height {
		return fmt.Errorf("%w: it is %dx%d, its frame %dx%d", ErrSize, f.Width, f.Height, width, height)
	}
	for i, v := range f.Vectors {
		if !(math.Abs(float64(v)) <= largest16) {
			return fmt.Errorf("%w: its flow in column %d, row %d is %v, and a submission has a number of at most %d everywhere",
				ErrIncomplete, i/2%width, i/2/width, v, largest16)
		}
	}
	return nil
}
