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

// codec describes an encoder and how it is used.
type codec struct {
	encoder string            // FFmpeg's name
	format  string            // pixel format
	even    [2]bool           // width and height must be even
	crf     int               // default; -1 = the codec has no CRF
	maxCRF  int               // the lowest CRF is 0
	options map[string]string // defaults, which the user can override
	presets []string          // allowed values of "preset"; nil = the encoder checks it
	mp4     string            // four-character code in MP4 and MOV; "" = FFmpeg's choice

	quality  string // the encoder's name for the CRF; "" = crf
	hardware string // kind of hardware; "" = software
	uploads  bool   // the encoder takes pictures in device memory
}

var codecs = map[string]codec{
	"h264": {encoder: "libx264", format: "yuv420p", even: [2]bool{true, true}, crf: 18, maxCRF: 51, presets: presets},
	// Apple's players need hvc1. x265 prints to stderr by itself unless told not to. Its parameters tell the machine unless
	// told not to, and segments of several machines must agree.
	"h265": {encoder: "libx265", format: "yuv420p", even: [2]bool{true, true}, crf: 20, maxCRF: 51, presets: presets, mp4: "hvc1",
		options: map[string]string{"x265-params": "log-level=none:info=0"}},
	"av1": {encoder: "libsvtav1", format: "yuv420p", even: [2]bool{true, true}, crf: 30, maxCRF: 63,
		options: map[string]string{"err_detect": "explode"}}, // otherwise mistakes in svtav1-params are ignored
	// Without b=0 libvpx takes the CRF for a lower bound.
	"vp9": {encoder: "libvpx-vp9", format: "yuv420p", even: [2]bool{true, true}, crf: 31, maxCRF: 63,
		options: map[string]string{"b": "0", "row-mt": "1", "cpu-used": "3"}},
	"ffv1":   {encoder: "ffv1", format: "bgr0", crf: -1, options: map[string]string{"level": "3"}},
	"prores": {encoder: "prores_ks", format: "yuv422p10le", even: [2]bool{true, false}, crf: -1, options: map[string]string{"profile": "hq"}},

	// Constant quality is cq without a bit rate in NVENC, and a fixed quantiser in VA-API, which all drivers support.
	"h264_nvenc": {encoder: "h264_nvenc", format: "yuv420p", even: [2]bool{true, true}, crf: 19, maxCRF: 51, quality: "cq", hardware: "cuda",
		options: map[string]string{"rc": "vbr", "b": "0"}},
	"hevc_nvenc": {encoder: "hevc_nvenc", format: "yuv420p", even: [2]bool{true, true}, crf: 21, maxCRF: 51, quality: "cq", hardware: "cuda", mp4: "hvc1",
		options: map[string]string{"rc": "vbr", "b": "0"}},
	"h264_vaapi": {encoder: "h264_vaapi", format: "nv12", even: [2]bool{true, true}, crf: 19, maxCRF: 51, quality: "qp", hardware: "vaapi", uploads: true,
		options: map[string]string{"rc_mode": "CQP"}},
	"hevc_vaapi": {encoder: "hevc_vaapi", format: "nv12", even: [2]bool{true, true}, crf: 21, maxCRF: 51, quality: "qp", hardware: "vaapi", uploads: true, mp4: "hvc1",
		options: map[string]string{"rc_mode": "CQP"}},
}

// presets of x264 and x265, which print to stderr by themselves if they get an unknown one.
var presets = []string{"ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo"}

// containers are FFmpeg's muxers by extension.
var containers = map[string]string{".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}

// similar are the closest containers of extensions that are not supported.
var similar = map[string]string{
	".avi": ".mkv", ".wmv": ".mkv", ".mxf": ".mov", ".ts": ".mkv", ".mts": ".mkv", ".m2ts": ".mkv", ".mpg": ".mp4", ".mpeg": ".mp4",
	".flv": ".mp4", ".3gp": ".mp4", ".ogv": ".webm", ".gif": ".webm",
}

// Codecs returns the values of Options.Codec, sorted.
func Codecs() []string { return slices.Sorted(maps.Keys(codecs)) }

// Containers returns the extensions of video files, which are the values of Options.Container, sorted.
func Containers() []string { return slices.Sorted(maps.Keys(containers)) }

// chooseContainer returns the extension of the container and FFmpeg's muxer for it.
func chooseContainer(path string, o *Options) (extension, muxer string, err error) {
	extension = strings.ToLower(filepath.Ext(path))
	switch {
	case o.Container != "":
		extension = "." + strings.ToLower(strings.TrimPrefix(o.Container, "."))
	case path == "-":
		extension = ".mkv"
	}
	muxer, ok := containerOf(extension, o.segment)
	list := strings.Join(Containers(), " ")
	switch {
	case ok:
		return extension, muxer, nil
	case similar[extension] != "":
		return "", "", unknownf("unsupported extension %q; the closest one is %s (also: %s)", extension, similar[extension], list)
	case extension == "":
		return "", "", unknownf("the name has no extension; use one of %s, or a folder ending in / for PNG images", list)
	}
	return "", "", unknownf("unsupported extension %q; use one of %s, or a folder ending in / for PNG images", extension, list)
}

// choose returns the muxer and the codec for a path.
func choose(path string, o *Options) (muxer string, c codec, err error) {
	extension, muxer, err := chooseContainer(path, o)
	if err != nil {
		return "", c, err
	}
	name := codecName(muxer, o)
	c, ok := codecs[name]
	if !ok {
		return "", c, unknownf("unknown codec %q; use one of %s", name, strings.Join(Codecs(), ", "))
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
		return "", c, fmt.Errorf("%w: %s cannot hold %s; use %s", ErrCodecContainer, extension, name, strings.Join(fit, " or "))
	}
	return muxer, c, nil
}

func codecName(muxer string, o *Options) string {
	switch {
	case o.Codec != "":
		return o.Codec
	case muxer == "webm":
		return "vp9"
	}
	return "h264"
}

// size returns the size of an encoded picture.
func (c *codec) size(width, height int) (int, int) {
	if c.even[0] {
		width += width & 1
	}
	if c.even[1] {
		height += height & 1
	}
	return width, height
}

// crfOption returns the encoder's option for the CRF.
func (c *codec) crfOption() string {
	if c.quality != "" {
		return c.quality
	}
	return "crf"
}
