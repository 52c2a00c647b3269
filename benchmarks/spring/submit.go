package spring

import (
	"context"
	"errors"
	"fmt"
	"image/png"
	"math"
	"os"
	"path/filepath"

	"github.com/wwflow/wwflow/benchmarks/internal/evaluate"
	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/internal/picture"
)

// TestFlows is the number of flows in a submission: forward and backward, left and right, for the 1,000 frames of ten
// sequences.
const TestFlows = 3960

// ErrIncomplete is returned for a submission with missing or invalid files.
var ErrIncomplete = errors.New("the submission is not complete")

// maxFloat16 is the largest float16 number. The site stores submissions in float16.
const maxFloat16 = 65504

// Submit writes the flow of all frames of the test split below out, as <sequence>/flow_<FW|BW>_<left|right>/*.flo5, and
// checks that the tree is complete. Valid files that exist already are kept, so an interrupted run can resume. It returns
// the number of flows. The official rule needs dense flow: unknown flow is ErrIncomplete.
func Submit(ctx context.Context, o Options, out string) (int, error) {
	o.Split, o.Direction, o.Camera = "test", "", ""
	if err := evaluate.CheckSource(o.FlowDir, o.Estimate); err != nil {
		return 0, err
	}
	flows, err := o.Flows()
	if err != nil {
		return 0, err
	}
	s := &submission{Options: o, out: out, flows: flows}
	loop := evaluate.Loop{Estimate: o.Estimate, Workers: workers(), Done: s.written, Score: s.write, Progress: o.Progress}
	for _, f := range flows {
		loop.Pairs = append(loop.Pairs, o.pair(f, o.FlowDir))
	}
	if err := loop.Run(ctx); err != nil {
		return 0, err
	}
	return len(flows), s.check()
}

type submission struct {
	Options
	out   string
	flows []Flow
}

// written returns whether a valid file of a flow exists.
func (s *submission) written(i int) (bool, error) {
	width, height, err := s.size(s.flows[i])
	if err != nil {
		return false, err
	}
	path := s.flows[i].file(s.out)
	if _, err := os.Stat(path); err != nil {
		return false, nil
	}
	f, err := flowfile.Read(path)
	return err == nil && checkSubmitted(f, width, height) == nil, nil
}

// write writes the file of a flow.
func (s *submission) write(i int, flow evaluate.Flow) error {
	width, height, err := s.size(s.flows[i])
	if err != nil {
		return err
	}
	if err := checkSubmitted(flow.Field, width, height); err != nil {
		return fmt.Errorf("%s: %w", flow.From, err)
	}
	path := s.flows[i].file(s.out)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return outputError(err)
	}
	return outputError(flowfile.Write(path, flow.Field))
}

// check returns an error if a file is missing.
func (s *submission) check() error {
	missing, first := 0, ""
	for _, f := range s.flows {
		if _, err := os.Stat(f.file(s.out)); err != nil {
			if missing++; missing == 1 {
				first = f.file(s.out)
			}
		}
	}
	if missing > 0 {
		return fmt.Errorf("%w: %d of %d files are missing, the first: %s", ErrIncomplete, missing, len(s.flows), first)
	}
	return nil
}

// size returns the size of the frame that a flow starts from.
func (s *submission) size(f Flow) (width, height int, err error) {
	path := f.picture(s.folder(), f.Frame)
	file, err := os.Open(path)
	if err != nil {
		return 0, 0, err
	}
	c, err := png.DecodeConfig(file)
	if err = errors.Join(err, file.Close()); err != nil {
		return 0, 0, fmt.Errorf("%s: %w: %w", path, picture.ErrFormat, err)
	}
	return c.Width, c.Height, nil
}

// checkSubmitted returns an error for flow that the site would refuse or store as infinite.
func checkSubmitted(f *field.Field, width, height int) error {
	if f.Width != width || f.Height != height {
		return fmt.Errorf("%w: it is %dx%d, its frame %dx%d", field.ErrSizes, f.Width, f.Height, width, height)
	}
	for i, v := range f.Vectors {
		if !(math.Abs(float64(v)) <= maxFloat16) {
			return fmt.Errorf("%w: the flow in column %d, row %d is %v; a submission needs a number of at most %d in every pixel",
				ErrIncomplete, i/2%width, i/2/width, v, maxFloat16)
		}
	}
	return nil
}
