package libav

/*
#include <stdatomic.h>
#include <stdlib.h>
#include <libavcodec/avcodec.h>
#include <libavutil/hwcontext.h>
#include <libavutil/pixdesc.h>

// Input of the get_format callback, in the opaque field of the codec context, which FFmpeg copies to its threads.
typedef struct { enum AVPixelFormat format; int strict; atomic_int refused; } wwflow_want;

static enum AVPixelFormat wwflow_choose(AVCodecContext *c, const enum AVPixelFormat *list) {
	wwflow_want *w = c->opaque;
	for (const enum AVPixelFormat *p = list; *p != AV_PIX_FMT_NONE; p++)
		if (*p == w->format)
			return *p;
	atomic_store(&w->refused, 1); // FFmpeg removes a format that failed from the list and asks again
	if (!w->strict)
		for (const enum AVPixelFormat *p = list; *p != AV_PIX_FMT_NONE; p++)
			if (!(av_pix_fmt_desc_get(*p)->flags & AV_PIX_FMT_FLAG_HWACCEL))
				return *p;
	return AV_PIX_FMT_NONE;
}
static int wwflow_refused(wwflow_want *w) { return atomic_load(&w->refused); }

static int wwflow_device(AVBufferRef **device, const char *kind) {
	return av_hwdevice_ctx_create(device, av_hwdevice_find_type_by_name(kind), NULL, NULL, 0);
}
static enum AVPixelFormat wwflow_format(int codec, const char *decoder, const char *kind) {
	const AVCodec *d = decoder ? avcodec_find_decoder_by_name(decoder) : avcodec_find_decoder(codec);
	for (int i = 0; d; i++) {
		const AVCodecHWConfig *h = avcodec_get_hw_config(d, i);
		if (!h)
			break;
		if (h->methods & AV_CODEC_HW_CONFIG_METHOD_HW_DEVICE_CTX && h->device_type == av_hwdevice_find_type_by_name(kind))
			return h->pix_fmt;
	}
	return AV_PIX_FMT_NONE;
}
static void wwflow_attach(AVCodecContext *c, AVBufferRef *device, wwflow_want *w) {
	c->hw_device_ctx = device; // freed with the decoder
	c->opaque = w;
	c->get_format = wwflow_choose;
}
// Copies f to main memory if it is on a device. soft is empty and serves as a temporary.
static int wwflow_fetch(AVFrame *f, AVFrame *soft) {
	if (!f->hw_frames_ctx)
		return 0;
	int err = av_hwframe_transfer_data(soft, f, 0);
	if (err >= 0)
		err = av_frame_copy_props(soft, f);
	if (err >= 0) {
		av_frame_unref(f);
		av_frame_move_ref(f, soft);
	}
	av_frame_unref(soft);
	return err;
}
// Prepares an encoder for pictures on a device, which are uploaded in the format soft.
static int wwflow_pool(AVCodecContext *c, const char *kind, enum AVPixelFormat hard, enum AVPixelFormat soft) {
	AVBufferRef *device = NULL;
	int err = wwflow_device(&device, kind);
	if (err < 0)
		return err;
	AVBufferRef *pool = av_hwframe_ctx_alloc(device);
	av_buffer_unref(&device); // the pool holds it
	if (!pool)
		return AVERROR(ENOMEM);
	AVHWFramesContext *p = (AVHWFramesContext *)pool->data;
	p->format = hard;
	p->sw_format = soft;
	p->width = c->width;
	p->height = c->height;
	p->initial_pool_size = 20; // as in FFmpeg's example vaapi_encode.c
	if ((err = av_hwframe_ctx_init(pool)) < 0) {
		av_buffer_unref(&pool);
		return err;
	}
	c->pix_fmt = hard;
	c->hw_frames_ctx = pool; // freed with the encoder
	return 0;
}
// Copies f to the encoder's device. hard is empty and serves as a temporary.
static int wwflow_bring(AVCodecContext *c, AVFrame *f, AVFrame *hard) {
	int err = av_hwframe_get_buffer(c->hw_frames_ctx, hard, 0);
	if (err >= 0)
		err = av_hwframe_transfer_data(hard, f, 0);
	if (err >= 0)
		err = av_frame_copy_props(hard, f);
	if (err >= 0) {
		av_frame_unref(f);
		av_frame_move_ref(f, hard);
	}
	av_frame_unref(hard);
	return err;
}
*/
import "C"

import (
	"errors"
	"fmt"
	"path/filepath"
	"unsafe"

	"github.com/asticode/go-astiav"

	"github.com/wwflow/wwflow/internal/loader"
)

// HardwareKinds are the supported kinds of hardware, by FFmpeg's names, in the order in which they are tried.
var HardwareKinds = []string{"cuda", "vaapi"}

// Direction is the use of hardware.
type Direction int

// The two uses of hardware.
const (
	Decoding Direction = iota
	Encoding
)

// Lacks returns what the machine lacks for a kind of hardware, or "" if nothing seems to be missing. FFmpeg itself only
// returns an error number.
func Lacks(kind string, d Direction) string {
	if kind == "vaapi" {
		if nodes, _ := filepath.Glob("/dev/dri/renderD*"); len(nodes) == 0 {
			return "vaapi: no GPU found (no /dev/dri/renderD*)"
		}
		return ""
	}
	if nodes, _ := filepath.Glob("/dev/nvidia[0-9]*"); len(nodes) == 0 {
		return kind + ": no NVIDIA GPU found (no /dev/nvidia*)"
	}
	library := "libnvcuvid.so.1"
	if d == Encoding {
		library = "libnvidia-encode.so.1"
	}
	for _, name := range []string{"libcuda.so.1", library} {
		if _, err := loader.Find(name); err != nil {
			return fmt.Sprintf("%s: the NVIDIA driver is incomplete (%v); in a container, include video in NVIDIA_DRIVER_CAPABILITIES", kind, err)
		}
	}
	return ""
}

