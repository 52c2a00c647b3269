package encode

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/asticode/go-astiav"

	"github.com/wwflow/wwflow/internal/libav"
)

// codec is one that can be asked for by name.
type codec struct {
	encoder string            // libav's name
	format  string            // pixel format
	even    [2]bool           // width, height must be even
	crf     int               // default; -1 = it has none
	options map[string]string // defaults, before the user's
	presets []string          // what "preset" may be; empty = the encoder says itself
	mp4     string            // four-character code in MP4 and MOV, where libav's default plays badly

	quality  string // the option that crf is; "" = crf
	hardware string // the kind of hardware that encodes; "" = none
	uploads  bool   // it takes pictures that lie on the device
}

var codecs = map[string]codec{
	"h264": {encoder: "libx264", format: "yuv420p", even: [2]bool{true, true}, crf: 18, presets: presets},
	// hvc1 is what Apple's players open; x265 would print to stderr by itself.
	"h265": {encoder: "libx265", format: "yuv420p", even: [2]bool{true, true}, crf: 20, presets: presets, mp4: "hvc1",
		options: map[string]string{"x265-params": "log-level=none"}},
	"av1": {encoder: "libsvtav1", format: "yuv420p", even: [2]bool{true, true}, crf: 30},
	// Without b=0 libvpx takes CRF for a mere lower bound.
	"vp9": {encoder: "libvpx-vp9", format: "yuv420p", even: [2]bool{true, true}, crf: 31,
		options: map[string]string{"b": "0", "row-mt": "1", "cpu-used": "3"}},
	"ffv1":   {encoder: "ffv1", format: "bgr0", crf: -1, options: map[string]string{"level": "3"}},
	"prores": {encoder: "prores_ks", format: "yuv422p10le", even: [2]bool{true, false}, crf: -1, options: map[string]string{"profile": "hq"}},

	// Constant quality is NVENC's cq where no bit rate bounds it, and a fixed quantiser in VA-API, which all drivers know.
	"h264_nvenc": {encoder: "h264_nvenc", format: "yuv420p", even: [2]bool{true, true}, crf: 19, quality: "cq", hardware: "cuda",
		options: map[string]string{"rc": "vbr", "b": "0"}},
	"hevc_nvenc": {encoder: "hevc_nvenc", format: "yuv420p", even: [2]bool{true, true}, crf: 21, quality: "cq", hardware: "cuda", mp4: "hvc1",
		options: map[string]string{"rc": "vbr", "b": "0"}},
	"h264_vaapi": {encoder: "h264_vaapi", format: "nv12", even: [2]bool{true, true}, crf: 19, quality: "qp", hardware: "vaapi", uploads: true,
		options: map[string]string{"rc_mode": "CQP"}},
	"hevc_vaapi": {encoder: "hevc_vaapi", format: "nv12", even: [2]bool{true, true}, crf: 21, quality: "qp", hardware: "vaapi", uploads: true, mp4: "hvc1",
		options: map[string]string{"rc_mode": "CQP"}},
}

// presets of x264 and x265, which print to stderr by themselves when they get another.
var presets = []string{"ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo"}

// containers by extension; the value is libav's muxer.
var containers = map[string]string{".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}

// Codecs and Containers are what Options.Codec and a path's extension may be, sorted.
func Codecs() []string     { return slices.Sorted(maps.Keys(codecs)) }
func Containers() []string { return slices.Sorted(maps.Keys(containers)) }

// choose finds the muxer for a path and the codec that the options mean.
func choose(path string, o *Options) (muxer string, c codec, err error) {
	ext := strings.ToLower(filepath.Ext(path))
	muxer, ok := containers[ext]
	if !ok {
		return "", c, unknown{fmt.Errorf("the extension %q names no container here; use one of %s, or a folder ending in / for PNG pictures",
			ext, strings.Join(Containers(), " "))}
	}
	name := o.Codec
	if name == "" {
		name = "h264"
		if muxer == "webm" {
			name = "vp9"
		}
	}
	if c, ok = codecs[name]; !ok {
		return "", c, unknown{fmt.Errorf("the codec %q is unknown; use one of %s", name, strings.Join(Codecs(), " "))}
	}
	enc := astiav.FindEncoderByName(c.encoder)
	if enc == nil {
		return "", c, fmt.Errorf("this FFmpeg was built without %s, so it cannot write %s; choose another codec", c.encoder, name)
	}
	if !libav.Stores(muxer, enc.ID()) {
		var fit []string
		for _, e := range Containers() {
			if libav.Stores(containers[e], enc.ID()) {
				fit = append(fit, e)
			}
		}
		return "", c, fmt.Errorf("%w: %s cannot hold %s, but %s can", ErrCodecContainer, ext, name, strings.Join(fit, " "))
	}
	return muxer, c, nil
}

func grow(side int, even bool) int {
	if even {
		return side + side&1
	}
	return side
}
