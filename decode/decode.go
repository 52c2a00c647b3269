// Package decode turns a video file, a folder of pictures or a stream on standard input into frames.
//
// It promises frames as a person sees them: upright (rotation metadata applied), deinterlaced one
// frame for one frame, in 8-bit RGB made with the range and the matrix that the stream states, and
// each with its exact time stamp, whether the frame rate is constant or not. Edit lists are honoured as
// the ffmpeg command does. A damaged picture is skipped and counted, never handed on; what there is of
// a truncated file is read. A frame belongs to whoever asked for it: no buffer is used twice.
//
// Choices, so that nobody has to guess:
//
//   - A stream that states no matrix is taken as BT.709 from 720 lines or 1280 columns on, else as
//     BT.601, as players do; one that states no range is taken as limited, but full for yuvj and RGB.
//   - RGB is made by libswscale's fast path (what ffmpeg -pix_fmt rgb24 gives): 0.8 and 1.1 levels of 255 on average
//     from exact arithmetic on two real clips, and some 4 ms a Full HD frame cheaper on two cores. A change of
//     size is bicubic with accurate rounding.
//   - PQ and HLG (HDR) are tone-mapped to BT.709 through zscale and tonemap=mobius of libavfilter, with white
//     at 203 cd/m2 (ITU-R BT.2408). Where FFmpeg was built without them the samples are only reduced to
//     8 bits, and Info.ToneMapped is false. Other deep pictures are reduced to 8 bits.
//   - Interlaced pictures pass through bwdif (send_frame).
//   - Transparency is dropped.
//   - What hardware decodes comes back into main memory in NV12 or P010, is unwoven to the planes that the software
//     decoder gives, and goes on from there like everything else.
//   - A missing time stamp, or one that does not grow, becomes the one before plus its duration.
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

// Options says what to read. The zero value reads everything at its own size.
type Options struct {
	Start, Duration time.Duration // frames with times in [Start, Start+Duration) from the input's beginning; Duration 0 = to the end
	Frames          int           // at most so many frames; 0 = all
	Scale           float64       // size of a frame relative to the input's; 0 or 1 = native
	Threads         int           // for decoding and conversion; 0 = one for each core
	Deinterlace     string        // "auto" (also "") = what is marked interlaced; "off" = nothing

	// FrameRate is for a folder of pictures, which states no times; zero = 25 pictures a second.
	FrameRate frame.Rational

	// Hardware is what decodes: "none" (also ""), "cuda" (NVDEC) or "vaapi", which fail with ErrHardware where there is
	// none or where it refuses the stream, or "auto", which then decodes in software, and Info.InSoftware says why.
	Hardware string

	Uncounted bool // leave Info.Frames 0: a file's packets are not walked through
}

// Info describes an open input. As JSON it has no times: their unit is the caller's to choose.
type Info struct {
	Path        string `json:"input"`
	Format      string `json:"format"`       // libav's name; "folder" for pictures
	Codec       string `json:"codec"`        // libav's name; "folder" for pictures
	PixelFormat string `json:"pixel_format"` // as coded, libav's name
	Width       int    `json:"width"`        // of a frame as Read returns it: upright and scaled
	Height      int    `json:"height"`

	SampleAspect frame.Rational `json:"sample_aspect,omitzero"` // width/height of one pixel, upright; zero = not stated
	FrameRate    frame.Rational `json:"frame_rate,omitzero"`    // average; zero = unknown
	TimeBase     frame.Rational `json:"time_base"`              // of the frames' time stamps

	// Frames is the number of frames that Read will return, damaged ones included. FramesExact says that
	// it was counted by walking through the file's packets; otherwise it is what the container claims, 0 where
	// nothing is known (a pipe), and for interlaced H.264 in a transport stream perhaps the number of fields.
	Frames      int  `json:"frames,omitempty"`
	FramesExact bool `json:"frames_exact"`

	Duration  time.Duration `json:"-"` // of the whole input; 0 = unknown
	StartTime time.Duration `json:"-"` // the container's clock at its beginning: Options.Start counts from here

	Rotation      int    `json:"rotation"`       // clockwise degrees by which the coded picture was turned to stand upright
	BitDepth      int    `json:"bit_depth"`      // bits of a coded sample
	ColorRange    string `json:"color_range"`    // "tv" (limited) or "pc" (full), as used
	ColorMatrix   string `json:"color_matrix"`   // libav's name, as used
	ColorAssumed  bool   `json:"color_assumed"`  // the stream does not state its matrix: ColorMatrix follows from its size
	ColorTransfer string `json:"color_transfer"` // libav's name; "unknown" where not stated
	ToneMapped    bool   `json:"tone_mapped"`    // HDR was mapped to BT.709
	Interlaced    bool   `json:"interlaced"`     // pictures marked interlaced have been met
	Deinterlaced  bool   `json:"deinterlaced"`   // and are deinterlaced

	Audio     int `json:"audio_streams"`
	Subtitles int `json:"subtitle_streams"`

	Hardware   string `json:"hwaccel,omitempty"`             // what decodes: "cuda" or "vaapi"; "" = software
	InSoftware string `json:"in_software_because,omitempty"` // why, where Options.Hardware was "auto"
}

