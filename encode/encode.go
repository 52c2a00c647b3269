// Package encode writes frames to a video file or to a folder of PNG pictures.
//
// It promises that frames keep their exact time stamps wherever the container can hold them (MP4 and MOV
// can; Matroska and WebM count milliseconds, and Notices says so), the last one its duration, and that
// nothing appears under the final name before it is complete: a Writer fills a temporary file beside it,
// which Commit syncs and renames, and which Close deletes if Commit has not been called.
//
// Choices, so that nobody has to guess:
//
//   - Colours are tagged: BT.709 from 720 lines or 1280 columns on, else BT.601 (SMPTE 170M), limited range.
//     FFV1 stores RGB as it is.
//   - A codec with halved chroma needs even sides: an odd one grows by one pixel that repeats the edge.
//   - RGB becomes YUV in libswscale, bilinear with accurate rounding.
//   - MP4 and MOV have their index in front (faststart).
//   - Output time zero is Origin+Start of the input, rounded to a unit of the frames' time base: without
//     Start, and with an input that begins at 0, time stamps are the input's own.
//   - Audio and subtitle packets are copied as they are; a stream that the container cannot hold is left
//     out, and Notices says so. Attachments, data streams and titles are not copied.
package encode

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/wwflow/wwflow/frame"
)

// Options says what to write. Width, Height and TimeBase are needed; CRF must be -1 for the codec's default.
type Options struct {
	Width, Height int            // of every frame
	TimeBase      frame.Rational // of every frame's PTS
	FrameRate     frame.Rational // average, a hint for the encoder; zero = unknown
	SampleAspect  frame.Rational // zero = not stated

	Codec          string            // one of Codecs; "" = h264, in WebM vp9
	CRF            int               // constant quality, less is better; -1 = the codec's default here
	EncoderOptions map[string]string // for the encoder, by libav's names; an unknown one is an error
	Threads        int               // 0 = the encoder's choice

	// Hardware is what encodes where Codec is "": "none" (also ""), "cuda" (NVENC) or "vaapi", which fail with ErrHardware
	// where there is none, or "auto", which then encodes in software and says why in Notices.
	Hardware string

	CopyFrom        string        // file whose audio and subtitles go along; "" = none
	Start, Duration time.Duration // its part, from its beginning; Duration 0 = to the end
	Shortest        bool          // copied streams end with the last frame
	Origin          time.Duration // the clock of the frames' input at its beginning (decode.Info.StartTime)

	Force bool // replace what exists
}

// Errors that a caller may want to tell apart. A full disk is syscall.ENOSPC.
var (
	ErrExists         = errors.New("it exists already")
	ErrNoFrames       = errors.New("no frame was written, so there is no video to finish")
	ErrCodecContainer = errors.New("codec and container do not go together")
	ErrOption         = errors.New("the encoder has no such option")
	ErrUnknown        = errors.New("no such codec or container") // its sentences say it in their own words
	ErrHardware       = errors.New("hardware can't encode it")
)

// unknown is an ErrUnknown in words of its own.
type unknown struct{ error }

func (unknown) Is(target error) bool { return target == ErrUnknown }

// sink is one kind of output. Its commit leaves everything under the final name.
type sink interface {
	write(f *frame.Frame) error
	commit() error
	close()
	notices() []string
}

// Writer writes one output. It is for one goroutine at a time. It owns libav's encoder and muxer and the
// temporary file; Close frees them in every case.
type Writer struct {
	ctx  context.Context
	path string
	o    Options
	sink sink
	err  error // what ended it
	last int64
	n    int
}

// pattern is the one printf verb that a name of pictures may have.
var pattern = regexp.MustCompile(`%(0\d)?d`)

// Create starts an output. The path's extension names the container (.mp4 .m4v .mov .mkv .webm); a path that
// ends in "/" or is a folder gets %06d.png pictures, as does one that ends like dir/%04d.png, counted from 0.
func Create(ctx context.Context, path string, o Options) (*Writer, error) {
	w := &Writer{ctx: ctx, path: path, o: o}
	if err := w.open(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, w.explain(err)
	}
	return w, nil
}

