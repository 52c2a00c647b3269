package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/wwflow/wwflow/consistency"
	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/errkind"
	"github.com/wwflow/wwflow/internal/pathname"
	"github.com/wwflow/wwflow/pairing"
	"github.com/wwflow/wwflow/visualize"
)

// Run makes the flow video of a video. Nothing has the output's name before it is complete.
//
// An error matches ErrInput, ErrOutput, ErrOptions or one of the stages' errors. Where the resolution changes in the
// middle of the input, the output holds the flow up to there, and Run returns its Result with a *decode.SizeError.
func Run(ctx context.Context, o Options) (Result, error) {
	r, err := open(ctx, o, Options.checkOutput)
	if err != nil {
		return Result{}, err
	}
	defer r.close()
	return r.video()
}

// run is an input and the networks that estimate its flow.
type run struct {
	Options
	group    *group
	stream   bool // the input can be read only once
	in       *decode.Reader
	info     decode.Info
	frames   *replay
	networks Networks
	opened   bool         // the networks are this run's to close
	released bool         // the networks may be another run's
	damaged  atomic.Int64 // frames that were skipped so far
	tally    tally
	archives map[Export]archive
	previous map[int]*field.Field // flow back to an earlier frame, by the frame that it is for; for Export.For
	motion   *motionMeter         // of Options.Measure; nil for none
	section  *Section             // nil for the whole video
	watch    *stopwatch           // measures the stages; nil for none
	begin    time.Time
}

// open checks the options and opens the input and the networks, in the order that finds mistakes soonest.
func open(ctx context.Context, o Options, check func(Options) error) (_ *run, err error) {
	r := &run{begin: time.Now(), group: newGroup(ctx)}
	if r.Options, err = o.withDefaults(); err != nil {
		return nil, err
	}
	if err := check(r.Options); err != nil {
		return nil, errkind.Mark(ErrOutput, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.close())
		}
	}()
	r.stream = decode.IsStream(r.Input)
	if r.in, err = Open(r.group.ctx, r.Input, r.Decode); err != nil {
		return nil, err
	}
	r.info = r.in.Info()
	if r.info.FramesExact && r.info.Frames <= r.Step {
		return nil, r.tooShort(r.info.Frames)
	}
	if r.networks = r.Networks; r.networks == nil {
		r.opened = true
		if r.networks, err = OpenNetworks(r.Network); err != nil {
			return nil, err
		}
	}
	if !r.Both && !r.networks[0].model.HasConfidence() && (r.Paint.Style == visualize.Confidence || r.MinConfidence > 0) {
		return nil, fmt.Errorf("%w: %s", ErrNoConfidence, r.networks.Name())
	}
	if err := r.networks.CheckMemory(r.info, r.Step, r.Decode.Scale); err != nil {
		return nil, err
	}
	r.frames = &replay{source: &counter{r.in, &r.damaged}}
	return r, nil
}

// file is the sink of a run: an output of package encode.
type file struct{ *encode.Writer }

func (f file) Write(image Image) error { return f.Writer.Write(image.Frame) }

// Open opens an input for reading. Its errors match ErrInput.
func Open(ctx context.Context, input string, o decode.Options) (*decode.Reader, error) {
	in, err := decode.Open(ctx, input, o)
	if decode.IsStream(input) && (errors.Is(err, decode.ErrFormat) || errors.Is(err, decode.ErrNoFrames)) {
		err = fmt.Errorf("%w; %w", err, ErrPipe)
	}
	return in, errkind.Mark(ErrInput, err)
}

func (r *run) close() error {
	r.group.cancel(nil)
	_ = r.group.Wait() // the caller's loop over Fields may have ended with a panic
	errs := []error{r.closeArchives()}
	if r.in != nil {
		errs = append(errs, r.in.Close())
	}
	r.forget()
	if r.opened {
		errs = append(errs, r.networks.Close())
	}
	return errors.Join(errs...)
}

// release gives the networks back before the run has ended.
func (r *run) release() {
	r.forget()
	r.released = true
	if r.Events.Estimated != nil {
		r.Events.Estimated()
	}
}

// forget frees what the networks keep of this video.
func (r *run) forget() {
	for _, n := range r.networks {
		if !r.released {
			n.estimator.Keep()
		}
	}
}

// video does the rest of Run.
func (r *run) video() (Result, error) {
	var writer *encode.Writer
	result, err := r.images(r.frames, func(first *frame.Frame) (Sink, error) {
		var err error
		writer, err = encode.Create(r.group.ctx, r.Output, r.encoding(first.Width, first.Height))
		return file{writer}, err
	})
	if err == nil && result.Frames == 0 {
		return Result{}, r.tooShort(result.Read)
	}
	if result.Frames > 0 {
		result.Notices = writer.Notices()
	}
	return result, err
}

