package encode

import (
	"errors"
	"fmt"
	"strings"

	"github.com/asticode/go-astiav"

	"github.com/wwflow/wwflow/internal/libav"
)

// openCodec opens the encoder: the one that was named, or else hardware's H.264 where that was asked for. With "auto"
// what is wrong with each is only said, and the software encoder is the last one that is tried.
func (v *video) openCodec(named codec) (c codec, err error) {
	o := v.o
	if o.Codec != "" || o.Hardware == "" || o.Hardware == "none" {
		return named, v.openEncoder(named)
	}
	kinds := []string{o.Hardware}
	if o.Hardware == "auto" {
		kinds = libav.HardwareKinds
	}
	var reasons []string
	for _, kind := range kinds {
		c, reason := hardwareCodec(named, kind), error(nil)
		if c.encoder == "" {
			reason = fmt.Errorf("%w: %s: it has no encoder for what this container holds", ErrHardware, kind)
		} else if reason = v.openEncoder(c); reason == nil {
			return c, nil
		}
		if o.Hardware != "auto" || !errors.Is(reason, ErrHardware) {
			return c, reason
		}
		v.freeEncoder()
		reasons = append(reasons, strings.TrimPrefix(reason.Error(), ErrHardware.Error()+": "))
	}
	v.said = append(v.said, "encoded in software; "+strings.Join(reasons, "; "))
	return named, v.openEncoder(named)
}

// hardwareCodec is a kind's counterpart of a software codec; the zero value where there is none.
func hardwareCodec(c codec, kind string) codec {
	if c.encoder == codecs["h264"].encoder {
		for _, h := range []string{"h264_nvenc", "h264_vaapi"} {
			if codecs[h].hardware == kind {
				return codecs[h]
			}
		}
	}
	return codec{}
}

// openDevice readies the encoder's device, if it has one. Where it has none, that is an ErrHardware.
func (v *video) openDevice(c codec) (err error) {
	if c.hardware == "" {
		return nil
	}
	if astiav.FindEncoderByName(c.encoder) == nil {
		return fmt.Errorf("%w: this FFmpeg was built without %s", ErrHardware, c.encoder)
	}
	if lack := libav.Lacks(c.hardware, libav.Encoding); lack != "" {
		return fmt.Errorf("%w: %s", ErrHardware, lack)
	}
	if c.uploads {
		if v.upload, err = libav.EncodeOn(v.encoder, c.hardware, astiav.FindPixelFormatByName(c.format)); err != nil {
			return fmt.Errorf("%w: %w", ErrHardware, err)
		}
	}
	return nil
}

func (v *video) freeEncoder() {
	v.upload.Close()
	v.upload = nil
	if v.encoder != nil {
		v.encoder.Free()
		v.encoder = nil
	}
}