// inner returns the C object of a codec context.
func inner(c *astiav.CodecContext) (*C.AVCodecContext, error) {
	p, err := object(c)
	return (*C.AVCodecContext)(p), err
}

// HasHardware reports whether a decoder supports a kind of hardware. name "" = the default decoder of the codec.
func HasHardware(codec astiav.CodecID, name, kind string) bool {
	return hardwareFormat(codec, name, kind) != C.AV_PIX_FMT_NONE
}

func hardwareFormat(codec astiav.CodecID, name, kind string) C.enum_AVPixelFormat {
	k := C.CString(kind)
	defer C.free(unsafe.Pointer(k))
	var n *C.char
	if name != "" {
		n = C.CString(name)
		defer C.free(unsafe.Pointer(n))
	}
	return C.wwflow_format(C.int(codec), n, k)
}

// Hardware is a device that a decoder uses.
type Hardware struct {
	Kind string
	want *C.wwflow_want
	soft *astiav.Frame
}

// DecodeOn prepares a decoder, which is not open yet, for a kind of hardware; codec and name as in HasHardware. If the
// device refuses the stream, the decoder fails if strict is set, and decodes in software otherwise.
func DecodeOn(c *astiav.CodecContext, codec astiav.CodecID, name, kind string, strict bool) (*Hardware, error) {
	cc, err := inner(c)
	if err != nil {
		return nil, err
	}
	format := hardwareFormat(codec, name, kind)
	if format == C.AV_PIX_FMT_NONE {
		return nil, fmt.Errorf("%s: the decoder of this FFmpeg does not support it", kind)
	}
	device, err := openDevice(kind)
	if err != nil {
		return nil, err
	}
	h := &Hardware{Kind: kind, want: (*C.wwflow_want)(C.calloc(1, C.sizeof_wwflow_want)), soft: astiav.AllocFrame()}
	if h.want == nil || h.soft == nil {
		C.av_buffer_unref(&device)
		h.Close()
		return nil, errors.New("out of memory")
	}
	h.want.format = format
	if strict {
		h.want.strict = 1
	}
	C.wwflow_attach(cc, device, h.want)
	return h, nil
}

func openDevice(kind string) (*C.AVBufferRef, error) {
	k := C.CString(kind)
	defer C.free(unsafe.Pointer(k))
	var device *C.AVBufferRef
	if e := C.wwflow_device(&device, k); e < 0 {
		return nil, deviceError(kind, e)
	}
	return device, nil
}

func deviceError(kind string, e C.int) error {
	return fmt.Errorf("%s: the driver does not start (%w)", kind, astiav.Error(e))
}

// Refused reports whether the device refused the stream.
func (h *Hardware) Refused() bool { return C.wwflow_refused(h.want) != 0 }

// Fetch copies a picture from the device to main memory, with its properties. A picture in main memory is unchanged.
func (h *Hardware) Fetch(f *astiav.Frame) error {
	if e := C.wwflow_fetch(ptr(f), ptr(h.soft)); e < 0 {
		return fmt.Errorf("%s: a frame cannot be copied from the device: %w", h.Kind, astiav.Error(e))
	}
	return nil
}

// Close frees the settings of the decoder, which must have been freed before.
func (h *Hardware) Close() error {
	if h == nil {
		return nil
	}
	C.free(unsafe.Pointer(h.want))
	h.want = nil
	if h.soft != nil {
		h.soft.Free()
		h.soft = nil
	}
	return nil
}

// Upload copies pictures to the device of an encoder.
type Upload struct {
	kind    string
	encoder *C.AVCodecContext
	hard    *astiav.Frame
}

// EncodeOn prepares an encoder, which has its size and is not open yet, for pictures on a device. Pictures are uploaded
// in the format soft.
func EncodeOn(c *astiav.CodecContext, kind string, soft astiav.PixelFormat) (*Upload, error) {
	cc, err := inner(c)
	if err != nil {
		return nil, err
	}
	u := &Upload{kind: kind, encoder: cc, hard: astiav.AllocFrame()}
	if u.hard == nil {
		return nil, errors.New("out of memory")
	}
	k := C.CString(kind)
	defer C.free(unsafe.Pointer(k))
	if e := C.wwflow_pool(cc, k, C.enum_AVPixelFormat(astiav.FindPixelFormatByName(kind)), C.enum_AVPixelFormat(soft)); e < 0 {
		u.Close()
		return nil, deviceError(kind, e)
	}
	return u, nil
}

// Bring copies a picture to the device.
func (u *Upload) Bring(f *astiav.Frame) error {
	if e := C.wwflow_bring(u.encoder, ptr(f), ptr(u.hard)); e < 0 {
		return fmt.Errorf("%s: a frame cannot be copied to the device: %w", u.kind, astiav.Error(e))
	}
	return nil
}

// Close frees the temporary picture. The device is freed with the encoder.
func (u *Upload) Close() error {
	if u != nil && u.hard != nil {
		u.hard.Free()
		u.hard = nil
	}
	return nil
}
