// Package libav is the little that decode and encode both need from libav and that
// go-astiav v0.16.0 does not offer: an interruptible demuxer, a one-in one-out filter graph, and
// the fields of a picture that tell whether it is interlaced, damaged, and which colours it means.
//
// It promises that every C object it makes is freed by Close, that Close is nil-safe and
// idempotent, and that libav itself prints nothing: an error is a Go error or it is lost, so
// each one is returned. With decode and encode it is the only place that names go-astiav.
package libav

/*
#cgo pkg-config: libavformat libavcodec libavutil
#include <stdlib.h>
#include <string.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/frame.h>
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>

static void wwflow_colors(const AVFrame *f, int *v) {
	v[0] = f->color_range; v[1] = f->colorspace; v[2] = f->color_trc; v[3] = f->color_primaries;
}
static void wwflow_set_colors(AVFrame *f, int range, int space, int trc, int primaries) {
	f->color_range = range; f->colorspace = space; f->color_trc = trc; f->color_primaries = primaries;
}
static int wwflow_interlaced(const AVFrame *f) { return f->interlaced_frame; }
static int wwflow_damaged(const AVFrame *f) {
	return (f->flags & AV_FRAME_FLAG_CORRUPT) || f->decode_error_flags;
}
static int64_t wwflow_time(const AVFrame *f) { return f->best_effort_timestamp; }
static int64_t wwflow_duration(const AVFrame *f) { return f->pkt_duration; }
static void wwflow_set_duration(AVFrame *f, int64_t d) { f->pkt_duration = d; }
static int wwflow_depth(int format) {
	const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(format);
	return d ? d->comp[0].depth : 0;
}
static int wwflow_rgb(int format) {
	const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(format);
	return d && (d->flags & AV_PIX_FMT_FLAG_RGB);
}
// Copies packed RGB into a picture that may be wider and taller: the last column and row repeat.
static void wwflow_fill(AVFrame *f, const uint8_t *pix, int width, int height) {
	for (int y = 0; y < f->height; y++) {
		uint8_t *row = f->data[0] + (size_t)y * f->linesize[0];
		memcpy(row, pix + (size_t)3 * width * (y < height ? y : height - 1), (size_t)3 * width);
		for (int x = width; x < f->width; x++)
			memcpy(row + 3 * (size_t)x, row + 3 * (size_t)(width - 1), 3);
	}
}
static void wwflow_copy(uint8_t *pix, const AVFrame *f) {
	av_image_copy_plane(pix, 3 * f->width, f->data[0], f->linesize[0], 3 * f->width, f->height);
}
static int wwflow_stores(const char *format, int codec) {
	const AVOutputFormat *of = av_guess_format(format, NULL, NULL);
	return of ? avformat_query_codec(of, codec, FF_COMPLIANCE_NORMAL) : 0;
}
*/
import "C"

import (
	"math/big"
	"time"
	"unsafe"

	"github.com/asticode/go-astiav"

	"github.com/wwflow/wwflow/frame"
)

// NoTime is libav's mark for a time stamp that is not known.
const NoTime int64 = -1 << 63

// libav's default is to write to stderr, where every word is main's.
// (go-astiav's log callback is no way to keep the words: it formats into a fixed buffer.)
func init() { astiav.SetLogLevel(astiav.LogLevelQuiet) }

func ptr(f *astiav.Frame) *C.AVFrame { return (*C.AVFrame)(f.UnsafePointer()) }

// Colors says how a picture's numbers mean colours, as the code points of ITU-T H.273.
type Colors struct{ Range, Space, Transfer, Primaries int }

// Code points of H.273 that this program names.
const (
	RangeLimited, RangeFull = 1, 2

	SpaceRGB, SpaceBT709, SpaceUnknown, SpaceSMPTE170M, SpaceBT2020 = 0, 1, 2, 6, 9

	TransferBT709, TransferUnknown, TransferSMPTE170M, TransferPQ, TransferHLG = 1, 2, 6, 16, 18

	PrimariesBT709, PrimariesUnknown, PrimariesSMPTE170M, PrimariesBT2020 = 1, 2, 6, 9
)

// ColorsOf reads a picture's colour tags.
func ColorsOf(f *astiav.Frame) Colors {
	var v [4]C.int
	C.wwflow_colors(ptr(f), &v[0])
	return Colors{int(v[0]), int(v[1]), int(v[2]), int(v[3])}
}

