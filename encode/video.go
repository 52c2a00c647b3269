package encode

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/asticode/go-astiav"

	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/libav"
)

// video encodes: Frame -> filter graph (RGB to the codec's pixels) -> encoder -> muxer -> target.
type video struct {
	o       *Options
	file    *target
	pipe    *astiav.IOContext
	mux     *astiav.FormatContext
	stream  *astiav.Stream
	encoder *astiav.CodecContext
	upload  *libav.Upload // nil: the encoder takes pictures from main memory
	graph   *libav.Graph
	rgb     *astiav.Frame // filled from each Frame
	yuv     *astiav.Frame
	packet  *astiav.Packet
	copier  *copier

	zero      int64           // input time that becomes zero, in TimeBase
	durations map[int64]int64 // of the frames inside the encoder, by time stamp: not every encoder keeps them
	last      int64           // time stamp of the last frame
	step      int64           // duration of the last frame whose duration is known
	end       int64           // end of the last frame
	any       bool
	out       bool // the encoder has given the last frame back already
	said      []string
}

func newVideo(ctx context.Context, path string, o *Options) (_ *video, err error) {
	muxer, c, err := choose(path, o)
	if err != nil {
		return nil, err
	}
	v := &video{o: o, durations: map[int64]int64{}, zero: libav.Units(o.Origin+o.Start, o.TimeBase, libav.Nearest)}
	defer func() {
		if err != nil {
			v.close()
		}
	}()
	if v.file, err = newTarget(path, o.Force); err != nil {
		return nil, err
	}
	if v.mux, err = astiav.AllocOutputFormatContext(nil, muxer, "file:"+v.file.temporary); err != nil {
		return nil, err
	}
	if c, err = v.openCodec(c); err != nil {
		return nil, err
	}
	if err = v.openGraph(c); err != nil {
		return nil, err
	}
	v.packet = astiav.AllocPacket()
	v.stream = v.mux.NewStream(nil)
	if v.packet == nil || v.stream == nil {
		return nil, errors.New("out of memory")
	}
	if err = v.stream.CodecParameters().FromCodecContext(v.encoder); err != nil {
		return nil, err
	}
	v.stream.SetTimeBase(libav.Ratio(o.TimeBase))
	v.stream.SetAvgFrameRate(libav.Ratio(o.FrameRate))
	v.stream.SetSampleAspectRatio(libav.Ratio(o.SampleAspect))
	if o.CopyFrom != "" {
		// Whole units of the frames' time base: sound and pictures must move together.
		zero := frame.Frame{PTS: v.zero, TimeBase: o.TimeBase}
		if v.copier, err = newCopier(ctx, v.mux, muxer, zero.Time()-o.Origin, o); err != nil {
			return nil, err
		}
		v.said = append(v.said, v.copier.said...)
	}
	options := astiav.NewDictionary()
	defer options.Free()
	if muxer == "mp4" || muxer == "mov" {
		if c.mp4 != "" {
			t := c.mp4
			v.stream.CodecParameters().SetCodecTag(astiav.CodecTag(uint32(t[0]) | uint32(t[1])<<8 | uint32(t[2])<<16 | uint32(t[3])<<24))
		}
		// Edit lists count in the movie's time scale, a millisecond by default: too coarse for where a stream begins.
		scale := int64(o.TimeBase.Den)
		for scale < 10000 {
			scale *= 2
		}
		for k, s := range map[string]string{"movflags": "+faststart", "movie_timescale": fmt.Sprint(min(scale, math.MaxInt32))} {
			if err = options.Set(k, s, 0); err != nil {
				return nil, err
			}
		}
	}
	if v.pipe, err = v.file.pipe(); err != nil {
		return nil, err
	}
	v.mux.SetPb(v.pipe)
	if err = v.mux.WriteHeader(options); err != nil {
		return nil, v.cause(fmt.Errorf("the container refuses these streams: %w", err))
	}
	b := v.stream.TimeBase()
	if int64(o.TimeBase.Num)*int64(b.Den())%(int64(o.TimeBase.Den)*int64(b.Num())) != 0 {
		v.said = append(v.said, fmt.Sprintf("this container counts time in %d/%d s, so the input's times (%s s) are rounded; .mp4 keeps them",
			b.Num(), b.Den(), o.TimeBase))
	}
	return v, nil
}

