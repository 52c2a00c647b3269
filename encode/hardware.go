package encode

import (
	"errors"
	"fmt"
	"strings"

	"github.com/asticode/go-astiav"

	"github.com/wwflow/wwflow/internal/libav"
)

// openEncoder opens the encoder that the options request: the named codec, or H.264 in hardware. With "auto" hardware
// encoders that do not work are skipped, and notice says why if software encodes.
func openEncoder(named codec, o *Options, muxer string) (e *encoder, notice string, err error) {
	kinds := []string{o.Hardware}
	switch {
	case o.Codec != "" || o.Hardware == "" || o.Hardware == "none":
		e, err = startEncoder(named, o, muxer)
		return e, "", err
	case o.Hardware == "auto":
		kinds = libav.HardwareKinds
	}
	var reasons []string
	for _, kind := range kinds {
		c, known := hardwareCodec(named, kind)
		if known {
			e, err = startEncoder(c, o, muxer)
		} else {
			err = fmt.Errorf("%w: %s: there is no encoder for this container", ErrHardware, kind)
		}
		if err == nil || o.Hardware != "auto" || !errors.Is(err, ErrHardware) {
			return e, "", err
		}
		reasons = append(reasons, strings.TrimPrefix(err.Error(), ErrHardware.Error()+": "))
	}
	e, err = startEncoder(named, o, muxer)
	return e, "encoded in software; " + strings.Join(reasons, "; "), err
}

func startEncoder(c codec, o *Options, muxer string) (*encoder, error) {
	e, err := newEncoder(c, o, muxer)
	if err != nil {
		return nil, err
	}
	if err := e.open(); err != nil {
		e.close()
		return nil, err
	}
	return e, nil
}

// hardwareCodec returns the counterpart of a software codec on a kind of hardware, if there is one.
func hardwareCodec(c codec, kind string) (codec, bool) {
	if c.encoder == codecs["h264"].encoder {
		for _, h := range []string{"h264_nvenc", "h264_vaapi"} {
			if codecs[h].hardware == kind {
				return codecs[h], true
			}
		}
	}
	return codec{}, false
}

// openDevice opens the device of a hardware encoder. Its errors are ErrHardware.
func (e *encoder) openDevice() (err error) {
	if e.hardware == "" {
		return nil
	}
	if lack := libav.Lacks(e.hardware, libav.Encoding); lack != "" {
		return fmt.Errorf("%w: %s", ErrHardware, lack)
	}
	if e.uploads {
		if e.upload, err = libav.EncodeOn(e.context, e.hardware, astiav.FindPixelFormatByName(e.format)); err != nil {
			return fmt.Errorf("%w: %w", ErrHardware, err)
		}
	}
	return nil
}
