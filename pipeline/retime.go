package pipeline

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"os"
	"time"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/errkind"
	"github.com/wwflow/wwflow/internal/pathname"
	"github.com/wwflow/wwflow/retime"
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

// RetimeResult is what Retime has done.
type RetimeResult struct {
	Output  string   `json:"output"`
	Frames  int      `json:"frames"`      // written
	New     int      `json:"frames_new"`  // of these, made between two frames of the input
	Read    int      `json:"frames_read"` // from the input
	Damaged int      `json:"frames_damaged"`
	Cuts    int      `json:"scene_cuts,omitempty"`
	Seconds float64  `json:"seconds"`
	Notices []string `json:"notices,omitempty"`
}

// Retime writes a video whose frames lie at other times than the input's: frames of the input where the times agree, and
// frames that package retime makes elsewhere. Frame k of the output has the time k/FrameRate and shows the input's time
// Speed*k/FrameRate after its first frame, both exactly. Nothing is made across a scene cut or a damaged frame: the nearer frame is
// shown. The last frame is shown for its duration. Options for flow, painting and exports are not used. The errors are those of
// Run.
func Retime(ctx context.Context, o Options, t Retiming) (RetimeResult, error) {
	o.Step, o.Backward, o.Both, o.Cuts, o.Exports = 1, false, true, true, nil
	o.DropOccluded, o.MinConfidence = false, 0
	if err := t.check(); err != nil {
		return RetimeResult{}, err
	}
	r, err := open(ctx, o, Options.checkOutput)
	if err != nil {
		return RetimeResult{}, err
	}
	defer r.close()
	w := &retimer{run: r, Retiming: t}
	defer w.close()
	if err := w.start(); err != nil {
		return RetimeResult{}, err
	}
	return w.video()
}

