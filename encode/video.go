package encode

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/asticode/go-astiav"

	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/atomicfile"
	"github.com/wwflow/wwflow/internal/libav"
)

// video encodes: frame -> filter graph (RGB to the codec's pixel format) -> encoder -> muxer -> target.
type video struct {
	o       *Options
	target  *target
	io      *astiav.IOContext
	mux     *astiav.FormatContext
	stream  *astiav.Stream
	encoder *encoder // nil where packets are copied from segments
	graph   *libav.Graph
	rgb     *astiav.Frame // filled from each frame
	yuv     *astiav.Frame
	packet  *astiav.Packet
	copier  *copier
	index   int // bytes to keep in front of the frames for the index of MP4 and MOV; 0 = move it there at the end

	zero      int64           // input time stamp that becomes 0, in units of TimeBase
	durations map[int64]int64 // by time stamp, of the frames inside the encoder: not all encoders keep them
	last      int64           // time stamp of the last frame
	step      int64           // duration of the last frame whose duration is known
	end       int64           // end of the last frame
	any       bool            // last is set
	out       bool            // the encoder has returned the last frame
	said      []string
}

func newVideo(ctx context.Context, path string, o *Options) (_ *video, err error) {
	muxer, c, err := choose(path, o)
	if err != nil {
		return nil, err
	}
	v := newUnencoded(o)
	defer func() {
		if err != nil {
			v.close()
		}
	}()
	if v.target, err = newTarget(ctx, path, o.Force); err != nil {
		return nil, err
	}
	var notice string
	if v.encoder, notice, err = openEncoder(c, o, muxer); err != nil {
		return nil, err
	}
	v.say(notice)
	if err = v.openGraph(); err != nil {
		return nil, err
	}
	parameters := func(to *astiav.CodecParameters) error { return to.FromCodecContext(v.encoder.context) }
	if err = v.openMuxer(ctx, muxer, parameters); err != nil {
		return nil, err
	}
	return v, v.writeHeader(muxer, c.mp4)
}

// newUnencoded returns a video without encoder, target and muxer.
func newUnencoded(o *Options) *video {
	return &video{o: o, durations: map[int64]int64{}, zero: libav.Units(o.Origin+o.Start, o.TimeBase, libav.Nearest)}
}

// say adds a notice, unless it is empty.
func (v *video) say(notice string) {
	if notice != "" {
		v.said = append(v.said, notice)
	}
}

func (v *video) openGraph() (err error) {
	c := v.encoder.codec
	width, height := c.size(v.o.Width, v.o.Height)
	v.rgb, v.yuv = astiav.AllocFrame(), astiav.AllocFrame()
	if v.rgb == nil || v.yuv == nil {
		return errors.New("out of memory")
	}
	v.rgb.SetWidth(width)
	v.rgb.SetHeight(height)
	v.rgb.SetPixelFormat(astiav.PixelFormatRgb24)
	if err := v.rgb.AllocBuffer(0); err != nil {
		return err
	}
	spec := "format=" + c.format
	if c.format != "bgr0" {
		matrix := "smpte170m"
		if isHD(v.o) {
			matrix = "bt709"
		}
		spec = "scale=flags=bilinear+accurate_rnd:out_color_matrix=" + matrix + ":out_range=tv," + spec
	}
	p := libav.Picture{Width: width, Height: height, Format: astiav.PixelFormatRgb24, TimeBase: v.o.TimeBase, SampleAspect: v.o.SampleAspect, Colors: libav.ColorsOf(v.rgb)}
	v.graph, err = libav.NewGraph(p, spec, v.o.Threads)
	return err
}

// openMuxer creates the muxer, its video stream with the codec's parameters, and the copied streams.
func (v *video) openMuxer(ctx context.Context, muxer string, parameters func(to *astiav.CodecParameters) error) (err error) {
	o, url := v.o, ""
	if f, ok := v.target.output.(*atomicfile.File); ok {
		url = "file:" + f.Name() // faststart opens the file a second time
	}
	if v.mux, err = astiav.AllocOutputFormatContext(nil, muxer, url); err != nil {
		return err
	}
	v.packet, v.stream = astiav.AllocPacket(), v.mux.NewStream(nil)
	if v.packet == nil || v.stream == nil {
		return errors.New("out of memory")
	}
	if err := parameters(v.stream.CodecParameters()); err != nil {
		return err
	}
	v.stream.SetTimeBase(libav.Ratio(o.TimeBase))
	v.stream.SetAvgFrameRate(libav.Ratio(o.FrameRate))
	v.stream.SetSampleAspectRatio(libav.Ratio(o.SampleAspect))
	if o.CopyFrom != "" {
		// In whole units of the frames' time base: all streams must be shifted by the same time.
		zero := frame.Frame{PTS: v.zero, TimeBase: o.TimeBase}
		if v.copier, err = newCopier(ctx, v.mux, muxer, zero.Time()-o.Origin, o); err != nil {
			return err
		}
		v.said = append(v.said, v.copier.said...)
	}
	return nil
}

// writeHeader begins the file. fourCC is the codec's code in MP4 and MOV, "" for the muxer's choice.
func (v *video) writeHeader(muxer, fourCC string) (err error) {
	options := astiav.NewDictionary()
	defer options.Free()
	for key, value := range v.muxerOptions(muxer, fourCC) {
		if err := options.Set(key, value, 0); err != nil {
			return err
		}
	}
	if v.io, err = v.target.open(); err != nil {
		return err
	}
	v.mux.SetPb(v.io)
	if err := v.mux.WriteHeader(options); err != nil {
		return v.cause(fmt.Errorf("the container refuses these streams: %w", err))
	}
	t, b := v.o.TimeBase, v.stream.TimeBase()
	if int64(t.Num)*int64(b.Den())%(int64(t.Den)*int64(b.Num())) != 0 {
		v.say(fmt.Sprintf("this container has a time base of %d/%d s, so time stamps of %s s are rounded; .mp4 keeps them", b.Num(), b.Den(), t))
	}
	return nil
}

