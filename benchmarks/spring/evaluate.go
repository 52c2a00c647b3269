package spring

import (
	"context"
	"errors"
	"fmt"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"github.com/wwflow/wwflow/benchmarks/internal/evaluate"
	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/internal/atomicfile"
)

// Options of an evaluation or a submission. Exactly one of FlowDir and Estimate is set.
type Options struct {
	Selection
	FlowDir   string    // folder of flow files in the layout of a submission, in any format of package flowfile
	Estimate  Estimator // returns the flows
	Source    string    // names Estimate in the report and the journal: the network, its input size and device
	Float16   bool      // compute in float16, as the server does
	ErrorMaps string    // folder for a picture of the errors of each flow; "" = none
	Journal   string    // file that keeps the result of each flow, so that an interrupted evaluation can resume; "" = none
	Progress  func(done, total int)
}

// ErrOutput is wrapped by the errors about a file that cannot be written: an error picture, the journal, a submission.
var ErrOutput = errors.New("cannot write")

func outputError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrOutput, err)
}

// maxWorkers limits the memory: each worker holds a 4K ground truth (66 MB) and its maps.
const maxWorkers = 4

func workers() int { return min(maxWorkers, runtime.GOMAXPROCS(0)) }

// Evaluate scores the selected flows. Its memory does not grow with their number: up to four flows are scored at a time
// while the Estimator computes the next one.
func Evaluate(ctx context.Context, o Options) (*Report, error) {
	if o.Split == "test" {
		return nil, evaluate.BadOption("split test has no public ground truth: score train or its sequences, and use submit for test")
	}
	if err := evaluate.CheckSource(o.FlowDir, o.Estimate); err != nil {
		return nil, err
	}
	e, err := newEvaluation(o)
	if err != nil {
		return nil, err
	}
	loop := evaluate.Loop{Pairs: e.pairs, Estimate: o.Estimate, Workers: workers(), Done: e.resume, Score: e.score, Progress: o.Progress}
	if err := errors.Join(loop.Run(ctx), outputError(e.journal.close())); err != nil {
		return nil, err
	}
	return newReport(o, e.flows, e.results), nil
}

// evaluation is the state of one call of Evaluate. The slices have an element for each flow.
type evaluation struct {
	Options
	journal *journal
	flows   []Flow
	pairs   []evaluate.Pair
	stamps  []string // change when the flow file changes; empty without one
	results []Tallies
}

// newEvaluation lists the flows, checks that all their files exist, and opens the journal.
func newEvaluation(o Options) (*evaluation, error) {
	flows, err := o.Flows()
	if err != nil {
		return nil, err
	}
	e := &evaluation{Options: o, flows: flows, stamps: make([]string, len(flows)), results: make([]Tallies, len(flows))}
	for _, f := range flows {
		p := o.pair(f, o.FlowDir)
		p.Inputs = o.inputs(f)
		e.pairs = append(e.pairs, p)
	}
	if err := evaluate.CheckFiles(e.pairs); err != nil {
		return nil, err
	}
	source := o.Source
	if o.FlowDir != "" {
		for i, p := range e.pairs {
			if e.stamps[i], err = stampOf(p); err != nil {
				return nil, err
			}
		}
		if source, err = filepath.Abs(o.FlowDir); err != nil {
			return nil, err
		}
	}
	e.journal, err = openJournal(o.Journal, journalHead{Root: o.Root, Source: source, Float16: o.Float16})
	return e, err
}

// stampOf returns the size and the modification time of a flow file.
func stampOf(p evaluate.Pair) (string, error) {
	path, err := p.FlowFile()
	if err != nil {
		return "", err
	}
	stat, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	return strconv.FormatInt(stat.Size(), 10) + " " + stat.ModTime().UTC().Format("2006-01-02T15:04:05.999999999"), nil
}

// resume takes the result of a flow from the journal, if it is there and the error picture exists too.
func (e *evaluation) resume(i int) (bool, error) {
	tallies, ok := e.journal.find(e.flows[i].Name(), e.stamps[i])
	if !ok {
		return false, nil
	}
	if e.ErrorMaps != "" {
		if _, err := os.Stat(e.errorMap(e.flows[i])); err != nil {
			return false, nil
		}
	}
	e.results[i] = tallies
	return true, nil
}

// score scores one flow and keeps the result.
func (e *evaluation) score(i int, flow evaluate.Flow) error {
	f := e.flows[i]
	truth, err := e.readTruth(f, flow)
	if err != nil {
		return err
	}
	class, err := e.readClasses(f, flow.Width, flow.Height)
	if err != nil {
		return err
	}
	var errs []float32
	if e.ErrorMaps != "" {
		errs = make([]float32, len(class))
	}
	if e.results[i], err = score(flow.Field, truth, class, e.Float16, errs); err != nil {
		return fmt.Errorf("%s: %w", flow.From, err)
	}
	if errs != nil {
		if err := writeErrorMap(e.errorMap(f), errs, flow.Width); err != nil {
			return outputError(err)
		}
	}
	return outputError(e.journal.add(f.Name(), e.stamps[i], &e.results[i]))
}

// readTruth reads the ground truth of a flow and checks that it has four samples for each pixel of the estimate.
func (e *evaluation) readTruth(f Flow, estimate evaluate.Flow) (*field.Field, error) {
	path := f.file(e.folder())
	truth, err := flowfile.Read(path)
	if err != nil {
		return nil, err
	}
	if truth.Width%2 != 0 || truth.Height%2 != 0 {
		return nil, fmt.Errorf("%s: %w: it is %dx%d, and four samples for each pixel need even sides", path, field.ErrSizes, truth.Width, truth.Height)
	}
	if truth.Width != 2*estimate.Width || truth.Height != 2*estimate.Height {
		return nil, fmt.Errorf("%s: %w: it is %dx%d; the ground truth %s is %dx%d, and the flow must have half of its width and height",
			estimate.From, field.ErrSizes, estimate.Width, estimate.Height, path, truth.Width, truth.Height)
	}
	return truth, nil
}

func (e *evaluation) errorMap(f Flow) string { return filepath.Join(e.ErrorMaps, f.Name()+".png") }

func writeErrorMap(path string, errs []float32, width int) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return atomicfile.WriteTo(path, func(w io.Writer) error {
		return (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(w, errorPicture(errs, width))
	})
}