// Check finds what Create would refuse whatever the frames are, and creates nothing: what exists, a container or codec
// that is unknown, two that don't go together, options that the encoder does not have. A folder that is missing is not
// among them. Of the options it needs neither size nor time base.
func Check(path string, o Options) error {
	w := &Writer{ctx: context.Background(), path: path, o: o}
	folder, _, err := w.kind()
	if err == nil && folder == "" {
		err = tryEncoder(path, o)
	}
	if err != nil {
		return w.explain(err)
	}
	return nil
}

func (w *Writer) open() error {
	o := &w.o
	switch {
	case o.Width <= 0 || o.Height <= 0:
		return fmt.Errorf("frames of %dx%d are none", o.Width, o.Height)
	case o.Width > 1<<15 || o.Height > 1<<15:
		return fmt.Errorf("frames of %dx%d are larger than any codec here takes; scale them down", o.Width, o.Height)
	case o.TimeBase.Num <= 0 || o.TimeBase.Den <= 0:
		return fmt.Errorf("the time base %s is none", o.TimeBase)
	case o.Start < 0 || o.Duration < 0:
		return errors.New("the start and the duration cannot be negative")
	}
	if err := w.ctx.Err(); err != nil {
		return err
	}
	folder, name, err := w.kind()
	if err != nil {
		return err
	}
	if folder != "" {
		w.sink, err = newPictures(folder, name, o.Force)
		return err
	}
	w.sink, err = newVideo(w.ctx, w.path, o)
	return err
}

// kind says whether the path means pictures, and then in which folder and with what names, or a video; an error where
// that exists and is not to be replaced.
func (w *Writer) kind() (folder, name string, err error) {
	info, err := os.Stat(w.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", "", err
	}
	exists := err == nil
	_, lerr := os.Lstat(w.path)
	taken := lerr == nil // by a link that leads nowhere, too
	dir, base := filepath.Split(w.path)
	switch {
	case strings.HasSuffix(w.path, "/") || exists && info.IsDir():
		folder, name = filepath.Clean(w.path), "%06d.png"
	case strings.EqualFold(filepath.Ext(base), ".png"):
		if v := pattern.FindAllString(base, -1); len(v) != 1 || strings.Count(base, "%") != 1 {
			return "", "", errors.New("pictures need one number in their name, like out/%06d.png, or a folder, like out/")
		}
		folder, name = filepath.Clean(dir), base
	case taken && !w.o.Force:
		return "", "", ErrExists
	case exists && !info.Mode().IsRegular():
		return "", "", errors.New("it is no regular file; choose a file name") // the rename would replace a device
	default:
		return "", "", nil
	}
	if w.o.Codec != "" || w.o.CRF >= 0 || len(w.o.EncoderOptions) > 0 {
		return "", "", unknown{errors.New("PNG pictures have no codec, no quality and no encoder options; leave those out, or name a video")}
	}
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", "", err
	}
	if len(entries) > 0 && !w.o.Force {
		return "", "", ErrExists
	}
	return folder, name, nil
}

// Write adds a frame. Time stamps must grow, and each frame have the size and time base of Options.
// The frame may be used further by the caller.
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
		return fmt.Errorf("frame %d counts time in %s s, but the output in %s s", w.n, f.TimeBase, w.o.TimeBase)
	case w.n > 0 && f.PTS <= w.last:
		return fmt.Errorf("frame %d is not later than the one before", w.n)
	}
	return nil
}

// Commit finishes the output: it empties the encoder, copies what is left of the other streams, syncs the
// file to the disk and gives it its name. After an error nothing has the final name. Close must still be called.
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

// Notices are sentences for the user: what could not be kept in this output.
func (w *Writer) Notices() []string { return w.sink.notices() }

// Close frees everything, and deletes the unfinished file unless Commit has succeeded.
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

// explain makes one sentence of an error.
func (w *Writer) explain(err error) error {
	switch {
	case w.ctx.Err() != nil:
		return w.ctx.Err()
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("cannot write %s: the disk is full; free some space or write elsewhere (%w)", w.path, err)
	case errors.Is(err, fs.ErrNotExist):
		folder := filepath.Dir(w.path)
		if _, stat := os.Stat(folder); stat == nil {
			return fmt.Errorf("cannot write %s: the folder takes no files; write elsewhere (%w)", w.path, err)
		}
		return fmt.Errorf("cannot write %s: there is no folder %s; make it first (%w)", w.path, folder, fs.ErrNotExist)
	}
	return fmt.Errorf("cannot write %s: %w", w.path, err)
}
