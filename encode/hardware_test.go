package encode_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/internal/libav"
	"github.com/wwflow/wwflow/internal/libav/libavtest"
)

// Where the hardware is, its encoders write frames that come back, at their times.
func TestHardwareEncodes(t *testing.T) {
	tried, reasons := 0, ""
	for _, codec := range []string{"h264_nvenc", "hevc_nvenc", "h264_vaapi", "hevc_vaapi"} {
		path := filepath.Join(t.TempDir(), "a.mp4")
		o := options(320, 180)
		o.Codec = codec
		// A GPU may decode only.
		w, err := encode.Create(t.Context(), path, o)
		if errors.Is(err, encode.ErrHardware) {
			reasons += "; " + err.Error()
			continue
		} else if err != nil {
			t.Error(err)
			continue
		}
		w.Close()
		tried++
		fill(t, path, o)
		list, _ := read(t, path)
		if len(list) != len(times) {
			t.Errorf("%s: %d frames came back", codec, len(list))
			continue
		}
		for i, f := range list {
			if mean, _, _ := libavtest.Difference(f.Pix, moving(320, 180, i).Pix); mean > 6 || f.PTS != times[i] {
				t.Errorf("%s: frame %d came back at %d instead of %d and changed by %.1f levels", codec, i, f.PTS, times[i], mean)
			}
		}
	}
	if tried == 0 {
		t.Skip("no hardware encodes here", reasons)
	}
}

// Where it is not, asking for it is one error that says what is missing and leaves no file, and "auto" encodes in
// software and says why.
func TestHardwareIsMissing(t *testing.T) {
	lacking := 0
	for kind, codec := range map[string]string{"cuda": "h264_nvenc", "vaapi": "h264_vaapi"} {
		lack := libav.Lacks(kind, libav.Encoding)
		if lack == "" {
			continue
		}
		lacking++
		for _, set := range []func(*encode.Options){
			func(o *encode.Options) { o.Codec = codec },
			func(o *encode.Options) { o.Hardware = kind },
		} {
			path := filepath.Join(t.TempDir(), "a.mp4")
			o := options(320, 180)
			set(&o)
			_, err := encode.Create(t.Context(), path, o)
			if !errors.Is(err, encode.ErrHardware) || !strings.Contains(err.Error(), lack) || strings.Count(err.Error(), "hardware can't") != 1 {
				t.Errorf("%s: %v", kind, err)
			}
			if list := names(t, filepath.Dir(path)); len(list) > 0 {
				t.Errorf("%s: it left %v", kind, list)
			}
		}
	}
	if lacking < len(libav.HardwareKinds) {
		return
	}
	for name, want := range map[string]string{"a.mp4": "no /dev/nvidia*", "a.webm": "no encoder for what this container holds"} {
		o := options(96, 64)
		o.Hardware = "auto"
		notices := fill(t, filepath.Join(t.TempDir(), name), o)
		if s := strings.Join(notices, "\n"); strings.Count(s, "encoded in software; cuda: ") != 1 || !strings.Contains(s, want) || !strings.Contains(s, "; vaapi: ") {
			t.Errorf("%s: it says %q", name, s)
		}
	}
	// A codec that is named is that codec, whatever hardware there is.
	o := options(96, 64)
	o.Hardware, o.Codec = "cuda", "h264"
	if notices := fill(t, filepath.Join(t.TempDir(), "a.mp4"), o); len(notices) > 0 {
		t.Errorf("it says %q", notices)
	}
}
