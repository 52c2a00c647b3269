package decode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"time"

	"github.com/asticode/go-astiav"

	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/libav"
)

// video reads the frames of a video stream: demuxer, decoder, converter.
type video struct {
	converter
	inf    Info
	o      Options
	in     *libav.Input
	pipe   *os.File // read by in; nil for a file
	stream *astiav.Stream
	codec  *astiav.CodecContext
	device *libav.Hardware // nil = software decoding
	packet *astiav.Packet

	first, end int64 // selected part in units of the time base
	last       stamp // of the picture decoded last
	any        bool  // last is set
	early      bool  // a picture before the selected part was decoded
	sent       int64 // time stamp of the packet that was sent to the decoder last
	drained    bool  // all packets were sent
	lost       int   // damaged pictures in the selected part
	numbers    numbers
}

// openVideo opens a file, or what pipe delivers, at the first frame of the selected part, or shortly before frame
// Options.First of it. It takes over pipe, unless that is os.Stdin.
func openVideo(ctx context.Context, name string, pipe *os.File, o Options) (source, error) {
	v, err := openPart(ctx, name, pipe, o)
	if err != nil {
		return nil, err
	}
	if err := v.count(ctx, name); err != nil || o.First == 0 {
		return v, err
	}
	if v.inf.FramesExact && o.First >= v.inf.Frames {
		v.close()
		return nil, ErrWindow
	}
	return v.skip(ctx, name)
}

// openPart opens a video at the first frame of the selected part.
func openPart(ctx context.Context, name string, pipe *os.File, o Options) (*video, error) {
	if pipe == nil {
		v, err := seekTo(ctx, name, o, o.Start, math.MinInt64)
		if v != nil || err != nil {
			return v, err
		}
	}
	return openAt(ctx, name, pipe, o, 0, math.MinInt64)
}

// seekTo opens a video at the first frame with a time stamp of at least first, which is in the selected part and at a time
// after the beginning of the file. It returns nil where that takes reading from the beginning.
//
// Seeking is inexact: it uses decoding times, which precede presentation times, and some containers seek to frames that
// are not key frames. The position is right if a frame before the first one was decoded. Otherwise reading starts
// earlier, at last from the beginning. Pipes are always read from the beginning.
func seekTo(ctx context.Context, name string, o Options, at time.Duration, first int64) (*video, error) {
	for _, back := range []time.Duration{time.Second, 5 * time.Second, 25 * time.Second} {
		if at <= back {
			break
		}
		v, err := openAt(ctx, name, nil, o, at-back, first)
		if err == nil && v.early {
			return v, nil
		}
		if errors.Is(err, ErrWindow) || errors.Is(err, ErrHardware) {
			return nil, err
		}
		if v != nil {
			v.close()
		}
	}
	return nil, nil
}

// warmUp is how many frames before Options.First are decoded and dropped: deinterlacing uses a frame's neighbours.
const warmUp = 2

// skip continues shortly before frame Options.First of the selected part. Where the time stamps of all frames are known it
// opens the file again there and closes v. Otherwise frames are dropped by the Reader.
func (v *video) skip(ctx context.Context, name string) (source, error) {
	from := max(0, v.o.First-warmUp)
	if from == 0 || from >= len(v.numbers.times) {
		return v, nil
	}
	first := v.numbers.times[from]
	at := frame.Frame{PTS: first, TimeBase: v.base}
	w, err := seekTo(ctx, name, v.o, at.Time()-v.in.Origin(), first)
	if w == nil && err == nil {
		return v, nil
	}
	defer v.close()
	if err != nil {
		return nil, err
	}
	if w.width != v.width || w.height != v.height {
		w.close()
		return nil, &SizeError{fmt.Sprintf("frame %d", from), w.width, w.height, v.width, v.height}
	}
	// The number of the first picture was given when its place was not known.
	w.numbers = numbers{times: v.numbers.times, index: from, last: v.numbers.times[from-1]}
	w.heldAt.index = w.numbers.next(w.heldAt.pts, w.lost)
	w.inf.Frames, w.inf.FramesExact, w.interlaced = v.inf.Frames, v.inf.FramesExact, w.interlaced || v.interlaced
	return w, nil
}

