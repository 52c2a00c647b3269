// Package pipeline turns a video into its optical flow.
//
//	decode -> pair -> estimate -> export, paint -> encode
//
// Run does all of it and writes a flow video. Fields stops after the network and gives the flow fields to the caller.
// Memory does not grow with the length of the video.
//
// Networks are opened for each call from Options.Network. A caller with several videos opens them once with
// OpenNetworks and sets Options.Networks.
package pipeline

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/wwflow/wwflow/consistency"
	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/internal/errkind"
	"github.com/wwflow/wwflow/internal/pathname"
	"github.com/wwflow/wwflow/visualize"
)

// Options says what to do. Input and, for Run, Output are needed; the zero value of everything else is usable.
type Options struct {
	Input  string // video file, folder of images, pipe, or "-" for standard input, as decode.Open takes it
	Output string // video file, folder for PNG images, or "-" for standard output, as encode.Create takes it

	Step          int     // flow from frame i to frame i+Step; 0 = 1
	Backward      bool    // flow from the later frame of a pair to the earlier one
	Cuts          bool    // find hard scene cuts (pairing.CutScore) and make their flow unknown
	Both          bool    // estimate both directions and set Field.Reverse and Field.Visibility; what needs them implies it
	DropOccluded  bool    // make the flow of occluded pixels unknown
	MinConfidence float64 // flow with a lower confidence becomes unknown; 0 = none, at most 1

	Consistency consistency.Thresholds // of the check of both directions; zero = consistency.Default

	Decode  decode.Options
	Paint   visualize.Options // MaxFlow 0 = one scale for the whole video, chosen from a few sample pairs
	Encode  encode.Options    // size, time stamps and copied streams are set from the input
	Exports []Export          // flow files to write besides
	Stats   string            // file of the motion statistics of each pair to write besides (.csv, .json, .jsonl); "" = none
	Measure bool              // measure the motion of the video: Result.Motion; Stats implies it
	Sample  int               // of Fields and Statistics: only each Sample-th pair; 0 = 1

	Network  flow.Options // the networks to open; Device may name several devices: "cuda:0,cuda:1"
	Networks Networks     // open networks to use instead; they stay open

	Events Events
}

// Export is a folder of flow files, one for each field. A file is named by the number of its frame, such as 000012.flo.
type Export struct {
	Format flowfile.Format // one of ExportFormats
	Dir    string
	For    flowfile.Target // of EXR: the program that the files are for; both directions, implies Both; empty = flow files
	Bound  float64         // of JPEG: length in pixels of the extreme values; 0 = 20
}

// Kinds of errors: errors.Is(err, ErrInput) says that the input has to change.
var (
	ErrInput  = errkind.ErrInput
	ErrOutput = errkind.ErrOutput
)

// Errors that a caller may want to tell apart, besides those of the stages' packages.
var (
	ErrOptions      = errors.New("invalid options")
	ErrSame         = errors.New("the output is the input")
	ErrNotEmpty     = errors.New("the folder is not empty")
	ErrSharedFolder = errors.New("images and flow files would share one folder")
	ErrTooShort     = errors.New("too few to make a pair")
	ErrNoConfidence = errors.New("the network gives no confidence")
	ErrPipe         = errors.New("it came through a pipe, and pipes cannot seek")
)