func (t Retiming) check() error {
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

// retimer writes frames at regular times while fields come in.
type retimer struct {
	*run
	Retiming
	frameRate, step *big.Rat // of the output in 1/s; source time between its frames in s
	begin           *big.Rat // time of the first frame, in s
	writer          *encode.Writer
	shift           int64 // PTS of the output's first frame
	result          RetimeResult
}

func (w *retimer) start() error {
	if w.Speed.IsZero() {
		w.Speed = frame.Rational{Num: 1, Den: 1}
	}
	if w.FrameRate.IsZero() {
		w.FrameRate = w.info.FrameRate
	}
	if w.FrameRate.Float() <= 0 {
		return errkind.Mark(ErrInput, fmt.Errorf("%s does not state its frame rate: give one for the output", pathname.Input(w.Input)))
	}
	w.frameRate = rational(w.FrameRate)
	w.step = new(big.Rat).Quo(rational(w.Speed), w.frameRate)
	if w.Started != nil {
		p := RetimePlan{Input: w.Input, Output: w.Output, Width: w.info.Width, Height: w.info.Height, Frames: w.expected(), Speed: w.Speed.Float(),
			FrameRate: w.FrameRate.Float(), Network: w.networks.Name(), Device: w.networks.Devices(), Precision: w.networks.Precision()}
		w.Started(p)
	}
	return nil
}

func rational(r frame.Rational) *big.Rat { return big.NewRat(int64(r.Num), int64(r.Den)) }

// at returns the time of a frame in seconds.
func at(f *frame.Frame) *big.Rat {
	return new(big.Rat).Mul(new(big.Rat).SetInt64(f.PTS), rational(f.TimeBase))
}

// expected is about the number of frames that will be written; 0 = unknown.
func (w *retimer) expected() int {
	if rate := w.info.FrameRate.Float(); w.info.FramesExact && rate > 0 {
		step, _ := w.step.Float64()
		return int(math.Round(float64(w.info.Frames) / rate / step))
	}
	return 0
}

// video writes all frames.
func (w *retimer) video() (RetimeResult, error) {
	var last *field.Field
	var failed error
	_, err := w.fields(func(f *field.Field, _ error) bool {
		last = f
		failed = w.between(f)
		return failed == nil
	})
	if failed != nil {
		return RetimeResult{}, failed
	}
	var size *decode.SizeError // the frames before a change of resolution are complete
	if err != nil && (last == nil || !errors.As(err, &size)) {
		return RetimeResult{}, err
	}
	if err := w.hold(last.Pair.Second); err != nil {
		return RetimeResult{}, err
	}
	if err := w.writer.Commit(); err != nil {
		return RetimeResult{}, errkind.Mark(ErrOutput, err)
	}
	w.result.Output, w.result.Read, w.result.Damaged = w.Output, last.Pair.Second.Index+1-w.in.Corrupt(), w.in.Corrupt()
	w.result.Cuts, w.result.Notices, w.result.Seconds = w.tally.cuts, w.writer.Notices(), time.Since(w.run.begin).Seconds()
	return w.result, err
}

// between writes the frames whose times lie from the first frame of a pair up to the second one.
func (w *retimer) between(f *field.Field) error {
	begin, end := at(f.Pair.First), at(f.Pair.Second)
	length := new(big.Rat).Sub(end, begin)
	var maker *retime.Interpolator
	for {
		now := w.sourceTime(begin)
		if now.Cmp(end) >= 0 {
			return nil
		}
		t, _ := new(big.Rat).Quo(now.Sub(now, begin), length).Float64()
		show := f.Pair.First
		switch {
		case t == 0:
		case !retime.Possible(f):
			if t >= 0.5 {
				show = f.Pair.Second
			}
		default:
			if maker == nil {
				maker = retime.New(f)
			}
			var err error
			if show, err = maker.At(t); err != nil {
				return err
			}
			w.result.New++
		}
		if err := w.write(show); err != nil {
			return err
		}
	}
}

// sourceTime returns the input's time that the next frame of the output shows. first is the time of the input's first frame.
func (w *retimer) sourceTime(first *big.Rat) *big.Rat {
	if w.begin == nil {
		w.begin = first
	}
	return new(big.Rat).Add(w.begin, new(big.Rat).Mul(new(big.Rat).SetInt64(int64(w.result.Frames)), w.step))
}

// hold shows the last frame for its duration.
func (w *retimer) hold(last *frame.Frame) error {
	begin := at(last)
	duration := new(big.Rat).Mul(new(big.Rat).SetInt64(last.Duration), rational(last.TimeBase))
	if rate := w.info.FrameRate; last.Duration <= 0 && rate.Float() > 0 {
		duration.Inv(rational(rate))
	}
	end := duration.Add(duration, begin)
	for w.sourceTime(begin).Cmp(end) < 0 {
		if err := w.write(last); err != nil {
			return err
		}
	}
	return nil
}

// write writes a copy of a frame as the next one.
func (w *retimer) write(show *frame.Frame) (err error) {
	if err := context.Cause(w.group.ctx); err != nil {
		return err
	}
	if w.writer == nil {
		if err := w.create(show); err != nil {
			return errkind.Mark(ErrOutput, err)
		}
	}
	f := *show
	f.Index, f.PTS, f.Duration = w.result.Frames, w.shift+int64(w.result.Frames), 1
	f.TimeBase = frame.Rational{Num: w.FrameRate.Den, Den: w.FrameRate.Num}
	if err := w.writer.Write(&f); err != nil {
		return errkind.Mark(ErrOutput, err)
	}
	w.result.Frames++
	if w.Events.Written != nil {
		w.Events.Written(w.result.Frames, max(w.expected(), w.result.Frames))
	}
	return nil
}

// create opens the output. With audio its first frame has the distance to the beginning of the input that the input's has.
func (w *retimer) create(first *frame.Frame) (err error) {
	e := w.encoding(first.Width, first.Height)
	e.TimeBase, e.FrameRate, e.Origin = frame.Rational{Num: w.FrameRate.Den, Den: w.FrameRate.Num}, w.FrameRate, 0
	switch {
	case w.KeepAudio:
		w.shift = int64(math.Round((first.Time() - w.info.StartTime).Seconds() * w.FrameRate.Float()))
	case w.Stretch && e.CopyFrom != "":
		stretched, err := w.stretch(e, first)
		if err != nil {
			return err
		}
		defer os.Remove(stretched) // the writer has it open
		e.CopyFrom, e.Start, e.Duration = stretched, 0, 0
	default:
		e.CopyFrom, e.Start, e.Duration = "", 0, 0
	}
	w.writer, err = encode.Create(w.group.ctx, w.Output, e)
	return err
}

// stretch writes the audio from the first frame on, at the speed of the pictures, to a temporary file. It returns "" if there is none.
func (w *retimer) stretch(e encode.Options, first *frame.Frame) (path string, err error) {
	file, err := os.CreateTemp("", "wwflow-audio-*.mp4")
	if err != nil {
		return "", err
	}
	s := encode.Stretch{Speed: w.Speed.Float(), From: first.Time(), WebM: e.IsWebM(w.Output)}
	if e.Duration > 0 {
		s.Until = w.info.StartTime + e.Start + e.Duration
	}
	found, err := encode.StretchAudio(w.group.ctx, e.CopyFrom, file.Name(), s)
	if err = errors.Join(err, file.Close()); err != nil || !found {
		os.Remove(file.Name())
		return "", err
	}
	return file.Name(), nil
}

func (w *retimer) close() {
	if w.writer != nil {
		w.writer.Close()
	}
}