// openAt opens the input, seeks to a time after its beginning unless that is 0, and decodes the first frame of the
// selected part whose time stamp is at least first.
func openAt(ctx context.Context, name string, pipe *os.File, o Options, at time.Duration, first int64) (v *video, err error) {
	v = &video{o: o, pipe: pipe}
	v.converter = converter{decoder: v, threads: o.Threads}
	defer func() {
		if err != nil {
			v.close()
			v = nil
		}
	}()
	if err = v.openInput(ctx, name); err != nil {
		return v, err
	}
	if v.stream = v.pick(); v.stream == nil {
		return v, ErrNoVideo
	}
	if err = v.openDecoder(); err != nil {
		return v, err
	}
	v.base = libav.Rational(v.stream.TimeBase())
	v.first, v.end = window(o, v.in.Origin(), v.base)
	v.first = max(v.first, first)
	if at > 0 {
		if err = v.in.SeekFrame(v.stream.Index(), libav.Units(v.in.Origin()+at, v.base, libav.Down), astiav.NewSeekFlags(astiav.SeekFlagBackward)); err != nil {
			return v, err
		}
	}
	if err = v.hold(ctx); err == io.EOF {
		// Only a frame before the selected part proves that seeking did not skip the part.
		if err = ErrNoFrames; v.early || v.any && at == 0 {
			err = ErrWindow
		}
	}
	if err != nil {
		return v, err
	}
	v.describe(name)
	return v, nil
}

func (v *video) openInput(ctx context.Context, name string) (err error) {
	if v.pipe == nil {
		v.in, err = libav.Open(ctx, name)
	} else if v.in, err = libav.OpenPipe(ctx, v.pipe); errors.Is(err, astiav.ErrEof) {
		return ErrEmpty
	}
	if err != nil {
		return fmt.Errorf("%w (FFmpeg: %v)", ErrFormat, err)
	}
	return nil
}

func (v *video) openDecoder() error {
	codec := v.findDecoder()
	if codec == nil {
		return fmt.Errorf("this FFmpeg has no decoder for its codec %s; convert the video first", v.stream.CodecParameters().CodecID().Name())
	}
	v.inf.Codec = codec.Name()
	if err := v.open(); err != nil {
		return err
	}
	v.packet, v.codec = astiav.AllocPacket(), astiav.AllocCodecContext(codec)
	if v.packet == nil || v.codec == nil {
		return errors.New("out of memory")
	}
	if err := v.stream.CodecParameters().ToCodecContext(v.codec); err != nil {
		return err
	}
	v.codec.SetFramerate(v.in.GuessFrameRate(v.stream, nil))
	v.codec.SetThreadCount(threads(v.o.Threads, v.codec))
	v.codec.SetThreadType(astiav.ThreadTypeFrame | astiav.ThreadTypeSlice)
	if err := v.openHardware(codec); err != nil {
		return err
	}
	if err := v.codec.Open(codec, nil); err != nil {
		return fmt.Errorf("the decoder %s does not start: %w", codec.Name(), err)
	}
	return nil
}

// smallFrame is the number of pixels up to which one thread decodes. Three take 13.5 ms of CPU time instead of 7.8 for 30 frames of
// 192x144, for starting and for handing over each packet, and are not faster.
const smallFrame = 640 * 360

// threads is the number of threads for a stream, where Options.Threads leaves it open.
func threads(wanted int, c *astiav.CodecContext) int {
	if pixels := c.Width() * c.Height(); wanted == 0 && pixels > 0 && pixels <= smallFrame {
		return 1
	}
	return wanted
}

// count fills in the number of frames. On error it closes v.
func (v *video) count(ctx context.Context, name string) error {
	if v.o.Uncounted {
		return nil
	}
	if s, err := os.Stat(name); v.pipe == nil && err == nil && s.Mode().IsRegular() && s.Size() <= countLimit {
		found, err := countPackets(ctx, name, v.stream.Index(), v.first, v.end, v.o.Frames)
		if err == nil {
			// In these formats each field of interlaced H.264 may be a packet.
			fields := v.interlaced && v.stream.CodecParameters().CodecID() == astiav.CodecIDH264 &&
				slices.Contains([]string{"mpegts", "mpeg", "h264"}, v.inf.Format)
			v.inf.Frames, v.inf.FramesExact = found.frames, !fields
			if !fields {
				v.numbers.times = found.times
			}
			return nil
		}
		if ctx.Err() != nil {
			v.close()
			return ctx.Err()
		}
	}
	if v.o.Start == 0 && v.o.Duration == 0 {
		v.inf.Frames = int(v.stream.NbFrames())
	}
	return nil
}

