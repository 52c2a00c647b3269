package decode

import (
	"fmt"
	"strings"

	"github.com/asticode/go-astiav"

	"github.com/wwflow/wwflow/internal/libav"
)

// decodesOn is the kinds of hardware to try, in turn; none for software.
func (o *Options) decodesOn() []string {
	switch o.Hardware {
	case "", "none":
		return nil
	case "auto":
		return libav.HardwareKinds
	}
	return []string{o.Hardware}
}

// codec is the stream's decoder: libav's first one, but another one where hardware was asked for and only that one
// knows it (libav's own AV1 decoder, which does nothing without).
func (v *video) codec() *astiav.Codec {
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

// openHardware readies the decoder, which is not open yet, for hardware, where that was asked for. "auto" leaves the
// reasons against each kind in Info.InSoftware where none does.
func (v *video) openHardware(codec *astiav.Codec) error {
	var reasons []string
	for _, kind := range v.o.decodesOn() {
		reason := libav.Lacks(kind, libav.Decoding)
		if reason == "" && !libav.HasHardware(codec.ID(), codec.Name(), kind) {
			reason = fmt.Sprintf("%s: the decoder %s of this FFmpeg does not know it", kind, codec.Name())
		}
		if reason == "" {
			device, err := libav.DecodeOn(v.decoder, codec.ID(), codec.Name(), kind, v.o.Hardware != "auto")
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

// refusal says that the device would not have the stream: its profile, its size or its kind of pixels.
func (v *video) refusal() string {
	p := v.stream.CodecParameters()
	return fmt.Sprintf("%s: the device does not decode %s of %dx%d in %s", v.device.Kind, p.CodecID().Name(), p.Width(), p.Height(), p.PixelFormat().Name())
}

// unweave is the filters that turn what a device hands out into the planes that a software decoder gives, so that
// both become RGB in the same way. The range is named, or libavfilter would take the result for limited.
func unweave(l look) []string {
	planes := map[string]string{"nv12": "yuv420p", "p010le": "yuv420p10le", "p016le": "yuv420p16le"}[l.format.Name()]
	if planes == "" {
		return nil
	}
	r := l.colors.RangeName()
	return []string{"scale=in_range=" + r + ":out_range=" + r, "format=" + planes}
}
