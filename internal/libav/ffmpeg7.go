//go:build ffmpeg7

package libav

/*
#include <libavcodec/version.h>
#include <libavutil/frame.h>
#if LIBAVCODEC_VERSION_MAJOR != 61 || LIBAVCODEC_VERSION_MINOR < 19
#error "wwflow: this build is for FFmpeg 7.1. In a clone of the repository `make build` selects FFmpeg 5.1 or 7.1; other versions are not supported."
#endif

static int wwflow_interlaced(const AVFrame *f) { return (f->flags & AV_FRAME_FLAG_INTERLACED) != 0; }
static int64_t wwflow_duration(const AVFrame *f) { return f->duration; }
*/
import "C"

import "github.com/asticode/go-astiav"

// Line is the FFmpeg release that this build is for.
const Line = "7.1"

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
	m, _ := s.CodecParameters().SideData().DisplayMatrix().Get()
	return m
}

type interrupter struct{ *astiav.IOInterrupter }

func newInterrupter(fc *astiav.FormatContext) interrupter {
	i := astiav.NewIOInterrupter()
	fc.SetIOInterrupter(i)
	return interrupter{i}
}

func (i interrupter) free() { i.Free() }

type (
	source struct{ *astiav.BuffersrcFilterContext }
	sink   struct {
		*astiav.BuffersinkFilterContext
	}
)

// addSource adds the input of a graph.
func addSource(g *astiav.FilterGraph, in Picture) (*source, error) {
	c, err := g.NewBuffersrcFilterContext(astiav.FindFilterByName("buffer"), "in")
	if err != nil {
		return nil, err
	}
	p := astiav.AllocBuffersrcFilterContextParameters()
	defer p.Free()
	p.SetWidth(in.Width)
	p.SetHeight(in.Height)
	p.SetPixelFormat(in.Format)
	p.SetTimeBase(Ratio(in.TimeBase))
	p.SetSampleAspectRatio(Ratio(in.SampleAspect))
	p.SetColorRange(astiav.ColorRange(in.Colors.Range))
	p.SetColorSpace(astiav.ColorSpace(in.Colors.Space))
	if err := c.SetParameters(p); err != nil {
		return nil, err
	}
	return &source{c}, c.Initialize(nil)
}

// addSink adds the output of a graph: buffersink for pictures, abuffersink for audio.
func addSink(g *astiav.FilterGraph, name string) (*sink, error) {
	c, err := g.NewBuffersinkFilterContext(astiav.FindFilterByName(name), "out")
	if err != nil {
		return nil, err
	}
	return &sink{c}, nil
}

func (s *source) context() *astiav.FilterContext { return s.FilterContext() }
func (s *sink) context() *astiav.FilterContext   { return s.FilterContext() }

func (s *source) add(f *astiav.Frame, flags astiav.BuffersrcFlags) error { return s.AddFrame(f, flags) }

func (s *sink) get(f *astiav.Frame) error { return s.GetFrame(f, astiav.NewBuffersinkFlags()) }

// free frees the graph and with it the input and the output.
func free(g *astiav.FilterGraph, _ *source, _ *sink) { g.Free() }