// muxerOptions also sets the four-character code, which the muxer takes from the stream.
func (v *video) muxerOptions(muxer, fourCC string) map[string]string {
	options := map[string]string{"fflags": "+bitexact"} // without it, Matroska files have a random identifier
	if muxer != "mp4" && muxer != "mov" {
		return options
	}
	if t := fourCC; t != "" {
		v.stream.CodecParameters().SetCodecTag(astiav.CodecTag(uint32(t[0]) | uint32(t[1])<<8 | uint32(t[2])<<16 | uint32(t[3])<<24))
	}
	// The time scale of the movie, in which edit lists count, is 1 ms by default: too coarse for the beginning of a
	// stream.
	scale := int64(v.o.TimeBase.Den)
	for scale < 10000 {
		scale *= 2
	}
	options["movie_timescale"] = fmt.Sprint(min(scale, math.MaxInt32))
	switch {
	case v.target.stream():
		options["movflags"] = "+frag_keyframe+empty_moov+default_base_moof"
	case v.index > 0:
		options["moov_size"] = fmt.Sprint(v.index)
	case !v.o.segment:
		options["movflags"] = "+faststart"
	}
	return options
}

func (v *video) write(f *frame.Frame) error {
	if v.o.segment && !v.any {
		v.zero = f.PTS
	}
	pts := f.PTS - v.zero
	if v.any {
		if _, known := v.durations[v.last]; !known && !v.out {
			v.durations[v.last] = pts - v.last
		}
		v.step = pts - v.last
	}
	v.out = false
	if f.Duration > 0 {
		v.durations[pts] = f.Duration
		v.step = f.Duration
	}
	v.last, v.any, v.end = pts, true, pts+v.step
	// The graph returns a picture at once and keeps no reference to rgb, so rgb can be filled again.
	libav.FillRGB(v.rgb, f.Pix, f.Width, f.Height)
	v.rgb.SetPts(pts)
	if err := v.graph.PushCopy(v.rgb); err != nil {
		return err
	}
	if err := v.graph.Pull(v.yuv); err != nil {
		return err
	}
	v.yuv.SetPictureType(astiav.PictureTypeNone)
	if err := v.encoder.send(v.yuv); err != nil {
		return err
	}
	return v.drain()
}

// drain passes the encoder's packets to the muxer.
func (v *video) drain() error {
	for {
		more, err := v.encoder.receive(v.packet)
		if err != nil || !more {
			return err
		}
		pts := v.packet.Pts()
		if d, ok := v.durations[pts]; ok {
			v.packet.SetDuration(d)
			delete(v.durations, pts)
		} else {
			v.packet.SetDuration(v.step)
		}
		v.out = v.out || pts == v.last
		if err := v.deliver(); err != nil {
			return err
		}
	}
}

// deliver passes the packet, whose times are in the frames' time base, to the muxer, after the packets of the other streams
// up to its time.
func (v *video) deliver() error {
	if v.copier != nil {
		at := frame.Frame{PTS: v.packet.Dts(), TimeBase: v.o.TimeBase}
		if err := v.copier.until(v.mux, at.Time()); err != nil {
			v.packet.Unref()
			return v.cause(err)
		}
	}
	v.packet.SetStreamIndex(v.stream.Index())
	v.packet.RescaleTs(libav.Ratio(v.o.TimeBase), v.stream.TimeBase())
	if err := v.mux.WriteInterleavedFrame(v.packet); err != nil {
		return v.cause(err)
	}
	return v.target.err
}

// cause prefers the error of the system to FFmpeg's number for it.
func (v *video) cause(err error) error {
	if v.target.err != nil {
		return v.target.err
	}
	return err
}

func (v *video) commit() error {
	if err := v.encoder.send(nil); err != nil {
		return err
	}
	if err := v.drain(); err != nil {
		return err
	}
	return v.finish()
}

// finish copies the rest of the other streams and completes the file.
func (v *video) finish() error {
	if v.copier != nil {
		end := time.Duration(math.MaxInt64)
		if v.o.Shortest {
			f := frame.Frame{PTS: v.end, TimeBase: v.o.TimeBase}
			end = f.Time()
		}
		if err := v.copier.until(v.mux, end); err != nil {
			return v.cause(err)
		}
	}
	if err := v.mux.WriteTrailer(); err != nil {
		if v.index > 0 && v.target.err == nil {
			return errIndexSpace
		}
		return v.cause(err)
	}
	v.io.Flush()
	return v.target.commit()
}

func (v *video) notices() []string { return v.said }

func (v *video) close() {
	v.copier.close()
	v.graph.Close()
	v.encoder.close()
	for _, f := range []**astiav.Frame{&v.rgb, &v.yuv} {
		if *f != nil {
			(*f).Free()
			*f = nil
		}
	}
	if v.packet != nil {
		v.packet.Free()
		v.packet = nil
	}
	if v.mux != nil {
		v.mux.Free()
		v.mux = nil
	}
	if v.io != nil {
		v.io.Free()
		v.io = nil
	}
	if v.target != nil {
		v.target.Close()
	}
}