func (v *video) info() *Info {
	v.inf.Interlaced = v.interlaced
	return &v.inf
}

func (v *video) corrupt() int    { return v.lost }
func (v *video) frames() int     { return v.numbers.index + v.lost - v.numbers.placed }
func (v *video) name(int) string { return "" }
func (v *video) times() []int64  { return slices.Clone(v.numbers.times) }

func (v *video) close() {
	v.converter.close()
	if v.codec != nil {
		v.codec.Free()
	}
	v.device.Close()
	if v.packet != nil {
		v.packet.Free()
	}
	v.in.Close()
	if v.pipe != nil && v.pipe != os.Stdin {
		v.pipe.Close()
	}
}

// pick returns the first video stream that is not a cover image of an audio file.
func (v *video) pick() *astiav.Stream {
	var chosen *astiav.Stream
	streams := v.in.Streams()
	for _, s := range streams {
		p := s.CodecParameters()
		switch p.MediaType() {
		case astiav.MediaTypeAudio:
			v.inf.Audio++
		case astiav.MediaTypeSubtitle:
			v.inf.Subtitles++
		case astiav.MediaTypeVideo:
			still := p.CodecID() == astiav.CodecIDMjpeg || p.CodecID() == astiav.CodecIDPng || p.CodecID() == astiav.CodecIDBmp
			cover := still && s.AvgFrameRate().Num() == 0 && len(streams) > 1
			if chosen == nil && !cover {
				chosen = s
			}
		}
	}
	return chosen
}

// describe fills Info and the converter's settings from the stream and its first picture.
func (v *video) describe(name string) {
	i, st := &v.inf, v.stream
	v.turn, v.fixedTurn = orientationOf(v.raw, libav.StreamMatrix(st)), true
	in := filterInputOf(v.raw, v.turn, false)
	w, h := in.uprightSize()
	i.SampleAspect = libav.Rational(v.in.GuessSampleAspectRatio(st, v.raw))
	if v.turn.swapped() {
		i.SampleAspect.Num, i.SampleAspect.Den = i.SampleAspect.Den, i.SampleAspect.Num
	}
	v.width, v.height, v.aspect = scaled(w, v.o.Scale), scaled(h, v.o.Scale), i.SampleAspect
	i.Path, i.Format, i.Width, i.Height, i.Rotation, i.TimeBase = name, v.in.InputFormat().Name(), v.width, v.height, v.turn.degrees, v.base
	i.PixelFormat, i.BitDepth = v.raw.PixelFormat().Name(), libav.BitDepth(v.raw.PixelFormat())
	if i.FrameRate = libav.Rational(st.AvgFrameRate()); i.FrameRate.Num == 0 {
		i.FrameRate = libav.Rational(v.in.GuessFrameRate(st, nil))
	}
	if d := st.Duration(); d > 0 {
		f := frame.Frame{PTS: d, TimeBase: v.base}
		i.Duration = f.Time()
	} else if d := v.in.Duration(); d > 0 {
		i.Duration = time.Duration(d) * time.Microsecond
	}
	i.StartTime = v.in.Origin()
	_, i.ColorAssumed = completeColors(v.raw)
	i.ColorRange, i.ColorMatrix, i.ColorTransfer = in.colors.RangeName(), in.colors.SpaceName(), in.colors.TransferName()
	i.ToneMapped = isHDR(in.colors) && canToneMap() && !libav.IsRGB(in.format)
	if v.device != nil {
		i.Hardware = v.device.Kind
		i.PixelFormat = st.CodecParameters().PixelFormat().Name()
		if v.device.Refused() {
			i.Hardware, i.InSoftware = "", v.refusal()
		}
	}
}
