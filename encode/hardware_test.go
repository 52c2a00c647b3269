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

// TestHardwareCodecs writes and reads each hardware codec that works here.
func TestHardwareCodecs(t *testing.T) {
	tried, reasons := 0, ""
	for _, codec := range []string{"h264_nvenc", "hevc_nvenc", "h264_vaapi", "hevc_vaapi"} {
		path := filepath.Join(t.TempDir(), "a.mp4")
		o := options(320, 180)
		o.Codec = codec
		// Some GPUs only decode.
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
			t.Errorf("%s: %d frames", codec, len(list))
			continue
		}
		for i, f := range list {
			if mean, _, _ := libavtest.Difference(f.Pix, moving(320, 180, i).Pix); mean > 6 || f.PTS != times[i] {
				t.Errorf("%s: frame %d is at %d, want %d; mean difference %.1f", codec, i, f.PTS, times[i], mean)
			}
		}
	}
	if tried == 0 {
		t.Skip("no encoding hardware", reasons)
	}
}

// TestMissingHardware requests hardware that is missing: an error names what is missing and leaves no file, and "auto"
// falls back to software and gives the reason.
func TestMissingHardware(t *testing.T) {
	missing := 0
	for kind, codec := range map[string]string{"cuda": "h264_nvenc", "vaapi": "h264_vaapi"} {
		lack := libav.Lacks(kind, libav.Encoding)
		if lack == "" {
			continue
		}
		missing++
		for _, set := range []func(*encode.Options){
			func(o *encode.Options) { o.Codec = codec },
			func(o *encode.Options) { o.Hardware = kind },
		} {
			path := filepath.Join(t.TempDir(), "a.mp4")
			o := options(320, 180)
			set(&o)
			_, err := encode.Create(t.Context(), path, o)
			if !errors.Is(err, encode.ErrHardware) || !strings.Contains(err.Error(), lack) || strings.Count(err.Error(), "hardware encoding") != 1 {
				t.Errorf("%s: %v", kind, err)
			}
			if list := names(t, filepath.Dir(path)); len(list) > 0 {
				t.Errorf("%s: left behind: %v", kind, list)
			}
		}
	}
	if missing < len(libav.HardwareKinds) {
		return
	}
	for name, want := range map[string]string{"a.mp4": "no /dev/nvidia*", "a.webm": "no encoder for this container"} {
		o := options(96, 64)
		o.Hardware = "auto"
		notices := fill(t, filepath.Join(t.TempDir(), name), o)
		if s := strings.Join(notices, "\n"); strings.Count(s, "encoded in software; cuda: ") != 1 || !strings.Contains(s, want) || !strings.Contains(s, "; vaapi: ") {
			t.Errorf("%s: notices %q", name, s)
		}
	}
	// Options.Codec overrides Options.Hardware.
	o := options(96, 64)
	o.Hardware, o.Codec = "cuda", "h264"
	if notices := fill(t, filepath.Join(t.TempDir(), "a.mp4"), o); len(notices) > 0 {
		t.Errorf("notices %q", notices)
	}
}
