// Package encode writes frames to a video file, to a folder of PNG images or as a stream to standard output.
//
// Frames keep their exact time stamps if the container can hold them. MP4 and MOV can; Matroska and WebM count
// milliseconds, which a notice says. The last frame keeps its duration.
//
// A file or folder appears under its name only when it is complete. Until then it has a temporary name beside it.
// Writer.Commit flushes it to the disk and renames it. Writer.Close deletes it if Commit was not called.
//
// With Options.Force an existing file is replaced. If the path is a symbolic link, its target is replaced and the link
// stays. In an existing folder, an image sequence with the same name pattern is replaced: the files numbered from 0 up
// to the first gap. Other files in the folder stay.
//
// Encoding:
//
//   - Colours are tagged as BT.709 from 720 lines or 1280 columns, else as BT.601 (SMPTE 170M), in limited range. FFV1
//     stores RGB without loss.
//   - Codecs with subsampled chroma need even sides. An odd side grows by one pixel that repeats the edge; see Size.
//   - RGB is converted to YUV by libswscale, bilinear with accurate rounding.
//   - MP4 and MOV have their index in front (faststart). On standard output they are fragmented.
//   - Output time 0 is Origin+Start of the input, rounded to a unit of the frames' time base. Without Start, and if the
//     input begins at 0, time stamps are those of the input.
//   - Packets of audio and subtitle streams are copied. A stream that the container cannot hold is left out, which a
//     notice says. Attachments, data streams and metadata are not copied.
package encode

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/wwflow/wwflow/frame"
)

// Options of an output. Width, Height and TimeBase are required.
type Options struct {
	Width, Height int            // of all frames, in pixels
	TimeBase      frame.Rational // of all frames' PTS, in seconds
	FrameRate     frame.Rational // average, a hint for the encoder; zero = unknown
	SampleAspect  frame.Rational // zero = not stated

	Container      string            // one of Containers; "" = by the extension of the path, Matroska on standard output
	Codec          string            // one of Codecs; "" = h264, in WebM vp9
	CRF            *int              // constant quality, lower is better; nil = the codec's default
	EncoderOptions map[string]string // options of the encoder, by FFmpeg's names
	Threads        int               // 0 = the encoder's choice

	// Hardware selects an encoder if Codec is "": "none" (also ""), "cuda" (NVENC), "vaapi" or "auto". The named kinds
	// fail with ErrHardware if the device is missing; "auto" then encodes in software and says so in Notices.
	Hardware string

	CopyFrom        string        // regular file whose audio and subtitle streams are copied; "" = none
	Start, Duration time.Duration // part of CopyFrom, from its beginning; Duration 0 = to the end
	Shortest        bool          // copied streams end with the last frame
	Origin          time.Duration // time stamp of the beginning of the frames' input (decode.Info.StartTime)

	Force bool // replace an existing output

	segment bool // the output is a segment for Join
}

// Errors of Create, Check, Write and Commit. A full disk is syscall.ENOSPC, a closed pipe syscall.EPIPE.
var (
	ErrExists         = errors.New("it exists already")
	ErrNoFrames       = errors.New("no frame was written")
	ErrCodecContainer = errors.New("codec and container do not go together")
	ErrOption         = errors.New("invalid encoder option")
	ErrUnknown        = errors.New("unknown codec or container")
	ErrHardware       = errors.New("hardware encoding is not possible")
)

// kindError is an error with a text of its own that also matches one of the errors above.
type kindError struct {
	kind error
	text string
}

func (e *kindError) Error() string        { return e.text }
func (e *kindError) Is(target error) bool { return target == e.kind }

func unknownf(format string, args ...any) error {
	return &kindError{ErrUnknown, fmt.Sprintf(format, args...)}
}

// sink is one kind of output.
type sink interface {
	write(f *frame.Frame) error
	commit() error
	close()
	notices() []string
}

// Writer writes one output. It must not be used by two goroutines at once. Close frees FFmpeg's encoder and muxer.
type Writer struct {
	ctx  context.Context
	path string
	o    Options
	sink sink
	err  error // set when the output has ended
	last int64 // time stamp of the last frame
	n    int   // frames written
}

// Create starts an output. The extension of the path names the container, see Containers. A path that ends in "/" or
// is a folder gets PNG images named %06d.png, numbered from 0. A path such as dir/f%04d.png sets their names. "-" is
// standard output.
func Create(ctx context.Context, path string, o Options) (*Writer, error) {
	w := &Writer{ctx: ctx, path: path, o: o}
	if err := w.open(); err != nil {
		return nil, w.explain(err)
	}
	return w, nil
}

// Check returns the errors of Create that do not depend on the frames: an existing output, an unknown codec or
// container, a codec that the container cannot hold, invalid options, a folder without permission to write. It creates
// nothing and does not need Width, Height and TimeBase. It does not report a missing parent folder.
func Check(path string, o Options) error {
	w := &Writer{ctx: context.Background(), path: path, o: o}
	d, err := findDestination(path, &o)
	if err == nil && d.folder == "" {
		err = checkEncoder(d.path, o)
	}
	if err == nil {
		err = d.checkParent()
	}
	if err != nil {
		return w.explain(err)
	}
	return nil
}

