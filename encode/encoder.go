package encode

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/asticode/go-astiav"

	"github.com/wwflow/wwflow/internal/libav"
)

// encoder is one of FFmpeg's encoders.
type encoder struct {
	codec
	context  *astiav.CodecContext
	settings map[string]string
	upload   *libav.Upload // nil: the encoder takes pictures in main memory
	opened   bool
	frames   int  // sent
	ended    bool // the end was sent
}

// checkEncoder returns the errors of a codec and its options. The encoder itself is started only for options that
// nothing else checks, because starting it is slow.
func checkEncoder(path string, o Options) error {
	muxer, c, err := choose(path, &o)
	if err != nil {
		return err
	}
	o.Width, o.Height, o.TimeBase.Num, o.TimeBase.Den = 256, 256, 1, 25
	o.FrameRate = o.TimeBase
	o.FrameRate.Num, o.FrameRate.Den = 25, 1
	e, err := newEncoder(c, &o, muxer)
	if err != nil {
		return err
	}
	defer e.close()
	for _, key := range []string{"x264opts", "x264-params", "x265-params"} {
		if o.EncoderOptions[key] == "" {
			continue
		}
		if err := e.open(); err != nil {
			return fmt.Errorf("%w: %w", ErrOption, err)
		}
		break
	}
	return nil
}

// newEncoder prepares an encoder for a muxer and checks its options.
func newEncoder(c codec, o *Options, muxer string) (e *encoder, err error) {
	enc := astiav.FindEncoderByName(c.encoder)
	if enc == nil && c.hardware != "" {
		return nil, fmt.Errorf("%w: this FFmpeg was built without %s", ErrHardware, c.encoder)
	}
	e = &encoder{codec: c, context: astiav.AllocCodecContext(enc)}
	if e.context == nil {
		return nil, errors.New("out of memory")
	}
	defer func() {
		if err != nil {
			e.close()
		}
	}()
	width, height := c.size(o.Width, o.Height)
	e.context.SetWidth(width)
	e.context.SetHeight(height)
	e.context.SetPixelFormat(astiav.FindPixelFormatByName(c.format))
	e.context.SetTimeBase(libav.Ratio(o.TimeBase))
	e.context.SetFramerate(libav.Ratio(o.FrameRate))
	e.context.SetSampleAspectRatio(libav.Ratio(o.SampleAspect))
	e.context.SetThreadCount(o.Threads)
	if f := astiav.FindOutputFormat(muxer); f != nil && f.Flags().Has(astiav.IOFormatFlagGlobalheader) {
		e.context.SetFlags(e.context.Flags().Add(astiav.CodecContextFlagGlobalHeader))
	}
	if e.settings, err = c.allSettings(o); err != nil {
		return nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(e.settings)) {
		err := libav.SetOption(e.context, key, e.settings[key])
		switch {
		case errors.Is(err, astiav.ErrOptionNotFound):
			return nil, fmt.Errorf("%w: %s has no option %q; see ffmpeg -h encoder=%s", ErrOption, c.encoder, key, c.encoder)
		case err != nil:
			return nil, fmt.Errorf("%w: %s does not take %s=%s (%w); see ffmpeg -h encoder=%s", ErrOption, c.encoder, key, e.settings[key], err, c.encoder)
		}
	}
	return e, nil
}

// allSettings returns the options of the encoder: colour tags, defaults, CRF, and the user's options.
func (c *codec) allSettings(o *Options) (map[string]string, error) {
	set := colorTags(c, o)
	maps.Copy(set, c.options)
	if c.crf < 0 && o.CRF >= 0 {
		return nil, fmt.Errorf("%w: %s has no CRF; leave it out", ErrOption, c.encoder)
	}
	if c.crf >= 0 {
		set[c.crfOption()] = strconv.Itoa(c.crf)
		if o.CRF >= 0 {
			set[c.crfOption()] = strconv.Itoa(o.CRF)
		}
	}
	for key, value := range o.EncoderOptions {
		switch key {
		case "preset":
			if len(c.presets) > 0 && !slices.Contains(c.presets, value) {
				return nil, fmt.Errorf("%w: unknown preset %q; use one of %s", ErrOption, value, strings.Join(c.presets, ", "))
			}
		case "x264-params":
			key = "x264opts" // the same option, except that mistakes in it are errors
		case "x265-params":
			value = set[key] + ":" + value
		}
		set[key] = value
	}
	if crf, err := strconv.ParseFloat(set[c.crfOption()], 64); c.crf >= 0 && err == nil && (crf < 0 || crf > float64(c.maxCRF)) {
		return nil, fmt.Errorf("%w: CRF %v is out of range; %s takes 0 to %d, and lower is better", ErrOption, crf, c.encoder, c.maxCRF)
	}
	return set, nil
}

