package batch

import (
	"path/filepath"
	"slices"
	"strings"
)

// Entries returns the last entry of each output in the journals of an output folder, by output. It is empty for a folder
// without a journal. The journals may be in use.
func Entries(dir string) (map[string]*Entry, error) {
	last, _, err := readJournals(dir)
	return last, err
}

// IsVideo reports whether a file has the extension of a video: whether Collect takes it when it searches a folder.
func IsVideo(path string) bool {
	return slices.Contains(extensions, strings.ToLower(filepath.Ext(path)))
}
