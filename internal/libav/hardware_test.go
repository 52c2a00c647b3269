package libav

import (
	"strings"
	"testing"

	"github.com/asticode/go-astiav"
)

// TestHasHardware includes AV1: its default decoder libdav1d supports no hardware, but FFmpeg's own decoder does.
func TestHasHardware(t *testing.T) {
	for _, c := range []struct {
		codec      astiav.CodecID
		name, kind string
		want       bool
	}{
		{astiav.CodecIDH264, "", "cuda", true}, {astiav.CodecIDHevc, "hevc", "vaapi", true}, {astiav.FindDecoderByName("libdav1d").ID(), "libdav1d", "cuda", false},
		{astiav.FindDecoderByName("libdav1d").ID(), "av1", "cuda", true}, {astiav.CodecIDPng, "", "cuda", false}, {astiav.CodecIDH264, "", "unknown", false},
	} {
		if got := HasHardware(c.codec, c.name, c.kind); got != c.want {
			t.Errorf("%s %s on %s: %v", c.codec, c.name, c.kind, got)
		}
	}
}

// TestDeviceDoesNotStart checks that the error of a missing device names its kind.
func TestDeviceDoesNotStart(t *testing.T) {
	for _, kind := range HardwareKinds {
		if Lacks(kind, Decoding) == "" {
			continue
		}
		c := astiav.AllocCodecContext(astiav.FindDecoder(astiav.CodecIDH264))
		if _, err := DecodeOn(c, astiav.CodecIDH264, "", kind, true); err == nil || !strings.HasPrefix(err.Error(), kind+": the driver does not start") {
			t.Errorf("decoding: %v", err)
		}
		if _, err := EncodeOn(c, kind, astiav.PixelFormatNv12); err == nil || !strings.HasPrefix(err.Error(), kind+": the driver does not start") {
			t.Errorf("encoding: %v", err)
		}
		c.Free()
	}
}

// TestInner checks that inner finds the C object in this version of go-astiav.
func TestInner(t *testing.T) {
	c := astiav.AllocCodecContext(astiav.FindDecoder(astiav.CodecIDH264))
	defer c.Free()
	c.SetWidth(1234)
	inside, err := inner(c)
	if err != nil || inside.width != 1234 {
		t.Fatalf("%v, %v", inside, err)
	}
}
