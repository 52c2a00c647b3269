package pipeline

import (
	"sync"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/stats"
	"github.com/wwflow/wwflow/visualize"
)

// Events are called as a run proceeds, one at a time, except for Estimated. A nil function is not called.
type Events struct {
	ChoosingScale func()                // sample pairs are about to be estimated for Paint.MaxFlow
	Started       func(Plan)            // the first frame is about to be estimated
	Written       func(done, total int) // done images are written of total; total 0 = unknown
	Estimated     func()                // of Run: the last pair is estimated; Options.Networks are free for another run, while this one writes what is left
}

// Plan is what a run is about to do.
type Plan struct {
	Input     string  `json:"input"`
	Output    string  `json:"output,omitempty"` // absent for Statistics
	Width     int     `json:"width"`            // of the images written, or of the frames where there are none, pixels
	Height    int     `json:"height"`
	Frames    int     `json:"frames,omitempty"` // images to write, or pairs to measure; absent where the input does not say
	Style     string  `json:"style,omitempty"`
	MaxFlow   float64 `json:"max_flow,omitempty"` // pixels; absent where the style shows none
	Network   string  `json:"network"`
	Device    string  `json:"device"`
	Precision string  `json:"precision"`
	Both      bool    `json:"both_directions,omitempty"`
	Detail    float64 `json:"detail"` // of the network
	// The size in pixels at which the network sees the frames.
	NetworkWidth  int      `json:"network_width"`
	NetworkHeight int      `json:"network_height"`
	Notices       []string `json:"notices,omitempty"`
}

// Result is what a run has done.
type Result struct {
	Output  string   `json:"output,omitempty"`     // absent for Statistics
	Frames  int      `json:"frames"`               // images written, or pairs measured
	New     int      `json:"frames_new,omitempty"` // of Retime: images that were made between two frames of the input
	Read    int      `json:"frames_read"`
	Damaged int      `json:"frames_damaged"` // frames skipped because they could not be decoded
	Cuts    int      `json:"scene_cuts,omitempty"`
	Seconds float64  `json:"seconds"`
	Notices []string `json:"notices,omitempty"`

	DamagedFrames []decode.DamagedFrame `json:"damaged_frames,omitempty"`
	// Gaps are the numbers of the frames whose flow is unknown because a damaged frame lies between them and their
	// partner, in order.
	Gaps []int `json:"gaps,omitempty"`
	// Unconfident is the share of the pixels, 0 to 1, whose confidence is below LowConfidence. It is 0 with MinConfidence.
	Unconfident float64 `json:"unconfident_share,omitempty"`
	// Shares of the pixels, 0 to 1, that are occluded and that leave the frame. They are 0 without Both.
	Occluded float64 `json:"occluded_share,omitempty"`
	Outside  float64 `json:"outside_share,omitempty"`

	Motion *stats.Video `json:"motion,omitempty"` // of Statistics, and with Options.Measure
}

// LowConfidence is the confidence below which a pixel counts as unconfident: an expected error of 2.3 pixels.
const LowConfidence = 0.3

// plan says what the run is about to do.
func (r *run) plan(painter *visualize.Painter) Plan {
	p := r.work()
	p.Output, p.Style, p.MaxFlow = r.Output, string(r.Paint.Style), r.Paint.MaxFlow
	p.Width, p.Height = painter.Size(r.info.Width, r.info.Height)
	e := r.Encode
	e.Width, e.Height = p.Width, p.Height
	if width, height, err := encode.Size(r.Output, e); err == nil {
		p.Width, p.Height = width, height // odd sides may grow by one pixel
	}
	p.notice(r.stream && r.info.Audio+r.info.Subtitles > 0, "audio and subtitles are not copied from a pipe, which can be read only once")
	p.notice(r.Paint.Legend && !painter.LegendFits(p.Width, p.Height), "the images are too small for a legend")
	return p
}

// work is the plan without an output.
func (r *run) work() Plan {
	p := Plan{Input: r.Input, Width: r.info.Width, Height: r.info.Height, Frames: r.total(),
		Network: r.networks.Name(), Device: r.networks.Devices(), Precision: r.networks.Precision(),
		Both: r.Both, Detail: r.networks[0].model.Detail()}
	p.NetworkWidth, p.NetworkHeight = r.networks.InputSize(r.info.Width, r.info.Height)
	p.notice(r.info.InSoftware != "", "decoded in software; "+r.info.InSoftware)
	if skipped := r.networks[0].model.SkippedGPU(); skipped != nil {
		p.notice(true, "not on the GPU: "+skipped.Error())
	}
	return p
}

func (p *Plan) notice(yes bool, text string) {
	if yes {
		p.Notices = append(p.Notices, text)
	}
}

// total is the number of images that will be written, as far as is known now; 0 = unknown.
func (r *run) total() int {
	if !r.info.FramesExact {
		return 0
	}
	first, end := 0, r.info.Frames-r.Step // of the pairs
	if r.section != nil {
		if first = r.section.First; r.section.End > 0 {
			end = min(end, r.section.End)
		}
	}
	return (max(0, end-first-int(r.damaged.Load())) + r.Sample - 1) / r.Sample
}

// tally counts what a run reports at its end. Networks on several devices share it.
type tally struct {
	mu     sync.Mutex
	cuts   int
	gaps   []int
	fields int
	// Sums of the fields' shares of unconfident, occluded and outside pixels.
	low, occluded, outside float64
}

func (t *tally) unknown(f *field.Field, gap bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if gap {
		t.gaps = append(t.gaps, f.Pair.First.Index)
	} else {
		t.cuts++
	}
}

func (t *tally) estimated(f *field.Field) {
	low, occluded, outside := f.ShareBelow(LowConfidence), f.Share(field.Occluded), f.Share(field.Outside)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fields++
	t.low += low
	t.occluded += occluded
	t.outside += outside
}

// mean is a sum over the estimated fields as their mean.
func (t *tally) mean(sum float64) float64 {
	if t.fields == 0 {
		return 0
	}
	return sum / float64(t.fields)
}
