//go:build !ffmpeg7

package libav

/*
#include <libavcodec/version.h>
#include <libavutil/frame.h>
#if LIBAVCODEC_VERSION_MAJOR != 59 || LIBAVCODEC_VERSION_MINOR < 37
#error "wwflow: this build is for FFmpeg 5.1. In a clone of the repository `make build` selects FFmpeg 5.1 or 7.1; other versions are not supported."
#endif

static int wwflow_interlaced(const AVFrame *f) { return f->interlaced_frame; }
static int64_t wwflow_duration(const AVFrame *f) { return f->pkt_duration; }
*/
import "C"

import (
	"fmt"

	"github.com/asticode/go-astiav"
)

// Line is the FFmpeg release that this build is for.
const Line = "5.1"

// Interlaced reports whether a picture consists of two fields.
func Interlaced(f *astiav.Frame) bool {
	return C.wwflow_interlaced((*C.AVFrame)(f.UnsafePointer())) != 0
}

// Duration returns the duration of a picture in the time base of its stream; 0 = unknown.
func Duration(f *astiav.Frame) int64 {
	return int64(C.wwflow_duration((*C.AVFrame)(f.UnsafePointer())))
}

// StreamMatrix returns the display matrix of a stream, or nil.
func StreamMatrix(s *astiav.Stream) *astiav.DisplayMatrix {
	m, err := astiav.NewDisplayMatrixFromBytes(s.SideData(astiav.PacketSideDataTypeDisplaymatrix))
	if err != nil {
		return nil
	}
	return m
}

type interrupter struct{ astiav.IOInterrupter }

func newInterrupter(fc *astiav.FormatContext) interrupter {
	return interrupter{fc.SetInterruptCallback()}
}

func (interrupter) free() {}

type (
	source struct{ *astiav.FilterContext }
	sink   struct{ *astiav.FilterContext }
)

// addSource adds the input of a graph. It takes the colour tags of the first picture.
func addSource(g *astiav.FilterGraph, in Picture) (*source, error) {
	c, err := g.NewFilterContext(astiav.FindFilterByName("buffer"), "in", astiav.FilterArgs{
		"video_size":   fmt.Sprintf("%dx%d", in.Width, in.Height),
		"pix_fmt":      fmt.Sprint(int(in.Format)),
		"time_base":    in.TimeBase.String(),
		"pixel_aspect": Ratio(in.SampleAspect).String(),
	})
	return &source{c}, err
}

// addSink adds the output of a graph: buffersink for pictures, abuffersink for audio.
func addSink(g *astiav.FilterGraph, name string) (*sink, error) {
	c, err := g.NewFilterContext(astiav.FindFilterByName(name), "out", nil)
	return &sink{c}, err
}

func (s *source) context() *astiav.FilterContext { return s.FilterContext }
func (s *sink) context() *astiav.FilterContext   { return s.FilterContext }

func (s *source) add(f *astiav.Frame, flags astiav.BuffersrcFlags) error {
	return s.BuffersrcAddFrame(f, flags)
}

func (s *sink) get(f *astiav.Frame) error {
	return s.BuffersinkGetFrame(f, astiav.NewBuffersinkFlags())
}

// free frees the graph. go-astiav v0.16.0 keeps a table of live objects, so each one needs its own Free.
func free(g *astiav.FilterGraph, in *source, out *sink) {
	if in != nil && in.FilterContext != nil {
		in.Free()
	}
	if out != nil && out.FilterContext != nil {
		out.Free()
	}
	g.Free()
}
