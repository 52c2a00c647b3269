package libav

import (
	"errors"
	"fmt"
	"io"

	"github.com/asticode/go-astiav"

	"github.com/wwflow/wwflow/frame"
)

// Picture describes what goes into a Graph.
type Picture struct {
	Width, Height int
	Format        astiav.PixelFormat
	TimeBase      frame.Rational
	SampleAspect  frame.Rational
}

// Graph is a chain of libavfilter's filters with one way in and one way out.
type Graph struct {
	graph        *astiav.FilterGraph
	source, sink *astiav.FilterContext
}

// NewGraph makes the chain that spec names, in libavfilter's words, on so many threads (0: one a core).
func NewGraph(in Picture, spec string, threads int) (g *Graph, err error) {
	g = &Graph{graph: astiav.AllocFilterGraph()}
	if g.graph == nil {
		return nil, errors.New("out of memory")
	}
	defer func() {
		if err != nil {
			g.Close()
			g, err = nil, fmt.Errorf("libavfilter refuses %q for %dx%d %s: %w", spec, in.Width, in.Height, in.Format, err)
		}
	}()
	g.graph.SetThreadCount(threads)
	args := astiav.FilterArgs{
		"video_size":   fmt.Sprintf("%dx%d", in.Width, in.Height),
		"pix_fmt":      fmt.Sprint(int(in.Format)),
		"time_base":    in.TimeBase.String(),
		"pixel_aspect": Ratio(in.SampleAspect).String(),
	}
	if g.source, err = g.graph.NewFilterContext(astiav.FindFilterByName("buffer"), "in", args); err != nil {
		return g, err
	}
	if g.sink, err = g.graph.NewFilterContext(astiav.FindFilterByName("buffersink"), "out", nil); err != nil {
		return g, err
	}
	out, inp := astiav.AllocFilterInOut(), astiav.AllocFilterInOut()
	defer out.Free()
	defer inp.Free()
	inp.SetName("in")
	inp.SetFilterContext(g.source)
	out.SetName("out")
	out.SetFilterContext(g.sink)
	if err = g.graph.Parse(spec, out, inp); err != nil {
		return g, err
	}
	return g, g.graph.Configure()
}

// HasFilters says whether this build of libavfilter has all the named filters.
func HasFilters(names ...string) bool {
	for _, n := range names {
		if astiav.FindFilterByName(n) == nil {
			return false
		}
	}
	return true
}

// Push hands a picture over, leaving f empty; nil says that none follows.
func (g *Graph) Push(f *astiav.Frame) error {
	return g.source.BuffersrcAddFrame(f, astiav.NewBuffersrcFlags())
}

// PushCopy is Push, but f keeps its pixels; they must not change until the graph has let go of them.
func (g *Graph) PushCopy(f *astiav.Frame) error {
	return g.source.BuffersrcAddFrame(f, astiav.NewBuffersrcFlags(astiav.BuffersrcFlagKeepRef))
}

// Pull takes the next picture. ErrMore: push first. io.EOF: the last one has been taken.
func (g *Graph) Pull(f *astiav.Frame) error {
	err := g.sink.BuffersinkGetFrame(f, astiav.NewBuffersinkFlags())
	switch {
	case errors.Is(err, astiav.ErrEagain):
		return ErrMore
	case errors.Is(err, astiav.ErrEof):
		return io.EOF
	}
	return err
}

// ErrMore says that a filter or codec wants more input before it gives output.
var ErrMore = errors.New("needs more input")

// Close frees the chain.
func (g *Graph) Close() error {
	if g == nil || g.graph == nil {
		return nil
	}
	// go-astiav keeps a table of live objects, so each goes through its own Free.
	if g.source != nil {
		g.source.Free()
	}
	if g.sink != nil {
		g.sink.Free()
	}
	g.graph.Free()
	g.graph = nil
	return nil
}
