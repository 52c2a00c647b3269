package libav

import "strings"

// NewAudioGraph creates a graph that has no input, because it reads a file with the filter amovie, and returns audio. spec is in
// libavfilter's syntax; FilterPath writes the file's name in it. Only Pull and Close may be called.
func NewAudioGraph(spec string) (*Graph, error) {
	return newGraph(spec, "", "abuffersink", func(*Graph) error { return nil })
}

// FilterPath returns a path as a value in the description of a filter graph. It is escaped for the value and for the graph.
func FilterPath(path string) string {
	if !strings.HasPrefix(path, "/") {
		path = "./" + path
	}
	value := strings.NewReplacer(`\`, `\\`, `'`, `\'`, `:`, `\:`).Replace(path)
	return strings.NewReplacer(`\`, `\\`, `'`, `\'`, `[`, `\[`, `]`, `\]`, `,`, `\,`, `;`, `\;`).Replace(value)
}
