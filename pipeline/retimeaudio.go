package pipeline

import (
	"context"
	"errors"
	"os"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/errkind"
)

// StretchedAudio writes the audio that Retime gives its output with Retiming.Stretch to a temporary file, which the caller deletes.
// It returns "" if there is none.
func StretchedAudio(ctx context.Context, o Options, t Retiming) (path string, err error) {
	first, info, err := firstFrame(ctx, o)
	if err != nil {
		return "", err
	}
	path, err = t.stretch(ctx, o, info, first)
	return path, errkind.Mark(ErrOutput, err)
}

// firstFrame returns the first frame of an input.
func firstFrame(ctx context.Context, o Options) (*frame.Frame, decode.Info, error) {
	o.Decode.First, o.Decode.Hardware = 0, ""
	in, err := Open(ctx, o.Input, o.Decode)
	if err != nil {
		return nil, decode.Info{}, err
	}
	defer in.Close()
	first, err := in.Read()
	return first, in.Info(), errkind.Mark(ErrInput, err)
}

// stretch writes the audio from the first frame on, at the speed of the pictures, to a temporary file. It returns "" if there is none.
func (t Retiming) stretch(ctx context.Context, o Options, info decode.Info, first *frame.Frame) (path string, err error) {
	file, err := os.CreateTemp("", "wwflow-audio-*.mp4")
	if err != nil {
		return "", err
	}
	s := encode.Stretch{Speed: t.speed().Float(), From: first.Time(), WebM: o.Encode.IsWebM(o.Output)}
	if o.Decode.Duration > 0 {
		s.Until = info.StartTime + o.Decode.Start + o.Decode.Duration
	}
	found, err := encode.StretchAudio(ctx, o.Input, file.Name(), s)
	if err = errors.Join(err, file.Close()); err != nil || !found {
		os.Remove(file.Name())
		return "", err
	}
	return file.Name(), nil
}