// images runs all stages, from a source of frames to a sink that create opens for the first image. Without an image there is
// no error. With ErrStopped, and where the resolution changes, there are both a Result and an error.
func (r *run) images(from source, create func(first *frame.Frame) (Sink, error)) (Result, error) {
	if err := r.chooseScale(); err != nil {
		return Result{}, err
	}
	painter, err := visualize.New(r.Paint)
	if err != nil {
		return Result{}, err
	}
	pairs, err := pairing.New(r.Step)
	if err != nil {
		return Result{}, err
	}
	if r.section != nil {
		if err := r.section.Begin(Opened{Info: r.info, MaxFlow: r.Paint.MaxFlow, Encode: r.encoding(painter.Size(r.info.Width, r.info.Height))}); err != nil {
			return Result{}, err
		}
	}
	if r.Events.Started != nil {
		r.Events.Started(r.plan(painter))
	}
	if r.Measure {
		if r.motion, err = newMotionMeter(r.Stats, r.Encode.Force); err != nil {
			return Result{}, errkind.Mark(ErrOutput, err)
		}
		defer r.motion.close()
	}
	result := Result{Output: r.Output}
	s := &stages{
		pairs:    pairs,
		networks: r.estimators(),
		export:   r.export,
		paint:    painter.Paint,
		create:   create,

		estimated: r.release,
		written: func(*frame.Frame) {
			result.Frames++
			if r.Events.Written != nil {
				r.Events.Written(result.Frames, r.total())
			}
		},
	}
	if r.section != nil {
		s.stop = r.section.Stop
	}
	if r.watch != nil {
		from = r.watch.attach(s, from)
	}
	if err := s.run(r.group, from); err != nil {
		return Result{}, err
	}
	if err := r.commitArchives(); err != nil {
		return Result{}, errkind.Mark(ErrOutput, err)
	}
	result.Read, result.Damaged, result.DamagedFrames = pairs.Count(), r.in.Corrupt(), r.in.Damaged()
	result.Cuts, result.Gaps = r.tally.cuts, slices.Sorted(slices.Values(r.tally.gaps))
	result.Occluded, result.Outside = r.tally.mean(r.tally.occluded), r.tally.mean(r.tally.outside)
	if r.MinConfidence == 0 {
		result.Unconfident = r.tally.mean(r.tally.low)
	}
	if result.Frames > 0 {
		err = r.finishStatistics(&result)
	}
	result.Seconds = time.Since(r.begin).Seconds()
	switch {
	case err != nil:
		return result, err
	case s.stopped:
		return result, ErrStopped
	}
	return result, errkind.Mark(ErrInput, s.sizeChanged)
}

// chooseScale fixes Paint.MaxFlow.
func (r *run) chooseScale() (err error) {
	if !r.Paint.Style.HasScale() {
		r.Paint.MaxFlow = 0
		return nil
	}
	if r.Paint.MaxFlow != 0 {
		return nil
	}
	if r.Events.ChoosingScale != nil {
		r.Events.ChoosingScale()
	}
	var pairs []*frame.Pair
	if r.section == nil && (r.stream || r.info.Duration <= 0) {
		pairs = r.frames.prefetch(r.Step)
	} else if pairs, err = spreadPairs(r.group.ctx, r.Input, r.Decode, r.info, r.Step); err != nil {
		return err
	}
	r.Paint.MaxFlow, err = chooseScale(r.group.ctx, pairs, r.info.Width, r.networks[0].sample)
	return err
}

// encoding is Options.Encode with what the input tells, for images of width x height.
func (r *run) encoding(width, height int) encode.Options {
	e := r.Encode
	e.Width, e.Height = width, height
	e.TimeBase, e.FrameRate, e.SampleAspect, e.Origin = r.info.TimeBase, r.info.FrameRate, r.info.SampleAspect, r.info.StartTime
	e.Start, e.Duration, e.Shortest = r.Decode.Start, r.Decode.Duration, r.Decode.Frames > 0
	if r.info.Audio+r.info.Subtitles > 0 && !r.stream {
		e.CopyFrom = r.Input
	}
	return e
}

// estimators are the networks with what the options ask of each field.
func (r *run) estimators() (list []estimateFunc) {
	for _, n := range r.networks {
		list = append(list, func(ctx context.Context, p *frame.Pair) (*field.Field, error) {
			gap := p.Second.Index-p.First.Index != r.Step
			cut := !gap && r.Cuts && pairing.CutScore(p) > pairing.CutThreshold
			if gap || cut {
				n.estimator.ForgetBefore(p.First.Index + 1)
				f := r.unknownField(directed(p, r.Backward))
				r.tally.unknown(f, gap)
				return f, nil
			}
			f, err := r.next(ctx, n, p)
			if err != nil {
				return nil, err
			}
			r.tally.estimated(f)
			r.mask(f)
			return f, nil
		})
	}
	return list
}

// next returns the field of the next pair of a network, in one direction or in both.
func (r *run) next(ctx context.Context, n *Network, p *frame.Pair) (*field.Field, error) {
	if r.Both {
		return n.nextBoth(ctx, p, r.Backward, r.Consistency)
	}
	return n.next(ctx, p, r.Backward)
}

// unknownField is the field of a pair that is not estimated, with what a field of next has.
func (r *run) unknownField(p *frame.Pair) *field.Field {
	f := unknownField(p)
	if r.Both {
		// The sizes of the two are equal.
		_ = consistency.Check(f, unknownField(directed(p, true)), r.Consistency)
	}
	return f
}

// mask makes the vectors unknown that the options do not want, in both directions.
func (r *run) mask(f *field.Field) {
	for _, f := range []*field.Field{f, f.Reverse} {
		if f == nil {
			continue
		}
		if r.MinConfidence > 0 {
			f.MaskBelow(float32(r.MinConfidence))
		}
		if r.DropOccluded {
			f.MaskOccluded()
		}
	}
}

func (r *run) tooShort(frames int) error {
	noun := "frames"
	if frames == 1 {
		noun = "frame"
	}
	return errkind.Mark(ErrInput, fmt.Errorf("%s has %d %s: %w", pathname.Input(r.Input), frames, noun, ErrTooShort))
}

// counter lets every goroutine see how many damaged frames its reader has skipped.
type counter struct {
	*decode.Reader
	damaged *atomic.Int64
}

func (r *counter) Read() (*frame.Frame, error) {
	f, err := r.Reader.Read()
	r.damaged.Store(int64(r.Corrupt()))
	return f, err
}