// tryEncoder finds what is wrong with the codec and its options by opening a software encoder for pictures of no
// matter what size. Hardware's are opened once, for the real ones.
func tryEncoder(path string, o Options) error {
	muxer, c, err := choose(path, &o)
	if err != nil || c.hardware != "" {
		return err
	}
	o.Width, o.Height, o.TimeBase, o.FrameRate = 256, 256, frame.Rational{Num: 1, Den: 25}, frame.Rational{Num: 25, Den: 1}
	v := &video{o: &o}
	defer v.close()
	if v.mux, err = astiav.AllocOutputFormatContext(nil, muxer, ""); err != nil {
		return err
	}
	if err = v.openEncoder(c); errors.Is(err, ErrOption) {
		return err
	}
	return nil // what it has against this size is for the real one to say
}

func (v *video) openEncoder(c codec) error {
	o, enc := v.o, astiav.FindEncoderByName(c.encoder)
	width, height := grow(o.Width, c.even[0]), grow(o.Height, c.even[1])
	if c.crf < 0 && o.CRF >= 0 {
		return fmt.Errorf("%w: %s has no CRF; leave it out", ErrOption, o.Codec)
	}
	if c.encoder == "libsvtav1" && os.Getenv("SVT_LOG") == "" {
		// SVT-AV1 has no other way to be told that it should not print.
		if err := os.Setenv("SVT_LOG", "1"); err != nil {
			return err
		}
	}
	v.encoder = astiav.AllocCodecContext(enc)
	if v.encoder == nil {
		return errors.New("out of memory")
	}
	v.encoder.SetWidth(width)
	v.encoder.SetHeight(height)
	v.encoder.SetPixelFormat(astiav.FindPixelFormatByName(c.format))
	v.encoder.SetTimeBase(libav.Ratio(o.TimeBase))
	v.encoder.SetFramerate(libav.Ratio(o.FrameRate))
	v.encoder.SetSampleAspectRatio(libav.Ratio(o.SampleAspect))
	v.encoder.SetThreadCount(o.Threads)
	if v.mux.OutputFormat().Flags().Has(astiav.IOFormatFlagGlobalheader) {
		v.encoder.SetFlags(v.encoder.Flags().Add(astiav.CodecContextFlagGlobalHeader))
	}
	if err := v.openDevice(c); err != nil {
		return err
	}
	set := map[string]string{}
	for k, s := range v.tags(c) {
		set[k] = s
	}
	for k, s := range c.options {
		set[k] = s
	}
	if crf := o.CRF; c.crf >= 0 {
		if crf < 0 {
			crf = c.crf
		}
		set[cmp.Or(c.quality, "crf")] = fmt.Sprint(crf)
	}
	for k, s := range o.EncoderOptions {
		switch k {
		case "preset":
			if len(c.presets) > 0 && !slices.Contains(c.presets, s) {
				return fmt.Errorf("%w: preset %q; it is one of %s", ErrOption, s, strings.Join(c.presets, ", "))
			}
		case "x264-params":
			k = "x264opts" // the same, but a mistake in it is an error
		case "x265-params":
			s = set[k] + ":" + s
		}
		set[k] = s
	}
	options := astiav.NewDictionary()
	defer options.Free()
	for k, s := range set {
		if err := options.Set(k, s, 0); err != nil {
			return err
		}
	}
	if err := v.encoder.Open(enc, options); err != nil {
		if c.hardware != "" {
			return fmt.Errorf("%w: %s: %s refuses %dx%d with %s: %w", ErrHardware, c.hardware, c.encoder, width, height, settings(set), err)
		}
		return fmt.Errorf("the encoder %s refuses %dx%d with %s: %w", c.encoder, width, height, settings(set), err)
	}
	var unknown []string
	for e := options.Get("", nil, astiav.NewDictionaryFlags(astiav.DictionaryFlagIgnoreSuffix)); e != nil; e = options.Get("", e, astiav.NewDictionaryFlags(astiav.DictionaryFlagIgnoreSuffix)) {
		unknown = append(unknown, e.Key())
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		return fmt.Errorf("%w: %s; see ffmpeg -h encoder=%s", ErrOption, strings.Join(unknown, ", "), c.encoder)
	}
	return nil
}