// SetColors writes a picture's colour tags; no pixel changes.
func SetColors(f *astiav.Frame, c Colors) {
	C.wwflow_set_colors(ptr(f), C.int(c.Range), C.int(c.Space), C.int(c.Transfer), C.int(c.Primaries))
}

// RangeName, SpaceName and TransferName are libav's names ("tv", "bt709", "smpte2084").
func (c Colors) RangeName() string {
	return C.GoString(C.av_color_range_name(C.enum_AVColorRange(c.Range)))
}
func (c Colors) SpaceName() string {
	return C.GoString(C.av_color_space_name(C.enum_AVColorSpace(c.Space)))
}
func (c Colors) TransferName() string {
	return C.GoString(C.av_color_transfer_name(C.enum_AVColorTransferCharacteristic(c.Transfer)))
}

// Interlaced says whether the decoder marked the picture as two fields.
func Interlaced(f *astiav.Frame) bool { return C.wwflow_interlaced(ptr(f)) != 0 }

// Damaged says whether the decoder had to conceal errors in the picture.
func Damaged(f *astiav.Frame) bool { return C.wwflow_damaged(ptr(f)) != 0 }

// Time is the picture's presentation time stamp as well as the decoder can tell, or NoTime.
func Time(f *astiav.Frame) int64 { return int64(C.wwflow_time(ptr(f))) }

// Duration is how long the picture is shown, in the stream's time base; 0 where unknown.
func Duration(f *astiav.Frame) int64 { return int64(C.wwflow_duration(ptr(f))) }

// SetDuration is Duration's other direction.
func SetDuration(f *astiav.Frame, d int64) { C.wwflow_set_duration(ptr(f), C.int64_t(d)) }

// BitDepth is the number of bits of a pixel format's first component.
func BitDepth(p astiav.PixelFormat) int { return int(C.wwflow_depth(C.int(p))) }

// IsRGB says whether a pixel format holds red, green and blue, and needs no matrix.
func IsRGB(p astiav.PixelFormat) bool { return C.wwflow_rgb(C.int(p)) != 0 }

// Stores says whether a container (by libav's name: "mp4", "matroska") can hold a codec.
func Stores(container string, codec astiav.CodecID) bool {
	name := C.CString(container)
	defer C.free(unsafe.Pointer(name))
	return C.wwflow_stores(name, C.int(codec)) == 1
}

// FillRGB copies packed width x height RGB into an rgb24 picture of at least that size,
// repeating the last column and the last row where the picture is larger.
func FillRGB(f *astiav.Frame, pix []byte, width, height int) {
	C.wwflow_fill(ptr(f), (*C.uint8_t)(unsafe.Pointer(&pix[0])), C.int(width), C.int(height))
}

// CopyRGB copies an rgb24 picture into pix, which must hold 3*width*height bytes.
func CopyRGB(pix []byte, f *astiav.Frame) {
	C.wwflow_copy((*C.uint8_t)(unsafe.Pointer(&pix[0])), ptr(f))
}

// Rational and Ratio convert between the two spellings of a fraction; 0/x and x/0 become the zero value.
func Rational(r astiav.Rational) frame.Rational {
	if r.Num() == 0 || r.Den() == 0 {
		return frame.Rational{}
	}
	return frame.Rational{Num: r.Num(), Den: r.Den()}
}

func Ratio(r frame.Rational) astiav.Rational {
	if r.Den == 0 {
		return astiav.NewRational(0, 1)
	}
	return astiav.NewRational(r.Num, r.Den)
}

// Round says which way Units goes between two units.
type Round int

// Down, Nearest and Up.
const (
	Down Round = iota
	Nearest
	Up
)

// Units is d in units of a time base.
func Units(d time.Duration, base frame.Rational, r Round) int64 {
	n := new(big.Int).Mul(big.NewInt(int64(d)), big.NewInt(int64(base.Den)))
	den := big.NewInt(int64(base.Num) * int64(time.Second))
	switch r {
	case Nearest:
		n.Add(n, new(big.Int).Quo(den, big.NewInt(2)))
	case Up:
		n.Add(n, new(big.Int).Sub(den, big.NewInt(1)))
	}
	return n.Div(n, den).Int64() // Euclidean: the floor, as den > 0
}
