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

// retimer writes frames at regular times while fields come in, for the whole video or a section.
type retimer struct {
	*run
	Retiming
	frameRate, step *big.Rat     // of the output in 1/s; input time between its frames in s
	first           *frame.Frame // of the input; nil until it is known
	number          int          // of the next frame of the output
	create          func() (Sink, error)
	sink            Sink // nil before the first frame
	result          Result
}

func (w *retimer) start() error {
	if w.FrameRate.IsZero() {
		w.FrameRate = w.info.FrameRate
	}
	if w.FrameRate.Float() <= 0 {
		return errkind.Mark(ErrInput, fmt.Errorf("%s does not state its frame rate: give one for the output", pathname.Input(w.Input)))
	}
	w.frameRate = rational(w.FrameRate)
	w.step = new(big.Rat).Quo(rational(w.speed()), w.frameRate)
	if w.section != nil {
		if err := w.section.Begin(Opened{Info: w.info, Encode: w.encoding(), Images: w.expected()}); err != nil {
			return err
		}
	}
	if w.Started != nil {
		p := RetimePlan{Input: w.Input, Output: w.Output, Width: w.info.Width, Height: w.info.Height, Frames: w.expected(), Speed: w.speed().Float(),
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

// expected is about the number of frames of the whole output; 0 = unknown.
func (w *retimer) expected() int {
	if rate := w.info.FrameRate.Float(); w.info.FramesExact && rate > 0 {
		step, _ := w.step.Float64()
		return int(math.Round(float64(w.info.Frames) / rate / step))
	}
	return 0
}

// video writes all frames.
func (w *retimer) video() (Result, error) {
	defer func() {
		if w.sink != nil {
			w.sink.Close()
		}
	}()
	from := w.sectionFrames()
	var failed error
	read, err := w.fields(from, func(f *field.Field, _ error) bool {
		failed = w.between(f)
		return failed == nil
	})
	if failed != nil {
		return Result{}, failed
	}
	if err == nil && from.stopped {
		err = ErrStopped
	}
	var size *decode.SizeError // the frames before a change of resolution are complete
	switch {
	case err != nil && !errors.Is(err, ErrStopped) && !errors.As(err, &size):
		return Result{}, err
	case !errors.Is(err, ErrStopped) && w.first != nil && from.last != nil && (from.end == 0 || from.last.Index < from.end):
		if err := w.hold(from.last); err != nil {
			return Result{}, err
		}
	}
	if w.sink != nil {
		if err := w.sink.Commit(); err != nil {
			return Result{}, errkind.Mark(ErrOutput, err)
		}
	}
	w.result.Output, w.result.Read, w.result.Damaged, w.result.DamagedFrames = w.Output, read, w.in.Corrupt(), w.in.Damaged()
	w.result.Cuts, w.result.Seconds = w.tally.cuts, time.Since(w.run.begin).Seconds()
	return w.result, err
}

// sourceTime returns the input's time that the next frame of the output shows. from is the frame from which on the input is shown
// now.
func (w *retimer) sourceTime(from *frame.Frame) *big.Rat {
	if w.first == nil {
		w.first = from
	}
	if w.result.Frames == 0 {
		w.number = ceil(new(big.Rat).Quo(new(big.Rat).Sub(at(from), at(w.first)), w.step))
	}
	passed := new(big.Rat).Mul(new(big.Rat).SetInt64(int64(w.number)), w.step)
	return passed.Add(passed, at(w.first))
}

// ceil returns the smallest integer that is not below x.
func ceil(x *big.Rat) int {
	quotient, rest := new(big.Int).DivMod(x.Num(), x.Denom(), new(big.Int))
	return int(quotient.Int64()) + rest.Sign()
}

// between writes the frames whose times lie from the first frame of a pair up to the second one.
func (w *retimer) between(f *field.Field) error {
	begin, end := at(f.Pair.First), at(f.Pair.Second)
	length := new(big.Rat).Sub(end, begin)
	var maker *retime.Interpolator
	for {
		now := w.sourceTime(f.Pair.First)
		if now.Cmp(end) >= 0 {
			return nil
		}
		t, _ := new(big.Rat).Quo(now.Sub(now, begin), length).Float64()
		image := Image{Frame: f.Pair.First, Pair: f.Pair.First.Index}
		switch {
		case t == 0:
		case !retime.Possible(f):
			if t >= 0.5 {
				image.Frame = f.Pair.Second
			}
		default:
			if maker == nil {
				maker = retime.New(f)
			}
			var err error
			if image.Frame, err = maker.At(t); err != nil {
				return err
			}
			image.New = true
		}
		if err := w.write(image); err != nil {
			return err
		}
	}
}

// hold shows the last frame for its duration.
func (w *retimer) hold(last *frame.Frame) error {
	duration := new(big.Rat).Mul(new(big.Rat).SetInt64(last.Duration), rational(last.TimeBase))
	if rate := w.info.FrameRate; last.Duration <= 0 && rate.Float() > 0 {
		duration.Inv(rational(rate))
	}
	end := duration.Add(duration, at(last))
	for w.sourceTime(last).Cmp(end) < 0 {
		if err := w.write(Image{Frame: last, Pair: last.Index}); err != nil {
			return err
		}
	}
	return nil
}

// write writes a copy of a frame as the next one.
func (w *retimer) write(image Image) (err error) {
	if err := context.Cause(w.group.ctx); err != nil {
		return err
	}
	if w.sink == nil {
		if w.sink, err = w.create(); err != nil {
			return errkind.Mark(ErrOutput, err)
		}
	}
	f := *image.Frame
	f.Index, f.PTS, f.Duration = w.number, w.shift()+int64(w.number), 1
	f.TimeBase = frame.Rational{Num: w.FrameRate.Den, Den: w.FrameRate.Num}
	image.Frame = &f
	if err := w.sink.Write(image); err != nil {
		return errkind.Mark(ErrOutput, err)
	}
	w.number++
	w.result.Frames++
	if image.New {
		w.result.New++
	}
	if w.Events.Written != nil {
		total := w.expected()
		if total > 0 {
			total = max(total, w.result.Frames)
		}
		w.Events.Written(w.result.Frames, total)
	}
	return nil
}

// shift is the time stamp of the output's first frame. With audio it has the distance to the beginning of the input that the
// input's first frame has.
func (w *retimer) shift() int64 {
	if !w.KeepAudio {
		return 0
	}
	return int64(math.Round((w.first.Time() - w.info.StartTime).Seconds() * w.FrameRate.Float()))
}

// encoding is run.encoding for the frames of the output. With Stretch CopyFrom is the input, whose audio has to be stretched.
func (w *retimer) encoding() encode.Options {
	e := w.run.encoding(w.info.Width, w.info.Height)
	e.TimeBase, e.FrameRate, e.Origin = frame.Rational{Num: w.FrameRate.Den, Den: w.FrameRate.Num}, w.FrameRate, 0
	if !w.KeepAudio {
		e.Start, e.Duration = 0, 0
	}
	if !w.KeepAudio && !w.Stretch {
		e.CopyFrom = ""
	}
	return e
}

// open opens the output of the whole video.
func (w *retimer) open() (*encode.Writer, error) {
	e := w.encoding()
	if w.Stretch && e.CopyFrom != "" {
		path, err := w.stretch(w.group.ctx, w.Options, w.info, w.first)
		if err != nil {
			return nil, err
		}
		if path != "" {
			defer os.Remove(path) // the writer has it open
		}
		e.CopyFrom = path
	}
	return encode.Create(w.group.ctx, w.Output, e)
}