// isHD reports whether colours are BT.709 by convention, and BT.601 otherwise.
func isHD(o *Options) bool { return o.Height >= 720 || o.Width >= 1280 }

func colorTags(c *codec, o *Options) map[string]string {
	switch {
	case c.format == "bgr0":
		return map[string]string{"color_range": "pc"}
	case isHD(o):
		return map[string]string{"color_range": "tv", "colorspace": "bt709", "color_primaries": "bt709", "color_trc": "bt709"}
	}
	return map[string]string{"color_range": "tv", "colorspace": "smpte170m", "color_primaries": "smpte170m", "color_trc": "smpte170m"}
}

// open starts the encoder.
func (e *encoder) open() error {
	if e.isSVT() && os.Getenv("SVT_LOG") == "" {
		// Otherwise SVT-AV1 prints to stderr. It has no other setting for that.
		if err := os.Setenv("SVT_LOG", "0"); err != nil {
			return err
		}
	}
	if err := e.openDevice(); err != nil {
		return err
	}
	err := e.context.Open(astiav.FindEncoderByName(e.encoder), nil)
	if err == nil {
		e.opened = true
		return nil
	}
	var list []string
	for _, key := range slices.Sorted(maps.Keys(e.settings)) {
		list = append(list, key+"="+e.settings[key])
	}
	refusal := fmt.Errorf("%s refuses %dx%d with %s: %w", e.encoder, e.context.Width(), e.context.Height(), strings.Join(list, " "), err)
	if e.hardware != "" {
		return fmt.Errorf("%w: %s: %w", ErrHardware, e.hardware, refusal)
	}
	return fmt.Errorf("the encoder %w", refusal)
}

// send sends a picture and unreferences it; nil is the end.
func (e *encoder) send(f *astiav.Frame) error {
	if f == nil {
		e.ended = true
		return e.encoderError(e.context.SendFrame(nil))
	}
	defer f.Unref()
	if e.upload != nil {
		if err := e.upload.Bring(f); err != nil {
			return err
		}
	}
	e.frames++
	return e.encoderError(e.context.SendFrame(f))
}

// receive receives a packet, and reports false if there is none yet or no more.
func (e *encoder) receive(p *astiav.Packet) (bool, error) {
	err := e.context.ReceivePacket(p)
	if errors.Is(err, astiav.ErrEagain) || errors.Is(err, astiav.ErrEof) {
		return false, nil
	}
	if err != nil {
		return false, e.encoderError(err)
	}
	// x265 leaves the DTS uninitialised if a stream has no more frames than its reordering delay, which is at most two.
	// A stream that short is not reordered.
	if e.encoder == "libx265" && e.ended && e.frames <= 2 {
		p.SetDts(p.Pts())
	}
	return true, nil
}

func (e *encoder) encoderError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("the encoder %s failed: %w", e.encoder, err)
}

func (e *encoder) isSVT() bool { return e.encoder == "libsvtav1" }

// close frees the encoder in any state.
func (e *encoder) close() {
	if e == nil || e.context == nil {
		return
	}
	if e.isSVT() && e.opened && !e.ended {
		e.endSVT()
	}
	e.upload.Close()
	e.context.Free()
	e.context = nil
}

// endSVT sends SVT-AV1 the end of its stream. Without it, closing prints a message, and without any picture before it,
// closing never returns (seen with SVT-AV1 1.4.1).
func (e *encoder) endSVT() {
	if e.frames == 0 {
		f := astiav.AllocFrame()
		defer f.Free()
		f.SetWidth(e.context.Width())
		f.SetHeight(e.context.Height())
		f.SetPixelFormat(e.context.PixelFormat())
		if f.AllocBuffer(0) != nil || f.ImageFillBlack() != nil || e.context.SendFrame(f) != nil {
			return
		}
	}
	p := astiav.AllocPacket()
	defer p.Free()
	for errors.Is(e.context.SendFrame(nil), astiav.ErrEagain) {
		if e.context.ReceivePacket(p) != nil {
			return
		}
		p.Unref()
	}
}