// Size returns the size in pixels of the pictures that Create would write. An odd width or height of Options may grow
// by one pixel.
func Size(path string, o Options) (width, height int, err error) {
	if path != "-" {
		d, err := findDestination(path, &Options{Force: true})
		if err != nil || d.folder != "" {
			return o.Width, o.Height, err
		}
	}
	_, c, err := choose(path, &o)
	if err != nil {
		return 0, 0, err
	}
	width, height = c.size(o.Width, o.Height)
	return width, height, nil
}

func (w *Writer) open() error {
	o := &w.o
	switch {
	case o.Width <= 0 || o.Height <= 0:
		return fmt.Errorf("invalid frame size %dx%d", o.Width, o.Height)
	case o.Width > 1<<15 || o.Height > 1<<15:
		return fmt.Errorf("frames of %dx%d are too large for the codecs; scale them down to at most 32768 pixels per side", o.Width, o.Height)
	case o.TimeBase.Num <= 0 || o.TimeBase.Den <= 0:
		return fmt.Errorf("invalid time base %s", o.TimeBase)
	case o.Start < 0 || o.Duration < 0:
		return errors.New("start and duration must not be negative")
	}
	if err := w.ctx.Err(); err != nil {
		return err
	}
	d, err := findDestination(w.path, o)
	if err != nil {
		return err
	}
	if d.folder != "" {
		w.sink, err = newPictures(d, o.Force)
	} else {
		w.sink, err = newVideo(w.ctx, d.path, o)
	}
	return err
}

// Write adds a frame. Its size and time base must be those of Options, and time stamps must increase. The frame stays
// the caller's. After an error, other than one about the frame itself, the output cannot be continued.
func (w *Writer) Write(f *frame.Frame) error {
	if w.err != nil {
		return w.err
	}
	if err := w.ctx.Err(); err != nil {
		return err
	}
	err := w.check(f)
	if err == nil {
		err = w.sink.write(f)
	}
	if err != nil {
		w.err = w.explain(err)
		return w.err
	}
	w.last = f.PTS
	w.n++
	return nil
}

func (w *Writer) check(f *frame.Frame) error {
	switch {
	case f.Width != w.o.Width || f.Height != w.o.Height || len(f.Pix) != 3*f.Width*f.Height:
		return fmt.Errorf("frame %d is %dx%d, but the output is %dx%d", w.n, f.Width, f.Height, w.o.Width, w.o.Height)
	case f.TimeBase != w.o.TimeBase:
		return fmt.Errorf("frame %d has the time base %s, but the output %s", w.n, f.TimeBase, w.o.TimeBase)
	case w.n > 0 && f.PTS <= w.last:
		return fmt.Errorf("frame %d is not later than the frame before it", w.n)
	}
	return nil
}

// Commit finishes the output: it flushes the encoder, copies the rest of the other streams, and gives the file its
// name. After an error there is no file of that name. Close must still be called.
func (w *Writer) Commit() error {
	if w.err != nil {
		return w.err
	}
	err := w.ctx.Err()
	if err == nil && w.n == 0 {
		err = ErrNoFrames
	}
	if err == nil {
		err = w.sink.commit()
	}
	if err != nil {
		w.err = w.explain(err)
		return w.err
	}
	w.err = errDone
	return nil
}

var errDone = errors.New("the output is finished")

// Notices returns sentences for the user about what the output does not keep.
func (w *Writer) Notices() []string { return w.sink.notices() }

// Close frees everything. It deletes the unfinished output unless Commit has succeeded. It may be called more than once.
func (w *Writer) Close() error {
	if w == nil || w.sink == nil {
		return nil
	}
	w.sink.close()
	if w.err == nil {
		w.err = errDone
	}
	return nil
}

// explain adds the path and the cause to an error, and what to try next where the cause does not tell.
func (w *Writer) explain(err error) error {
	name := w.path
	if name == "-" {
		name = "to standard output"
	}
	wrap := func(text string, err error) error { return fmt.Errorf("cannot write %s: %s (%w)", name, text, err) }
	switch {
	case w.ctx.Err() != nil:
		return w.ctx.Err()
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return wrap("the disk is full", err)
	case errors.Is(err, syscall.EROFS):
		return wrap("the file system is read-only", err)
	case errors.Is(err, fs.ErrPermission):
		return wrap("no permission", err)
	case errors.Is(err, syscall.ENOTDIR):
		return wrap("a part of its path is a file, not a folder; choose another path", err)
	case errors.Is(err, syscall.ENAMETOOLONG):
		return wrap("the name is too long; choose a shorter one", err)
	case errors.Is(err, syscall.EPIPE):
		return wrap("the reading program has ended", err)
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("cannot write %s: %w", name, ErrExists)
	case errors.Is(err, fs.ErrNotExist):
		folder := filepath.Dir(filepath.Clean(w.path))
		if _, stat := os.Stat(folder); stat == nil {
			return wrap("files cannot be created in this folder; write to another folder", err)
		}
		return wrap("there is no folder "+folder+"; create it first", fs.ErrNotExist)
	}
	return fmt.Errorf("cannot write %s: %w", name, err)
}