// settings writes options in a fixed order.
func settings(m map[string]string) string {
	var s []string
	for k, x := range m {
		s = append(s, k+"="+x)
	}
	sort.Strings(s)
	return strings.Join(s, " ")
}

// hd says whether a picture's colours are BT.709 by custom, and BT.601 otherwise.
func (v *video) hd() bool { return v.o.Height >= 720 || v.o.Width >= 1280 }

func (v *video) tags(c codec) map[string]string {
	switch {
	case c.format == "bgr0":
		return map[string]string{"color_range": "pc"}
	case v.hd():
		return map[string]string{"color_range": "tv", "colorspace": "bt709", "color_primaries": "bt709", "color_trc": "bt709"}
	}
	return map[string]string{"color_range": "tv", "colorspace": "smpte170m", "color_primaries": "smpte170m", "color_trc": "smpte170m"}
}

func (v *video) openGraph(c codec) (err error) {
	width, height := grow(v.o.Width, c.even[0]), grow(v.o.Height, c.even[1])
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
		if v.hd() {
			matrix = "bt709"
		}
		spec = "scale=flags=bilinear+accurate_rnd:out_color_matrix=" + matrix + ":out_range=tv," + spec
	}
	p := libav.Picture{Width: width, Height: height, Format: astiav.PixelFormatRgb24, TimeBase: v.o.TimeBase, SampleAspect: v.o.SampleAspect}
	v.graph, err = libav.NewGraph(p, spec, v.o.Threads)
	return err
}

func (v *video) write(f *frame.Frame) error {
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
	// The graph hands on at once, so it has let go of the picture before it is filled again.
	libav.FillRGB(v.rgb, f.Pix, f.Width, f.Height)
	v.rgb.SetPts(pts)
	if err := v.graph.PushCopy(v.rgb); err != nil {
		return err
	}
	if err := v.graph.Pull(v.yuv); err != nil {
		return err
	}
	v.yuv.SetPictureType(astiav.PictureTypeNone)
	if v.upload != nil {
		if err := v.upload.Bring(v.yuv); err != nil {
			return err
		}
	}
	err := v.encoder.SendFrame(v.yuv)
	v.yuv.Unref()
	if err != nil {
		return fmt.Errorf("the encoder fails: %w", err)
	}
	return v.drain()
}

// drain hands the encoder's packets to the muxer, after what the other streams have until then.
func (v *video) drain() error {
	for {
		err := v.encoder.ReceivePacket(v.packet)
		if errors.Is(err, astiav.ErrEagain) || errors.Is(err, astiav.ErrEof) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the encoder fails: %w", err)
		}
		pts := v.packet.Pts()
		if d, ok := v.durations[pts]; ok {
			v.packet.SetDuration(d)
			delete(v.durations, pts)
		} else {
			v.packet.SetDuration(v.step)
		}
		v.out = v.out || pts == v.last
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
		if v.file.err != nil {
			return v.file.err
		}
	}
}

// cause prefers the system's own error to libav's number for it.
func (v *video) cause(err error) error {
	if v.file != nil && v.file.err != nil {
		return v.file.err
	}
	return err
}

func (v *video) commit() error {
	if err := v.encoder.SendFrame(nil); err != nil {
		return fmt.Errorf("the encoder fails: %w", err)
	}
	if err := v.drain(); err != nil {
		return err
	}
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
		return v.cause(err)
	}
	v.pipe.Flush()
	return v.file.commit()
}

func (v *video) notices() []string { return v.said }

func (v *video) close() {
	v.copier.close()
	v.graph.Close()
	v.freeEncoder()
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
	if v.pipe != nil {
		v.pipe.Free()
		v.pipe = nil
	}
	if v.file != nil {
		v.file.close()
		v.file = nil
	}
}
