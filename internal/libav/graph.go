package libav

import (
	"errors"
	"fmt"
	"io"

	"github.com/asticode/go-astiav"

	"github.com/wwflow/wwflow/frame"
)

// Picture describes the pictures that enter a Graph.
type Picture struct {
	Width, Height int
	Format        astiav.PixelFormat
	TimeBase      frame.Rational
	SampleAspect  frame.Rational
	Colors        Colors // of all pictures
}

// Graph is a filter graph with one input and one output.
type Graph struct {
	graph  *astiav.FilterGraph
	source *source
	sink   *sink
}

// NewGraph creates the graph that spec describes in libavfilter's syntax. threads 0 = one per core.
func NewGraph(in Picture, spec string, threads int) (*Graph, error) {
	return newGraph(spec, fmt.Sprintf(" for %dx%d %s", in.Width, in.Height, in.Format), "buffersink", func(g *Graph) (err error) {
		g.graph.SetThreadCount(threads)
		g.source, err = addSource(g.graph, in)
		return err
	})
}

// newGraph creates a graph with the named sink. begin prepares it, and adds its source where it has one. input describes the input in
// errors.
func newGraph(spec, input, sink string, begin func(*Graph) error) (g *Graph, err error) {
	g = &Graph{graph: astiav.AllocFilterGraph()}
	if g.graph == nil {
		return nil, errors.New("out of memory")
	}
	defer func() {
		if err != nil {
			g.Close()
			g, err = nil, fmt.Errorf("FFmpeg refuses the filters %q%s: %w", spec, input, err)
		}
	}()
	if err = begin(g); err != nil {
		return g, err
	}
	if g.sink, err = addSink(g.graph, sink); err != nil {
		return g, err
	}
	out := astiav.AllocFilterInOut()
	defer out.Free()
	out.SetName("out")
	out.SetFilterContext(g.sink.context())
	var in *astiav.FilterInOut
	if g.source != nil {
		in = astiav.AllocFilterInOut()
		defer in.Free()
		in.SetName("in")
		in.SetFilterContext(g.source.context())
	}
	if err = g.graph.Parse(spec, out, in); err != nil {
		return g, err
	}
	return g, g.graph.Configure()
}

// HasFilters reports whether this build of FFmpeg has all named filters.
func HasFilters(names ...string) bool {
	for _, n := range names {
		if astiav.FindFilterByName(n) == nil {
			return false
		}
	}
	return true
}

// Push moves a picture into the graph and leaves f empty. nil ends the input.
func (g *Graph) Push(f *astiav.Frame) error {
	return g.source.add(f, astiav.NewBuffersrcFlags())
}

// PushCopy is like Push, but f keeps its pixels. They must not change while the graph uses them.
func (g *Graph) PushCopy(f *astiav.Frame) error {
	return g.source.add(f, astiav.NewBuffersrcFlags(astiav.BuffersrcFlagKeepRef))
}

// Pull returns the next picture in f. ErrMore: push first. io.EOF: there are no more pictures.
func (g *Graph) Pull(f *astiav.Frame) error {
	err := g.sink.get(f)
	switch {
	case errors.Is(err, astiav.ErrEagain):
		return ErrMore
	case errors.Is(err, astiav.ErrEof):
		return io.EOF
	}
	return err
}

// ErrMore reports that a filter needs more input before it returns a picture.
var ErrMore = errors.New("more input is needed")

// Close frees the graph.
func (g *Graph) Close() error {
	if g == nil || g.graph == nil {
		return nil
	}
	free(g.graph, g.source, g.sink)
	g.graph = nil
	return nil
}
