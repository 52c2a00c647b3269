package pipeline

import (
	"context"
	"fmt"

	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/frame"
)

// Retiming says at which times the new video has frames.
type Retiming struct {
	Speed     frame.Rational // of the motion: 1/4 makes the video four times as long; zero = 1
	FrameRate frame.Rational // of the output; zero = the input's average
	KeepAudio bool           // copy audio and subtitles; Speed must be 1
	Stretch   bool           // play the audio at Speed, with its pitch; not with KeepAudio
	Started   func(RetimePlan)
}

// RetimePlan is what Retime is about to do.
type RetimePlan struct {
	Input     string  `json:"input"`
	Output    string  `json:"output"`
	Width     int     `json:"width"` // pixels
	Height    int     `json:"height"`
	Frames    int     `json:"frames,omitempty"` // to write, about; absent where the input does not say
	Speed     float64 `json:"speed"`
	FrameRate float64 `json:"frames_per_second"` // of the output
	Network   string  `json:"network"`
	Device    string  `json:"device"`
	Precision string  `json:"precision"`
}

// Retime writes a video whose frames lie at other times than the input's: frames of the input where the times agree, and
// frames that package retime makes elsewhere. Frame k of the output has the time k/FrameRate and shows the input's time
// Speed*k/FrameRate after its first frame, both exactly. Nothing is made across a scene cut or a damaged frame: the nearer frame is
// shown. The last frame is shown for its duration. Options for flow, painting and exports are not used. The errors are those of
// Run.
func Retime(ctx context.Context, o Options, t Retiming) (Result, error) {
	if err := t.Check(); err != nil {
		return Result{}, err
	}
	r, err := open(ctx, o.forRetiming(), Options.checkOutput)
	if err != nil {
		return Result{}, err
	}
	defer r.close()
	w := &retimer{run: r, Retiming: t}
	var writer *encode.Writer
	w.create = func() (_ Sink, err error) {
		writer, err = w.open()
		return file{writer}, err
	}
	if err := w.start(); err != nil {
		return Result{}, err
	}
	result, err := w.video()
	if result.Frames > 0 {
		result.Notices = writer.Notices()
	}
	return result, err
}

// RetimeSection is Retime for a part of a video, as RunSection is Run: it shows the frames from Section.First up to, but not
// including, Section.End, each until the next one, and the last frame of the video for its duration. The images are those that Retime
// has there: in number, times and pixels. With Stretch the audio is that of StretchedAudio.
func RetimeSection(ctx context.Context, o Options, t Retiming, s Section) (Result, error) {
	if err := t.Check(); err != nil {
		return Result{}, err
	}
	r, err := openSection(ctx, o.forRetiming(), s)
	if err != nil {
		return Result{}, err
	}
	defer r.close()
	w := &retimer{run: r, Retiming: t, create: func() (Sink, error) { return s.Create(r.group.ctx) }}
	if s.First > 0 {
		if w.first, _, err = firstFrame(ctx, r.Options); err != nil {
			return Result{}, err
		}
	}
	if err := w.start(); err != nil {
		return Result{}, err
	}
	return w.video()
}

// forRetiming are the options with what Retime needs of the flow.
func (o Options) forRetiming() Options {
	o.Step, o.Backward, o.Both, o.Cuts, o.Exports = 1, false, true, true, nil
	o.DropOccluded, o.MinConfidence = false, 0
	return o
}

func (t Retiming) speed() frame.Rational {
	if t.Speed.IsZero() {
		return frame.Rational{Num: 1, Den: 1}
	}
	return t.Speed
}

// Check returns an ErrOptions for values that make no sense.
func (t Retiming) Check() error {
	for _, x := range []frame.Rational{t.Speed, t.FrameRate} {
		if x.Num < 0 || x.Den < 0 || (x.Num == 0) != (x.Den == 0) {
			return fmt.Errorf("%w: speed and frame rate must be positive, not %s", ErrOptions, x)
		}
	}
	if t.KeepAudio && t.Speed.Num != t.Speed.Den {
		return fmt.Errorf("%w: audio can be kept at speed 1 only", ErrOptions)
	}
	if t.KeepAudio && t.Stretch {
		return fmt.Errorf("%w: audio is either kept or stretched", ErrOptions)
	}
	return nil
}

// Describe returns the values by the names of the command line, without those that have their default, as Options.Describe.
func (t Retiming) Describe() map[string]string {
	m := map[string]string{"audio": "drop"}
	if t.KeepAudio {
		m["audio"] = "keep"
	}
	if t.Stretch {
		m["audio"] = "stretch"
	}
	if t.Speed.Num != t.Speed.Den {
		m["speed"] = rational(t.Speed).RatString()
	}
	if !t.FrameRate.IsZero() {
		m["fps"] = rational(t.FrameRate).RatString()
	}
	return m
}
