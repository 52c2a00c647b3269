package decode

import (
	"fmt"
	"strings"

	"github.com/asticode/go-astiav"

	"github.com/wwflow/wwflow/internal/libav"
)

// hardwareKinds returns the kinds of hardware to try, in order; nil for software.
func (o *Options) hardwareKinds() []string {
	switch o.Hardware {
	case "", "none":
		return nil
	case "auto":
		return libav.HardwareKinds
	}
	return []string{o.Hardware}
}

// findDecoder returns FFmpeg's default decoder for the stream, or its own decoder if only that one supports the
// requested hardware (AV1).
func (v *video) findDecoder() *astiav.Codec {
	id := v.stream.CodecParameters().CodecID()
	first := astiav.FindDecoder(id)
	k := v.o.Hardware
	if k == "" || k == "none" || k == "auto" || first == nil || libav.HasHardware(id, first.Name(), k) {
		return first
	}
	if libav.HasHardware(id, id.Name(), k) {
		return astiav.FindDecoderByName(id.Name())
	}
	return first
}

// openHardware prepares the decoder, which is not open yet, for the requested hardware. If "auto" finds none, the
// reasons are in Info.InSoftware.
func (v *video) openHardware(codec *astiav.Codec) error {
	var reasons []string
	for _, kind := range v.o.hardwareKinds() {
		reason := libav.Lacks(kind, libav.Decoding)
		if reason == "" && !libav.HasHardware(codec.ID(), codec.Name(), kind) {
			reason = fmt.Sprintf("%s: the decoder %s of this FFmpeg does not support it", kind, codec.Name())
		}
		if reason == "" {
			device, err := libav.DecodeOn(v.codec, codec.ID(), codec.Name(), kind, v.o.Hardware != "auto")
			if err == nil {
				v.device = device
				return nil
			}
			reason = err.Error()
		}
		reasons = append(reasons, reason)
	}
	if len(reasons) == 0 {
		return nil
	}
	if v.o.Hardware != "auto" {
		return fmt.Errorf("%w: %s", ErrHardware, reasons[0])
	}
	v.inf.InSoftware = strings.Join(reasons, "; ")
	return nil
}

// refused reports whether the requested device refused the stream, which is an error unless "auto" was requested.
func (v *video) refused() bool {
	return v.device != nil && v.device.Refused() && v.o.Hardware != "auto"
}

// refusal describes a stream that the device refused because of its profile, size or pixel format.
func (v *video) refusal() string {
	p := v.stream.CodecParameters()
	return fmt.Sprintf("%s: the device does not decode %s of %dx%d in %s", v.device.Kind, p.CodecID().Name(), p.Width(), p.Height(), p.PixelFormat().Name())
}

// planarFormat returns the filters that turn a device's pixel format into the one of the software decoder, so that
// both become RGB in the same way. Without the range, libavfilter would take the result for limited range.
func planarFormat(in filterInput) []string {
	planes := map[string]string{"nv12": "yuv420p", "p010le": "yuv420p10le", "p016le": "yuv420p16le"}[in.format.Name()]
	if planes == "" {
		return nil
	}
	r := in.colors.RangeName()
	return []string{"scale=in_range=" + r + ":out_range=" + r, "format=" + planes}
}