// withDefaults returns the options with their defaults filled in, or an error that matches ErrOptions.
func (o Options) withDefaults() (Options, error) {
	if o.Step == 0 {
		o.Step = 1
	}
	if o.Sample == 0 {
		o.Sample = 1
	}
	if o.Paint.Style == "" {
		o.Paint.Style = visualize.Flow
	}
	switch {
	case o.Input == "":
		return o, fmt.Errorf("%w: no input is named", ErrOptions)
	case o.Step < 1:
		return o, fmt.Errorf("%w: step %d is below 1", ErrOptions, o.Step)
	case o.Sample < 1:
		return o, fmt.Errorf("%w: sample %d is below 1", ErrOptions, o.Sample)
	case !(o.MinConfidence >= 0) || o.MinConfidence > 1:
		return o, fmt.Errorf("%w: minimum confidence %v is not between 0 and 1", ErrOptions, o.MinConfidence)
	}
	if t := o.Consistency; !(t.Relative >= 0) || !(t.Absolute >= 0) {
		return o, fmt.Errorf("%w: the thresholds of the consistency check, %v and %v, must not be negative", ErrOptions, t.Relative, t.Absolute)
	}
	o.Measure = o.Measure || o.Stats != ""
	both := slices.ContainsFunc(o.Exports, func(e Export) bool { return e.Format == Mask || e.Format == STMap || e.For != "" })
	o.Both = o.Both || o.DropOccluded || o.Paint.Style == visualize.Occlusion || both
	for _, e := range o.Exports {
		if e.For == "" {
			continue
		}
		if _, err := flowfile.ParseTarget(string(e.For)); err != nil {
			return o, fmt.Errorf("%w: %w", ErrOptions, err)
		}
		if e.Format != flowfile.EXR || o.Backward {
			return o, fmt.Errorf("%w: files for %s are EXR files with both directions, so that neither another format nor backward flow is possible", ErrOptions, e.For)
		}
	}
	for _, e := range o.Exports {
		if !(e.Bound >= 0) {
			return o, fmt.Errorf("%w: bound %v is below 0", ErrOptions, e.Bound)
		}
	}
	if _, err := visualize.ParseStyle(string(o.Paint.Style)); err != nil {
		return o, err
	}
	return o, nil
}

// Check returns the errors of Run that can be found without reading the input: invalid options, an output that is the
// input or exists, codecs and containers that do not fit.
func (o Options) Check() error {
	o, err := o.withDefaults()
	if err != nil {
		return err
	}
	return errkind.Mark(ErrOutput, o.checkOutput())
}

// checkOutput finds what would make the run fail at its first image or, worse, destroy the input: before any work is done.
func (o Options) checkOutput() error {
	if o.Output == "" {
		return fmt.Errorf("%w: no output is named", ErrOptions)
	}
	if o.Output != stdio && sameFile(o.Input, o.Output) {
		return fmt.Errorf("%w: %s", ErrSame, o.Output)
	}
	if folder := filepath.Dir(filepath.Clean(o.Output)); !pathname.IsFolder(folder) {
		return fmt.Errorf("cannot write %s: the folder %s does not exist; create it first", o.Output, folder)
	}
	if o.Sample > 1 {
		return fmt.Errorf("%w: a video takes all pairs, not each %dth one", ErrOptions, o.Sample)
	}
	if err := encode.Check(o.Output, o.Encode); err != nil {
		return err
	}
	if err := o.checkStats(); err != nil {
		return err
	}
	for i, e := range o.Exports {
		for _, other := range o.Exports[:i] {
			if filepath.Clean(e.Dir) == filepath.Clean(other.Dir) && e.fileName() == other.fileName() {
				return fmt.Errorf("%w: the files of %s and %s would have the same names in %s; give each a folder", ErrOptions, other.Format, e.Format, e.Dir)
			}
		}
		if filepath.Clean(e.Dir) == filepath.Clean(o.Output) || sameFile(e.Dir, o.Output) {
			return fmt.Errorf("%w: %s", ErrSharedFolder, e.Dir)
		}
		if sameFile(o.Input, e.Dir) {
			return fmt.Errorf("%w: %s", ErrSame, e.Dir)
		}
		if entries, err := os.ReadDir(e.Dir); err == nil && len(entries) > 0 && !o.Encode.Force {
			return fmt.Errorf("%w: %s", ErrNotEmpty, e.Dir)
		}
		if err := checkWritable(e.Dir); err != nil {
			return fmt.Errorf("cannot write %s: %w", e.Dir, err)
		}
	}
	return nil
}

// checkWritable returns an error if files cannot be created in a folder, which need not exist yet.
func checkWritable(folder string) error {
	err := unix.Access(folder, unix.W_OK|unix.X_OK)
	for errors.Is(err, fs.ErrNotExist) && folder != filepath.Dir(folder) {
		folder = filepath.Dir(folder)
		err = unix.Access(folder, unix.W_OK|unix.X_OK)
	}
	if err == nil && !pathname.IsFolder(folder) {
		return syscall.ENOTDIR
	}
	return err
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// sameFile reports whether two names lead to one file, links included.
func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// stdio is the name of standard input and standard output.
const stdio = pathname.Stdio
