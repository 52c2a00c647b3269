// Package decode reads frames from a video file, a sequence of image files or a stream such as standard input.
//
// Frames are upright (rotation metadata is applied), deinterlaced frame by frame, and 8-bit RGB. Each frame keeps its
// exact presentation time stamp, for constant and for variable frame rates. Edit lists are applied as the ffmpeg
// command applies them. Damaged frames are skipped and reported by [Reader.Damaged]. A truncated file yields the frames
// that it still holds. A returned frame belongs to the caller; the reader does not reuse its memory.
//
// Conversion to RGB:
//
//   - A stream without a stated matrix is read as BT.709 if it has at least 720 lines or 1280 columns, else as BT.601,
//     as players do. A stream without a stated range is read as limited range; yuvj, grey and RGB formats as full range.
//   - YUV is converted by libswscale with the settings of `ffmpeg -pix_fmt rgb24`. On two real clips the result
//     differs from exact arithmetic by 0.8 and 1.1 of 255 levels on average. Changing the size uses bicubic
//     interpolation with accurate rounding.
//   - HDR video (PQ and HLG) is tone-mapped to BT.709 by the filters zscale and tonemap=mobius, with white at 203 cd/m2
//     (ITU-R BT.2408). Without these filters samples are reduced to 8 bits, and Info.ToneMapped is false.
//   - Samples with more than 8 bits are reduced to 8 bits. The linear values of EXR images are encoded as sRGB and clipped.
//   - Interlaced frames pass through the filter bwdif (mode send_frame).
//   - Transparency is dropped.
//   - Frames decoded by hardware are copied to main memory and converted like all others.
//   - A time stamp that is missing or does not increase is replaced by the previous one plus its duration.
package decode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/libav"
)

// Options select what is read. The zero value reads the whole input at its own size.
type Options struct {
	// Start and Duration select the frames with times in [Start, Start+Duration), counted from the beginning of the
	// input. Duration 0 means up to the end.
	Start, Duration time.Duration

	Frames  int     // number of frames that the selected part has at most, damaged ones included; 0 = no limit
	First   int     // number of the first frame of the selected part to return; those before it are skipped
	Scale   float64 // frame size relative to the input, up to 16; 0 = 1
	Threads int     // for decoding and conversion; 0 = one per core

	FrameRate frame.Rational // of an image sequence, which has no time stamps; zero = 25 frames per second

	// Hardware selects the decoder: "none" (also ""), "cuda" (NVDEC), "vaapi" or "auto". The named kinds fail with
	// ErrHardware if the device is missing or refuses the stream; "auto" then decodes in software and explains it in
	// Info.InSoftware.
	Hardware string

	Uncounted bool // leave Info.Frames at 0 instead of reading all packets of a file once to count them
}

// Info describes an open input. Durations are not part of its JSON form.
type Info struct {
	Path        string `json:"input"`
	Format      string `json:"format"`       // FFmpeg's name; "folder" for an image sequence, "image" for an image file
	Codec       string `json:"codec"`        // FFmpeg's name of the decoder
	PixelFormat string `json:"pixel_format"` // as coded, FFmpeg's name
	Width       int    `json:"width"`        // of the returned frames, in pixels
	Height      int    `json:"height"`

	SampleAspect frame.Rational `json:"sample_aspect,omitzero"` // width/height of one upright pixel; zero = not stated
	FrameRate    frame.Rational `json:"frame_rate,omitzero"`    // average; zero = unknown
	TimeBase     frame.Rational `json:"time_base"`              // of the frames' time stamps, in seconds

	// Frames is the number of frames in the selected part, damaged ones included. FramesExact reports whether they
	// were counted. Otherwise Frames is the number according to the container, or 0 if that is unknown. Interlaced
	// H.264 in a transport stream may be counted by fields.
	Frames      int  `json:"frames,omitempty"`
	FramesExact bool `json:"frames_exact"`

	Duration  time.Duration `json:"-"` // of the whole input; 0 = unknown
	StartTime time.Duration `json:"-"` // time stamp of the beginning of the input, from which Options.Start counts

	Rotation      int    `json:"rotation"`       // degrees by which frames were turned clockwise
	BitDepth      int    `json:"bit_depth"`      // bits per coded sample
	ColorRange    string `json:"color_range"`    // as used: "tv" (limited) or "pc" (full)
	ColorMatrix   string `json:"color_matrix"`   // as used, FFmpeg's name
	ColorAssumed  bool   `json:"color_assumed"`  // the matrix was not stated and follows from the size
	ColorTransfer string `json:"color_transfer"` // FFmpeg's name; "unknown" if not stated
	ToneMapped    bool   `json:"tone_mapped"`    // HDR is mapped to BT.709
	Interlaced    bool   `json:"interlaced"`     // interlaced frames were found and deinterlaced

	Audio     int `json:"audio_streams"`
	Subtitles int `json:"subtitle_streams"`

	Hardware   string `json:"hwaccel,omitempty"`             // "cuda" or "vaapi"; "" = software
	InSoftware string `json:"in_software_because,omitempty"` // reason, if Options.Hardware was "auto"
}

