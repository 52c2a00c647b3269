// Package avinfo reports the versions of the FFmpeg libraries in use.
package avinfo

// #cgo pkg-config: libavutil libavcodec libavformat libavfilter libswscale
// #include <libavcodec/avcodec.h>
// #include <libavfilter/avfilter.h>
// #include <libavformat/avformat.h>
// #include <libavutil/avutil.h>
// #include <libswscale/swscale.h>
import "C"

import "fmt"

// Library is a loaded library of FFmpeg. Version is major.minor.micro.
type Library struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Release returns the version of FFmpeg, such as 5.1.9.
func Release() string { return C.GoString(C.av_version_info()) }

// Libraries returns the libraries that wwflow calls.
func Libraries() []Library {
	return []Library{
		{"libavutil", version(C.avutil_version())},
		{"libavcodec", version(C.avcodec_version())},
		{"libavformat", version(C.avformat_version())},
		{"libavfilter", version(C.avfilter_version())},
		{"libswscale", version(C.swscale_version())},
	}
}

func version(v C.uint) string { return fmt.Sprintf("%d.%d.%d", v>>16, v>>8&0xff, v&0xff) }
