// Package libav has what decode and encode need from FFmpeg's libraries and go-astiav does not offer: a demuxer that can be
// interrupted, a filter graph with one input and one output, hardware devices, and fields of pictures and streams.
//
// It builds for two releases of FFmpeg. FFmpeg 5.1 is the default, with go-astiav v0.16.0 from go.mod. The build tag ffmpeg7
// selects FFmpeg 7.1, with go-astiav v0.39.0 from ffmpeg7.mod. What differs is in ffmpeg5.go and ffmpeg7.go.
//
// Close frees the C objects of a value. It may be called on nil and more than once. The libraries print nothing; all
// errors are returned.
package libav

/*
#cgo pkg-config: libavformat libavcodec libavutil
#include <stdlib.h>
#include <string.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/frame.h>
#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>

static void wwflow_colors(const AVFrame *f, int *v) {
	v[0] = f->color_range; v[1] = f->colorspace; v[2] = f->color_trc; v[3] = f->color_primaries;
}
static void wwflow_set_colors(AVFrame *f, int range, int space, int trc, int primaries) {
	f->color_range = range; f->colorspace = space; f->color_trc = trc; f->color_primaries = primaries;
}
static int wwflow_damaged(const AVFrame *f) {
	return (f->flags & AV_FRAME_FLAG_CORRUPT) || f->decode_error_flags;
}
static int wwflow_matrix(const AVFrame *f, void *m) {
	const AVFrameSideData *d = av_frame_get_side_data(f, AV_FRAME_DATA_DISPLAYMATRIX);
	if (d && d->size >= 9 * sizeof(int32_t))
		memcpy(m, d->data, 9 * sizeof(int32_t));
	return d && d->size >= 9 * sizeof(int32_t);
}
static int64_t wwflow_time(const AVFrame *f) { return f->best_effort_timestamp; }
static int wwflow_depth(int format) {
	const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(format);
	return d ? d->comp[0].depth : 0;
}
static int wwflow_rgb(int format) {
	const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(format);
	return d && (d->flags & AV_PIX_FMT_FLAG_RGB);
}
static int wwflow_gray(int format) {
	const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(format);
	return d && d->nb_components < 3 && !(d->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_HWACCEL));
}
// Copies packed RGB into a picture that may be wider and taller, and repeats the last column and row.
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
static int wwflow_set_option(AVCodecContext *c, const char *key, const char *value) {
	return av_opt_set(c, key, value, AV_OPT_SEARCH_CHILDREN);
}
static int wwflow_labels(AVStream *to, const AVStream *from) {
	const char *keys[] = {"language", "title"};
	for (int i = 0; i < 2; i++) {
		const AVDictionaryEntry *e = av_dict_get(from->metadata, keys[i], NULL, 0);
		int err = e ? av_dict_set(&to->metadata, keys[i], e->value, 0) : 0;
		if (err < 0)
			return err;
	}
	to->disposition = from->disposition;
	return 0;
}
static int wwflow_stores(const char *format, int codec) {
	const AVOutputFormat *of = av_guess_format(format, NULL, NULL);
	return of ? avformat_query_codec(of, codec, FF_COMPLIANCE_NORMAL) : 0;
}
*/
import "C"

import (
	"errors"
	"math/big"
	"reflect"
	"time"
	"unsafe"

	"github.com/asticode/go-astiav"

	"github.com/wwflow/wwflow/frame"
)

// NoTime is FFmpeg's value for an unknown time stamp (AV_NOPTS_VALUE).
const NoTime int64 = -1 << 63

// By default FFmpeg prints to stderr. go-astiav's log callback is no alternative, because it formats into a fixed buffer.
func init() { astiav.SetLogLevel(astiav.LogLevelQuiet) }

func ptr(f *astiav.Frame) *C.AVFrame { return (*C.AVFrame)(f.UnsafePointer()) }

// Colors are the colour tags of a picture, as code points of ITU-T H.273.
type Colors struct{ Range, Space, Transfer, Primaries int }

// Code points of H.273 and, for the range, of AVColorRange.
const (
	RangeLimited, RangeFull = 1, 2

	SpaceRGB, SpaceBT709, SpaceUnknown, SpaceSMPTE170M, SpaceBT2020 = 0, 1, 2, 6, 9

	TransferBT709, TransferUnknown, TransferSMPTE170M, TransferPQ, TransferHLG = 1, 2, 6, 16, 18

	PrimariesBT709, PrimariesUnknown, PrimariesSMPTE170M, PrimariesBT2020 = 1, 2, 6, 9
)

// ColorsOf returns the colour tags of a picture.
func ColorsOf(f *astiav.Frame) Colors {
	var v [4]C.int
	C.wwflow_colors(ptr(f), &v[0])
	return Colors{int(v[0]), int(v[1]), int(v[2]), int(v[3])}
}

// SetColors sets the colour tags of a picture. It does not change pixels.
func SetColors(f *astiav.Frame, c Colors) {
	C.wwflow_set_colors(ptr(f), C.int(c.Range), C.int(c.Space), C.int(c.Transfer), C.int(c.Primaries))
}