// Errors of Open and Read. Errors of the file system, such as fs.ErrNotExist, are passed through.
var (
	ErrMissing    = fmt.Errorf("no such file or folder; check the name (%w)", fs.ErrNotExist)
	ErrEmpty      = errors.New("the input is empty")
	ErrNoVideo    = errors.New("the file has no video stream")
	ErrNoPictures = errors.New("there are no image files that can be read (" + extensionList() + "); convert the images, or name a video file")
	ErrFormat     = errors.New("the file is not a video in a format that FFmpeg can read, or it is truncated before its index")
	ErrNoFrames   = errors.New("no frame can be decoded")
	ErrWindow     = errors.New("the selected part contains no frame")
	ErrHardware   = errors.New("hardware decoding is not possible")
)

// SizeError reports a frame whose size differs from that of the first frame. All frames before it were returned.
type SizeError struct {
	Name                    string // file name, or "frame 57"
	Width, Height           int    // of the upright frame, before scaling
	FirstWidth, FirstHeight int    // of the first frame
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("%s is %dx%d, but the first frame is %dx%d; scale or split the input so that all frames have one size",
		e.Name, e.Width, e.Height, e.FirstWidth, e.FirstHeight)
}

// source is one kind of input.
type source interface {
	info() *Info
	next(ctx context.Context) (*frame.Frame, error) // io.EOF at the end
	corrupt() int
	frames() int           // number of the frame after the last one that was returned, or lost at the end
	name(index int) string // file name of a frame; "" if it has none
	times() []int64        // of the selected part, as Reader.Times
	close()
}

// Reader reads the frames of one input in order. It must not be used by two goroutines at once. Close frees FFmpeg's
// demuxer, decoder and filters; frames stay valid.
type Reader struct {
	ctx     context.Context
	src     source
	read    int // frames returned
	first   int // number of the first frame to return
	index   int // number of the next frame in the selected part
	limit   int // number of the frame after the last one
	damaged []DamagedFrame
	err     error
}

// DamagedFrame is a frame that could not be decoded.
type DamagedFrame struct {
	Index int    `json:"index"`          // as Frame.Index
	Name  string `json:"name,omitempty"` // file name in an image sequence; "" in a video
}

// Open opens an input and decodes its first frame. The name is a video file, an image file, a folder of images in natural
// order (9 before 10), a pattern such as "f%03d.png", a pipe or another stream (see IsStream), or "-" for standard input.
// If ctx is cancelled, Open and Read return its error.
func Open(ctx context.Context, name string, o Options) (*Reader, error) {
	if err := check(&o); err != nil {
		return nil, err
	}
	src, err := open(ctx, name, o)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("cannot read %s: %w", show(name), err)
	}
	r := &Reader{ctx: ctx, src: src, first: o.First, index: o.First, limit: math.MaxInt}
	if o.Frames > 0 {
		r.limit = o.Frames
		if i := src.info(); i.Frames > o.Frames {
			i.Frames = o.Frames
		}
	}
	return r, nil
}

// IsStream reports whether an input can be read only once and only from its beginning: "-", or an existing path that
// is neither a regular file nor a folder, such as a FIFO or /dev/fd/63.
func IsStream(name string) bool {
	if name == "-" {
		return true
	}
	s, err := os.Stat(name)
	return err == nil && !s.Mode().IsRegular() && !s.IsDir()
}

// IsSequence reports whether an input is an image sequence: a folder, or a pattern such as "f%03d.png" that is not
// the name of a file.
func IsSequence(name string) bool {
	s, err := os.Stat(name)
	return err == nil && s.IsDir() || errors.Is(err, fs.ErrNotExist) && isPattern(name)
}

func open(ctx context.Context, name string, o Options) (source, error) {
	if name == "-" {
		return openVideo(ctx, name, os.Stdin, o)
	}
	if IsSequence(name) {
		return openSequence(ctx, name, o)
	}
	s, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, ErrMissing
	case err != nil:
		return nil, errors.Unwrap(err)
	case s.Mode().IsRegular() && s.Size() == 0:
		return nil, ErrEmpty
	case s.Mode().IsRegular() && kindOf(name) >= 0:
		return openSequence(ctx, name, o) // of one image
	}
	// Without O_NONBLOCK, opening a FIFO would wait for its writer and could not be cancelled.
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	if s.Mode().IsRegular() {
		f.Close()
		return openVideo(ctx, name, nil, o)
	}
	return openVideo(ctx, name, f, o)
}

