package decode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/asticode/go-astiav"

	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/libav"
)

// video reads what libav demuxes: packet -> decoder -> filter graph -> Frame.
type video struct {
	inf     Info
	o       Options
	in      *libav.Input
	pipe    *os.File // what in reads, where it is no file
	stream  *astiav.Stream
	decoder *astiav.CodecContext
	device  *libav.Hardware // nil: software decodes
	packet  *astiav.Packet
	raw     *astiav.Frame // as decoded
	rgb     *astiav.Frame // as it leaves the graph
	turn    []string

	graph   *libav.Graph
	look    look    // what graph was made for
	held    bool    // raw waits for a graph that fits it
	stamps  []stamp // of the pictures inside graph, which hands on one for one and in order
	base    frame.Rational
	first   int64 // window, in units of base
	end     int64
	last    stamp // of the picture decoded before
	any     bool  // last is one
	early   bool  // a picture before the window was decoded
	sent    int64 // time stamp of the packet that the decoder got last
	drained bool  // no packet follows
	ended   bool  // no picture follows
	lost    int
}

type stamp struct{ pts, duration int64 }

// openVideo opens a file, or what pipe delivers, at the first frame of the chosen part. It owns pipe, unless that is os.Stdin.
func openVideo(ctx context.Context, name string, pipe *os.File, o Options) (source, error) {
	// Seeking is a guess: it goes by decoding time, which runs ahead of presentation, and some containers
	// land between key pictures. So it is right only if something before the part was decoded as well;
	// otherwise it starts further back, and at last at the beginning. A pipe is always read from there.
	if pipe == nil {
		for _, back := range []time.Duration{time.Second, 5 * time.Second, 25 * time.Second} {
			if o.Start <= back {
				break
			}
			v, err := openAt(ctx, name, nil, o, o.Start-back)
			if err == nil && v.early {
				return v, v.countFrames(ctx, name)
			}
			if errors.Is(err, ErrWindow) || errors.Is(err, ErrHardware) {
				return nil, err
			}
			if v != nil {
				v.close()
			}
		}
	}
	v, err := openAt(ctx, name, pipe, o, 0)
	if err != nil {
		return nil, err
	}
	return v, v.countFrames(ctx, name)
}

// openAt opens the input, seeks to a time after its beginning unless that is 0, and decodes the part's first frame.
func openAt(ctx context.Context, name string, pipe *os.File, o Options, at time.Duration) (v *video, err error) {
	v = &video{o: o, pipe: pipe}
	defer func() {
		if err != nil {
			v.close()
			v = nil
		}
	}()
	if pipe != nil {
		v.in, err = libav.OpenPipe(ctx, pipe)
	} else {
		v.in, err = libav.Open(ctx, name)
	}
	if err != nil {
		if pipe != nil && errors.Is(err, astiav.ErrEof) {
			return v, ErrEmpty
		}
		return v, fmt.Errorf("%w (libav: %v)", ErrFormat, err)
	}
	if v.stream = v.pick(); v.stream == nil {
		return v, ErrNoVideo
	}
	if err = v.openDecoder(); err != nil {
		return v, err
	}
	v.base = libav.Rational(v.stream.TimeBase())
	v.first, v.end = window(o, v.in.Origin(), v.base)
	if at > 0 {
		if err = v.in.SeekFrame(v.stream.Index(), libav.Units(v.in.Origin()+at, v.base, libav.Down), astiav.NewSeekFlags(astiav.SeekFlagBackward)); err != nil {
			return v, err
		}
	}
	if err = v.decoded(ctx); err == io.EOF {
		// Only a picture before the part shows that the seek did not jump over it.
		if err = ErrNoFrames; v.early || v.any && at == 0 {
			err = ErrWindow
		}
	}
	if err != nil {
		return v, err
	}
	v.held = true
	v.describe(name)
	return v, nil
}

// pick chooses the first stream of moving pictures: a cover (one still beside the sound) is none.
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

func (v *video) openDecoder() error {
	st := v.stream
	codec := v.codec()
	if codec == nil {
		return errors.New("this FFmpeg has no decoder for its video codec")
	}
	v.inf.Codec = codec.Name()
	v.packet, v.raw, v.rgb = astiav.AllocPacket(), astiav.AllocFrame(), astiav.AllocFrame()
	v.decoder = astiav.AllocCodecContext(codec)
	if v.packet == nil || v.raw == nil || v.rgb == nil || v.decoder == nil {
		return errors.New("out of memory")
	}
	if err := st.CodecParameters().ToCodecContext(v.decoder); err != nil {
		return err
	}
	v.decoder.SetFramerate(v.in.GuessFrameRate(st, nil))
	v.decoder.SetThreadCount(v.o.Threads)
	v.decoder.SetThreadType(astiav.ThreadTypeFrame | astiav.ThreadTypeSlice)
	if err := v.openHardware(codec); err != nil {
		return err
	}
	if err := v.decoder.Open(codec, nil); err != nil {
		return fmt.Errorf("the %s decoder does not start: %w", codec.Name(), err)
	}
	return nil
}