// RangeName returns FFmpeg's name of the range, such as "tv".
func (c Colors) RangeName() string {
	return C.GoString(C.av_color_range_name(C.enum_AVColorRange(c.Range)))
}

// SpaceName returns FFmpeg's name of the matrix, such as "bt709".
func (c Colors) SpaceName() string {
	return C.GoString(C.av_color_space_name(C.enum_AVColorSpace(c.Space)))
}

// TransferName returns FFmpeg's name of the transfer function, such as "smpte2084".
func (c Colors) TransferName() string {
	return C.GoString(C.av_color_transfer_name(C.enum_AVColorTransferCharacteristic(c.Transfer)))
}

// Damaged reports whether the decoder concealed errors in a picture.
func Damaged(f *astiav.Frame) bool { return C.wwflow_damaged(ptr(f)) != 0 }

// Matrix returns the display matrix of a picture, or nil.
func Matrix(f *astiav.Frame) *astiav.DisplayMatrix {
	m := new(astiav.DisplayMatrix)
	if C.wwflow_matrix(ptr(f), unsafe.Pointer(m)) == 0 {
		return nil
	}
	return m
}

// Time returns the presentation time stamp of a picture as estimated by the decoder, or NoTime.
func Time(f *astiav.Frame) int64 { return int64(C.wwflow_time(ptr(f))) }

// BitDepth returns the number of bits of the first component of a pixel format.
func BitDepth(p astiav.PixelFormat) int { return int(C.wwflow_depth(C.int(p))) }

// IsRGB reports whether a pixel format holds RGB.
func IsRGB(p astiav.PixelFormat) bool { return C.wwflow_rgb(C.int(p)) != 0 }

// IsGray reports whether a pixel format holds luminance only, with or without alpha.
func IsGray(p astiav.PixelFormat) bool { return C.wwflow_gray(C.int(p)) != 0 }

// Stores reports whether a container, given by the name of FFmpeg's muxer ("mp4", "matroska"), can hold a codec.
func Stores(container string, codec astiav.CodecID) bool {
	name := C.CString(container)
	defer C.free(unsafe.Pointer(name))
	return C.wwflow_stores(name, C.int(codec)) == 1
}

// object returns the C object of a value of go-astiav, which exports it for few types.
func object(v any) (unsafe.Pointer, error) {
	field := reflect.ValueOf(v).Elem().FieldByName("c")
	if !field.IsValid() || field.Kind() != reflect.Pointer || field.IsNil() {
		return nil, errors.New("this version of go-astiav is not supported; v0.16.0 and v0.39.0 are")
	}
	return field.UnsafePointer(), nil
}

// CopyLabels copies what a person sees of a stream in a player: its language, its title, and its disposition, such as
// default, forced or for the visually impaired.
func CopyLabels(to, from *astiav.Stream) error {
	t, err := object(to)
	if err != nil {
		return err
	}
	f, err := object(from)
	if err != nil {
		return err
	}
	if e := C.wwflow_labels((*C.AVStream)(t), (*C.AVStream)(f)); e < 0 {
		return astiav.Error(e)
	}
	return nil
}

// SetOption sets an option of a codec that is not open yet. The error is astiav.ErrOptionNotFound for an unknown one.
func SetOption(c *astiav.CodecContext, key, value string) error {
	cc, err := inner(c)
	if err != nil {
		return err
	}
	k, v := C.CString(key), C.CString(value)
	defer C.free(unsafe.Pointer(k))
	defer C.free(unsafe.Pointer(v))
	if e := C.wwflow_set_option(cc, k, v); e < 0 {
		return astiav.Error(e)
	}
	return nil
}

// FillRGB copies packed width x height RGB into an rgb24 picture of at least that size. In a larger picture the last
// column and the last row are repeated.
func FillRGB(f *astiav.Frame, pix []byte, width, height int) {
	C.wwflow_fill(ptr(f), (*C.uint8_t)(unsafe.Pointer(&pix[0])), C.int(width), C.int(height))
}

// CopyRGB copies an rgb24 picture into pix, which has 3*width*height bytes.
func CopyRGB(pix []byte, f *astiav.Frame) {
	C.wwflow_copy((*C.uint8_t)(unsafe.Pointer(&pix[0])), ptr(f))
}

// Rational converts a fraction from go-astiav. 0/x and x/0 become the zero value.
func Rational(r astiav.Rational) frame.Rational {
	if r.Num() == 0 || r.Den() == 0 {
		return frame.Rational{}
	}
	return frame.Rational{Num: r.Num(), Den: r.Den()}
}

// Ratio converts a fraction to go-astiav. The zero value becomes 0/1.
func Ratio(r frame.Rational) astiav.Rational {
	if r.Den == 0 {
		return astiav.NewRational(0, 1)
	}
	return astiav.NewRational(r.Num, r.Den)
}

// Round is a rounding mode of Units.
type Round int

const (
	Down    Round = iota // towards minus infinity
	Nearest              // to the nearest unit, halves up
	Up                   // towards plus infinity
)

// Units converts a duration to units of a time base.
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