func check(o *Options) error {
	switch {
	case o.Start < 0 || o.Duration < 0:
		return errors.New("start and duration must not be negative")
	case o.Frames < 0:
		return fmt.Errorf("invalid number of frames %d; it must be positive", o.Frames)
	case o.First < 0:
		return fmt.Errorf("invalid number of the first frame %d; it must not be negative", o.First)
	case o.Scale < 0 || o.Scale > 16 || math.IsNaN(o.Scale):
		return fmt.Errorf("invalid scale %v; it must be above 0 and at most 16", o.Scale)
	case !slices.Contains(slices.Concat([]string{"", "none", "auto"}, libav.HardwareKinds), o.Hardware):
		return fmt.Errorf("unknown hardware %q; use auto, none, %s", o.Hardware, strings.Join(libav.HardwareKinds, ", "))
	case o.FrameRate.Num < 0 || o.FrameRate.Den < 0 || (o.FrameRate.Num == 0) != (o.FrameRate.Den == 0):
		return fmt.Errorf("invalid frame rate %s", o.FrameRate)
	}
	if o.Scale == 0 {
		o.Scale = 1
	}
	if o.FrameRate.Num == 0 {
		o.FrameRate = frame.Rational{Num: 25, Den: 1}
	}
	return nil
}

func show(name string) string {
	if name == "-" {
		return "standard input"
	}
	return name
}

// Info describes the input. Info.Interlaced may become true while frames are read.
func (r *Reader) Info() Info { return *r.src.info() }

// Times returns the presentation time stamps of the frames of the selected part, damaged ones included, in increasing
// order and in units of Info.TimeBase. A frame's number is the index of its time. It is nil if the times are not known
// before decoding: of a stream, with Options.Uncounted, and where time stamps are missing or not distinct.
func (r *Reader) Times() []int64 { return r.src.times() }

// Read returns the next frame, and io.EOF after the last one. Frame.Index is the number of the frame in the selected
// part of the input, counted from 0 and including damaged frames: two consecutive frames whose indices differ by more
// than 1 have damaged frames between them. In a damaged video the position of a gap can be uncertain by a few frames
// if the input is a stream, because decoders may report errors late.
func (r *Reader) Read() (*frame.Frame, error) {
	if r.err != nil {
		return nil, r.err
	}
	if err := r.ctx.Err(); err != nil {
		return nil, err
	}
	for {
		if r.index >= r.limit {
			return nil, r.end(io.EOF)
		}
		f, err := r.src.next(r.ctx)
		switch {
		case err == nil && f.Index < r.first:
			continue
		case err == nil && f.Index >= r.limit:
			r.addDamaged(r.limit)
			return nil, r.end(io.EOF)
		case err == nil:
			r.addDamaged(f.Index)
			r.index = f.Index + 1
			r.read++
			return f, nil
		case r.ctx.Err() != nil:
			err = r.ctx.Err()
		case err == io.EOF:
			r.addDamaged(min(r.limit, r.src.frames()))
		default:
			err = fmt.Errorf("cannot read %s after %d frames: %w", show(r.src.info().Path), r.read, err)
		}
		return nil, r.end(err)
	}
}

// end makes err the result of this Read and of those after it.
func (r *Reader) end(err error) error {
	r.err = err
	return err
}

// addDamaged lists the frames that are missing before the one with the given index.
func (r *Reader) addDamaged(index int) {
	for ; r.index < index; r.index++ {
		r.damaged = append(r.damaged, DamagedFrame{r.index, r.src.name(r.index)})
	}
}

// Corrupt returns the number of damaged frames that were skipped so far.
func (r *Reader) Corrupt() int { return r.src.corrupt() }

// Damaged returns the damaged frames before the last returned frame, in order; after io.EOF also those at the end.
func (r *Reader) Damaged() []DamagedFrame { return slices.Clone(r.damaged) }

// Close frees everything but the frames. It may be called more than once.
func (r *Reader) Close() error {
	if r == nil || r.src == nil || r.err == errClosed {
		return nil
	}
	r.src.close()
	r.err = errClosed
	return nil
}

var errClosed = errors.New("the reader is closed")

// window returns the selected part in units of base: first <= pts < end. FFmpeg gives the origin in whole
// microseconds, so frames exactly at an edge need a tolerance of one.
func window(o Options, origin time.Duration, base frame.Rational) (first, end int64) {
	origin -= time.Microsecond
	first, end = math.MinInt64, math.MaxInt64
	if o.Start > 0 {
		first = libav.Units(origin+o.Start, base, libav.Up)
	}
	if o.Duration > 0 {
		end = libav.Units(origin+o.Start+o.Duration, base, libav.Up)
	}
	return first, end
}

func scaled(side int, scale float64) int { return max(1, int(math.Round(float64(side)*scale))) }
