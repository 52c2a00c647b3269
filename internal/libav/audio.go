package libav

import (
	"errors"
	"fmt"
	"strings"

	"github.com/asticode/go-astiav"
)

// NewAudioGraph creates a graph that has no input, because it reads a file with the filter amovie, and returns audio. spec is in
// libavfilter's syntax; FilterPath writes the file's name in it. Only Pull and Close may be called.
func NewAudioGraph(spec string) (g *Graph, err error) {
	g = &Graph{graph: astiav.AllocFilterGraph()}
	if g.graph == nil {
		return nil, errors.New("out of memory")
	}
	defer func() {
		if err != nil {
			g.Close()
			g, err = nil, fmt.Errorf("FFmpeg refuses the filters %q: %w", spec, err)
		}
	}()
	if g.sink, err = addSink(g.graph, "abuffersink"); err != nil {
		return g, err
	}
	out := astiav.AllocFilterInOut()
	defer out.Free()
	out.SetName("out")
	out.SetFilterContext(g.sink.context())
	if err = g.graph.Parse(spec, out, nil); err != nil {
		return g, err
	}
	return g, g.graph.Configure()
}

// FilterPath returns a path as a value in the description of a filter graph. It is escaped for the value and for the graph.
func FilterPath(path string) string {
	if !strings.HasPrefix(path, "/") {
		path = "./" + path
	}
	value := strings.NewReplacer(`\`, `\\`, `'`, `\'`, `:`, `\:`).Replace(path)
	return strings.NewReplacer(`\`, `\\`, `'`, `\'`, `[`, `\[`, `]`, `\]`, `,`, `\,`, `;`, `\;`).Replace(value)
}