// Errors that a caller may want to tell apart. fs.ErrNotExist and fs.ErrPermission come through as well.
var (
	ErrEmpty      = errors.New("it is empty")
	ErrNoVideo    = errors.New("it has no video stream")
	ErrNoPictures = errors.New("the folder has no .png, .jpg or .jpeg pictures")
	ErrFormat     = errors.New("it is not a video that this FFmpeg can read, or it is cut off before its index")
	ErrNoFrames   = errors.New("not one of its frames can be decoded")
	ErrWindow     = errors.New("no frame lies in the chosen part")
	ErrHardware   = errors.New("hardware can't decode it")
)

// SizeError says that a picture has not the size of the first one.
type SizeError struct {
	Name                  string // file, or "frame 57"
	Width, Height         int
	FirstWidth, FirstHigh int
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("%s is %dx%d but the first picture is %dx%d; all must have one size, so convert or split the input",
		e.Name, e.Width, e.Height, e.FirstWidth, e.FirstHigh)
}

// source is one kind of input. next returns frames without index; io.EOF at the end.
type source interface {
	info() *Info
	next(ctx context.Context) (*frame.Frame, error)
	corrupt() int
	close()
}

// Reader reads the frames of one input, in order. It is for one goroutine at a time. It owns libav's
// demuxer, decoder and filters, and Close frees them; the frames it returned stay.
type Reader struct {
	ctx   context.Context
	src   source
	index int
	limit int
	err   error
}

// Open opens a video file, a folder of PNG or JPEG pictures (in natural order: 9 before 10), a named
// pipe, or "-" for standard input, and decodes the first frame so that Info is true. Cancelling ctx ends Open and Read.
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
	r := &Reader{ctx: ctx, src: src, limit: math.MaxInt}
	if o.Frames > 0 {
		r.limit = o.Frames
		if i := src.info(); i.Frames > o.Frames {
			i.Frames = o.Frames
		}
	}
	return r, nil
}

func open(ctx context.Context, name string, o Options) (source, error) {
	if name == "-" {
		return openVideo(ctx, name, os.Stdin, o)
	}
	s, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("no such file or folder; check the name (%w)", fs.ErrNotExist)
	case err != nil:
		return nil, err
	case s.IsDir():
		if o.decodesOn() != nil && o.Hardware != "auto" {
			return nil, fmt.Errorf("%w: a folder of pictures is decoded in software", ErrHardware)
		}
		return openFolder(name, o)
	case s.Mode().IsRegular() && s.Size() == 0:
		return nil, ErrEmpty
	}
	// Opening a named pipe must not wait for the other side, which may never come.
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
		return errors.New("the start and the duration cannot be negative")
	case o.Frames < 0:
		return fmt.Errorf("%d frames cannot be read; give a positive number", o.Frames)
	case o.Scale < 0 || o.Scale > 16 || math.IsNaN(o.Scale):
		return fmt.Errorf("scale %v is out of range; give a number above 0 and up to 16", o.Scale)
	case o.Deinterlace != "" && o.Deinterlace != "auto" && o.Deinterlace != "off":
		return fmt.Errorf("deinterlace %q is unknown; say auto or off", o.Deinterlace)
	case !slices.Contains(slices.Concat([]string{"", "none", "auto"}, libav.HardwareKinds), o.Hardware):
		return fmt.Errorf("hardware %q is unknown; say auto, none, %s", o.Hardware, strings.Join(libav.HardwareKinds, ", "))
	case o.FrameRate.Num < 0 || o.FrameRate.Den < 0 || (o.FrameRate.Num == 0) != (o.FrameRate.Den == 0):
		return fmt.Errorf("frame rate %s is none", o.FrameRate)
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

// Info describes the input. Interlaced may turn true later, where a film begins progressive.
func (r *Reader) Info() Info { return *r.src.info() }

// Read returns the next frame, and io.EOF after the last one.
func (r *Reader) Read() (*frame.Frame, error) {
	if r.err != nil {
		return nil, r.err
	}
	if err := r.ctx.Err(); err != nil {
		return nil, err
	}
	if r.index >= r.limit {
		r.err = io.EOF
		return nil, r.err
	}
	f, err := r.src.next(r.ctx)
	if err != nil {
		if r.ctx.Err() != nil {
			err = r.ctx.Err()
		} else if err != io.EOF {
			err = fmt.Errorf("cannot read %s after frame %d: %w", show(r.src.info().Path), r.index, err)
		}
		r.err = err
		return nil, err
	}
	f.Index = r.index
	r.index++
	return f, nil
}

// Corrupt is the number of damaged pictures that have been skipped so far.
func (r *Reader) Corrupt() int { return r.src.corrupt() }

// Close frees everything but the frames.
func (r *Reader) Close() error {
	if r == nil || r.src == nil || r.err == errClosed {
		return nil
	}
	r.src.close()
	r.err = errClosed
	return nil
}

var errClosed = errors.New("the reader is closed")

// window is the part of a stream that was asked for, in its own time base: first <= stamp < end.
// libav gives the origin in whole microseconds, so a frame that lies right at an edge gets one of grace.
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