// describe fills Info from the streams and from the first decoded picture, in v.raw.
func (v *video) describe(name string) {
	i, st := &v.inf, v.stream
	i.Path = name
	i.Format = v.in.InputFormat().Name()
	i.PixelFormat = v.raw.PixelFormat().Name()
	i.BitDepth = libav.BitDepth(v.raw.PixelFormat())
	matrix := st.SideData(astiav.PacketSideDataTypeDisplaymatrix)
	if s := v.raw.SideData(astiav.FrameSideDataTypeDisplaymatrix); s != nil {
		matrix = s.Data()
	}
	var swap bool
	v.turn, i.Rotation, swap = upright(matrix)
	w, h := v.raw.Width(), v.raw.Height()
	i.SampleAspect = libav.Rational(v.in.GuessSampleAspectRatio(st, v.raw))
	if swap {
		w, h = h, w
		i.SampleAspect.Num, i.SampleAspect.Den = i.SampleAspect.Den, i.SampleAspect.Num
	}
	i.Width, i.Height = scaled(w, v.o.Scale), scaled(h, v.o.Scale)
	i.TimeBase = v.base
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
	var c libav.Colors
	c, i.ColorAssumed = resolve(v.raw)
	i.ColorRange, i.ColorMatrix, i.ColorTransfer = c.RangeName(), c.SpaceName(), c.TransferName()
	i.ToneMapped = isHDR(c) && canToneMap() && !libav.IsRGB(v.raw.PixelFormat())
	v.note(v.raw)
	if v.device != nil {
		i.Hardware = v.device.Kind
		i.PixelFormat = st.CodecParameters().PixelFormat().Name()
		if v.device.Refused() {
			i.Hardware, i.InSoftware = "", v.refusal()
		}
	}
}

// note keeps in Info whether interlaced pictures were met.
func (v *video) note(f *astiav.Frame) {
	if libav.Interlaced(f) {
		v.inf.Interlaced = true
		v.inf.Deinterlaced = v.o.Deinterlace != "off"
	}
}

