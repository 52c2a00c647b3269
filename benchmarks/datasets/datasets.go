// Package datasets scores optical flow on MPI-Sintel, KITTI 2012 and 2015, Middlebury and FlyingChairs, each in its own
// layout on disk and by its own measures.
//
// Every file that a layout requires must exist and be valid; otherwise the error names the file. Pixels whose flow is
// unknown are not scored, and the report then states the density.
package datasets

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/wwflow/wwflow/benchmarks/internal/evaluate"
	"github.com/wwflow/wwflow/field"
)

// Estimator returns the flow from frame a to frame b, in pixels, at the size of a. It is called from one goroutine at a
// time. Consecutive calls often share frames, which are then the same pointers, so features can be reused.
type Estimator = evaluate.Estimator

// OptionError is the error for an option that has an invalid value or does not apply to the data set.
type OptionError = evaluate.OptionError

// Options of an evaluation. Exactly one of FlowDir and Estimate is set.
type Options struct {
	Dataset  string    // one of Names
	Root     string    // folder of the data set
	FlowDir  string    // folder of flow files, named as Layout describes, in any format of package flowfile
	Estimate Estimator // returns the flow
	Source   string    // names Estimate in the report: the network, its input size and device
	Pass     string    // Sintel only: "clean", "final" or "both"; "" is "both"
	Split    string    // FlyingChairs only: "train", "val" or "all"; "" is "all"
	Progress func(done, total int)
}

// dataset describes a data set: its layout and its measures.
type dataset struct {
	name, title string
	layout      string // of the data set and of the flow files, for people
	rule        string // the measures, for people
	hasPasses   bool   // the option Pass applies
	hasSplits   bool   // the option Split applies
	extension   string // of a flow file
	pairs       func(o *Options) ([]pair, error)
	columns     []string
	showPairs   bool // the table always has a row for each pair

	// measure returns the errors of a pair, one element for each class of pixels.
	measure func(estimate *field.Field, truths []*field.Field, masks [][]bool) ([]field.Errors, error)
	// classes lists the classes that together are all pixels with ground truth.
	classes []int
	// figures returns a row of the table, one element for each column, for a set of pairs.
	figures func(pairs [][]field.Errors) []float64
}

// pair is a pair of frames whose flow is scored.
type pair struct {
	name          string   // path of the flow file below FlowDir, without its extension
	row           string   // the row of the table that it belongs to
	first, second string   // paths of the frames
	truths        []string // paths of the ground truths
	masks         []string // paths of pictures; "" = there is none
}

var all = []*dataset{&sintel, &kitti2012, &kitti2015, &middlebury, &chairs}

// Names lists the data sets.
func Names() []string {
	var names []string
	for _, d := range all {
		names = append(names, d.name)
	}
	return names
}

// Layout describes how the files of each data set and the flow files for it are named, one line for each data set.
func Layout() string {
	var s strings.Builder
	for _, d := range all {
		fmt.Fprintf(&s, "%-11s %s\n", d.name, d.layout)
	}
	return s.String()
}

func find(name string) (*dataset, error) {
	for _, d := range all {
		if d.name == name {
			return d, nil
		}
	}
	return nil, evaluate.BadOption("no data set %q: choose one of %s", name, strings.Join(Names(), ", "))
}

// Check returns an error if an option is invalid or a file is missing, so that a command can fail before it loads a network.
// Options.Estimate need not be set.
func Check(o Options) error {
	_, _, err := prepare(&o)
	return err
}

// prepare checks the options and lists the pairs, whose files all exist.
func prepare(o *Options) (*dataset, []pair, error) {
	d, err := find(o.Dataset)
	if err != nil {
		return nil, nil, err
	}
	if o.Pass != "" && !d.hasPasses {
		return nil, nil, evaluate.BadOption("pass %q: %s has no passes; the option is for sintel", o.Pass, d.title)
	}
	if o.Split != "" && !d.hasSplits {
		return nil, nil, evaluate.BadOption("split %q: %s has no splits; the option is for chairs", o.Split, d.title)
	}
	pairs, err := d.pairs(o)
	if err != nil {
		return nil, nil, err
	}
	if len(pairs) == 0 {
		return nil, nil, fmt.Errorf("%s: no pair of %s is there: %w: the layout is %s", o.Root, d.title, fs.ErrNotExist, d.layout)
	}
	return d, pairs, evaluate.CheckFiles(d.evaluationPairs(pairs, o.FlowDir))
}

// evaluationPairs returns the pairs as package evaluate needs them.
func (d *dataset) evaluationPairs(pairs []pair, flowDir string) []evaluate.Pair {
	var out []evaluate.Pair
	for _, p := range pairs {
		e := evaluate.Pair{Name: p.name, First: p.first, Second: p.second, Inputs: append([]string(nil), p.truths...)}
		for _, mask := range p.masks {
			if mask != "" {
				e.Inputs = append(e.Inputs, mask)
			}
		}
		if flowDir != "" {
			e.FlowFiles = []string{filepath.Join(flowDir, p.name+d.extension)}
		}
		out = append(out, e)
	}
	return out
}
