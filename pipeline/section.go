package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/pathname"
)

// Section is a part of a video for RunSection and RetimeSection.
type Section struct {
	// The pairs whose earlier frame has a number from First up to, but not including, End. End 0 = to the end. For
	// RetimeSection the last frame counts as a pair too.
	First, End int

	// Stop, once it is closed, ends the run in order: the pairs that the networks work on are finished and written. nil =
	// never.
	Stop <-chan struct{}

	// Begin is called before the first pair is estimated, and before any file is written.
	Begin func(Opened) error

	// Create opens the sink, for the first image.
	Create func(context.Context) (Sink, error)
}

// Opened is what Begin is told about the video.
type Opened struct {
	Info    decode.Info
	MaxFlow float64        // scale of the colours in pixels; 0 where the style has none
	Encode  encode.Options // that Run or Retime would use, copied streams and Force included
	Images  int            // of RetimeSection: of the whole video, about; 0 = unknown
}

// ErrStopped says that Section.Stop ended a run before its last pair.
var ErrStopped = errors.New("stopped before the end")

// RunSection is Run for a part of a video, and gives the images to a sink. The images are those that Run has for these
// pairs: in scale, number and times. An input that can be read only once, such as standard input, is an ErrOptions.
//
// Options.Output is not checked. A section without images, as all its frames are damaged, is no error, but for decode.ErrNoFrames
// where no frame follows either. With ErrStopped and with a *decode.SizeError the Result holds what was done.
func RunSection(ctx context.Context, o Options, s Section) (Result, error) {
	r, err := openSection(ctx, o, s)
	if err != nil {
		return Result{}, err
	}
	defer r.close()
	from := r.sectionFrames()
	result, err := r.images(from, func(*frame.Frame) (Sink, error) { return s.Create(r.group.ctx) })
	if err == nil && from.stopped {
		err = ErrStopped
	}
	return result, err
}

// openSection is open for a section.
func openSection(ctx context.Context, o Options, s Section) (*run, error) {
	o.Decode.First = s.First
	r, err := open(ctx, o, func(o Options) error {
		if decode.IsStream(o.Input) {
			return fmt.Errorf("%w: %s can be read only once; save it to a file first", ErrOptions, pathname.Input(o.Input))
		}
		if o.Measure {
			return fmt.Errorf("%w: the statistics are those of a whole video, not of a section", ErrOptions)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	r.section = &s
	return r, nil
}

// sectionFrames are the frames of the section, or of the whole video.
func (r *run) sectionFrames() *sectionSource {
	from := &sectionSource{source: r.frames, step: r.Step}
	if s := r.section; s != nil {
		from.end, from.stop = s.End, s.Stop
	}
	return from
}

// sectionSource ends after the last frame that the pairs of a section need, or when it is told to stop.
type sectionSource struct {
	source
	end     int // number of the frame after the last one that begins a pair; 0 = none
	step    int
	stop    <-chan struct{}
	beyond  int          // frames read with a number of at least end
	stopped bool         // by stop, with frames left to read
	last    *frame.Frame // that was read
}

// Read counts frames and does not compare numbers: with damaged frames, the partner of the last frame before end is the
// step-th frame that can be read from there on.
func (s *sectionSource) Read() (*frame.Frame, error) {
	if s.end > 0 && s.beyond >= s.step {
		return nil, io.EOF
	}
	f, err := s.source.Read()
	if err != nil {
		return nil, err
	}
	if isClosed(s.stop) {
		s.stopped = true
		return nil, io.EOF
	}
	if s.end > 0 && f.Index >= s.end {
		s.beyond++
	}
	s.last = f
	return f, nil
}