// countFrames fills in how many frames there will be. On error v is closed.
func (v *video) countFrames(ctx context.Context, name string) error {
	if v.o.Uncounted {
		return nil
	}
	if s, err := os.Stat(name); name != "-" && err == nil && s.Mode().IsRegular() && s.Size() <= countLimit {
		n, err := count(ctx, name, v.stream.Index(), v.first, v.end, v.o.Frames)
		if err == nil {
			// Where nothing but a parser tells pictures apart, each field of interlaced H.264 may be a packet of its own.
			parsed := slices.Contains([]string{"mpegts", "mpeg", "h264"}, v.inf.Format)
			v.inf.Frames, v.inf.FramesExact = n, !(parsed && v.inf.Interlaced && v.stream.CodecParameters().CodecID() == astiav.CodecIDH264)
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

func (v *video) info() *Info  { return &v.inf }
func (v *video) corrupt() int { return v.lost }

// next pulls from the graph, and feeds it until something comes out.
func (v *video) next(ctx context.Context) (*frame.Frame, error) {
	for {
		if v.graph != nil {
			err := v.graph.Pull(v.rgb)
			switch {
			case err == nil:
				return v.take(), nil
			case err == io.EOF:
				v.graph.Close()
				v.graph = nil
			case err != libav.ErrMore:
				return nil, err
			}
		}
		if v.graph == nil && v.ended {
			return nil, io.EOF
		}
		if !v.held {
			err := v.decoded(ctx)
			if err == io.EOF {
				v.ended = true
				if v.graph != nil {
					err = v.graph.Push(nil)
				} else {
					err = nil
				}
				if err != nil {
					return nil, err
				}
				continue
			}
			if err != nil {
				return nil, err
			}
			v.held = true
		}
		if err := v.push(); err != nil {
			return nil, err
		}
	}
}

// push hands v.raw to the graph. If the pictures have changed their looks it closes the old graph's
// entrance instead, and keeps v.raw until the old one has run empty.
func (v *video) push() error {
	v.note(v.raw)
	c, _ := resolve(v.raw)
	l := look{v.raw.Width(), v.raw.Height(), v.raw.PixelFormat(), c, v.inf.Deinterlaced}
	if v.graph != nil && l != v.look {
		return v.graph.Push(nil)
	}
	if v.graph == nil {
		if v.look.width != 0 && (l.width != v.look.width || l.height != v.look.height) {
			return &SizeError{"the next frame", l.width, l.height, v.look.width, v.look.height}
		}
		p := libav.Picture{Width: l.width, Height: l.height, Format: l.format, TimeBase: v.base, SampleAspect: v.inf.SampleAspect}
		g, err := libav.NewGraph(p, chain(l, v.turn, v.inf.Width, v.inf.Height), v.o.Threads)
		if err != nil {
			return err
		}
		v.graph, v.look = g, l
	}
	libav.SetColors(v.raw, c)
	v.stamps = append(v.stamps, v.last)
	v.held = false
	return v.graph.Push(v.raw)
}

// take turns v.rgb into a Frame of its own memory.
func (v *video) take() *frame.Frame {
	s := v.stamps[0]
	v.stamps = v.stamps[1:]
	w, h := v.rgb.Width(), v.rgb.Height()
	f := &frame.Frame{PTS: s.pts, Duration: s.duration, TimeBase: v.base, Width: w, Height: h, Pix: make([]byte, 3*w*h)}
	libav.CopyRGB(f.Pix, v.rgb)
	v.rgb.Unref()
	return f
}

// decoded decodes the next sound picture of the window into v.raw, and its times into v.last.
func (v *video) decoded(ctx context.Context) error {
	for errs := 0; ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := v.decoder.ReceiveFrame(v.raw)
		switch {
		case err == nil:
			errs = 0
			if v.device != nil {
				if err := v.device.Fetch(v.raw); err != nil {
					return err
				}
			}
			s := v.stamp()
			damaged := libav.Damaged(v.raw)
			switch {
			case s.pts < v.first:
				v.early = true
			case s.pts >= v.end:
				v.raw.Unref()
				return io.EOF
			case damaged:
				v.lost++
			default:
				return nil
			}
			v.raw.Unref()
		case errors.Is(err, astiav.ErrEagain):
			if err := v.feed(); err != nil {
				return err
			}
		case errors.Is(err, astiav.ErrEof):
			return io.EOF
		case v.device != nil && v.device.Refused() && v.o.Hardware != "auto":
			return fmt.Errorf("%w: %s", ErrHardware, v.refusal())
		default:
			v.lose()
			if errs++; errs > 1000 {
				return fmt.Errorf("the decoder gives up: %w", err)
			}
		}
	}
}

// stamp is v.raw's time, made to grow.
func (v *video) stamp() stamp {
	s := stamp{libav.Time(v.raw), max(0, libav.Duration(v.raw))}
	if v.any && (s.pts == libav.NoTime || s.pts <= v.last.pts) {
		s.pts = v.last.pts + max(1, v.last.duration)
	} else if s.pts == libav.NoTime {
		s.pts = libav.Units(v.in.Origin(), v.base, libav.Down)
	}
	v.last, v.any = s, true
	return s
}

// feed gives the decoder one packet, or tells it that none follows.
func (v *video) feed() error {
	for errs := 0; !v.drained; {
		err := v.in.Next(v.packet)
		switch {
		case err == io.EOF:
			v.drain()
			return nil
		case errors.Is(err, astiav.ErrInvaliddata):
			v.lose()
			if errs++; errs > 100 { // the demuxer does not find its way back: this is where the file ends
				v.drain()
				return nil
			}
			continue
		case err != nil:
			return err
		}
		if v.packet.StreamIndex() != v.stream.Index() {
			v.packet.Unref()
			continue
		}
		v.sent = v.packet.Pts()
		err = v.decoder.SendPacket(v.packet)
		v.packet.Unref()
		if err != nil {
			if v.device != nil && v.device.Refused() && v.o.Hardware != "auto" {
				return fmt.Errorf("%w: %s", ErrHardware, v.refusal())
			}
			v.lose()
			continue
		}
		return nil
	}
	return nil
}

// drain tells the decoder that no packet follows. With several threads it decodes behind the packets, and what
// it answers then is the fault of one that it was given before.
func (v *video) drain() {
	v.drained = true
	if v.decoder.SendPacket(nil) != nil {
		v.lose()
	}
}

// lose counts a picture that gave no frame, if it lies in the window.
func (v *video) lose() {
	if v.sent == libav.NoTime || v.sent >= v.first && v.sent < v.end {
		v.lost++
	}
}

func (v *video) close() {
	v.graph.Close()
	if v.decoder != nil {
		v.decoder.Free()
	}
	v.device.Close()
	if v.packet != nil {
		v.packet.Free()
	}
	if v.raw != nil {
		v.raw.Free()
	}
	if v.rgb != nil {
		v.rgb.Free()
	}
	v.in.Close()
	if v.pipe != nil && v.pipe != os.Stdin {
		v.pipe.Close()
	}
}
