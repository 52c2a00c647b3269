package datasets

import (
	"os"
	"path/filepath"

	"github.com/wwflow/wwflow/internal/pathname"
)

// subfolders lists the names of the folders in a folder, and of the links to folders, in order.
func subfolders(path string) ([]string, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if pathname.IsFolder(filepath.Join(path, e.Name())) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// firstFolder returns the first path that is a folder, or the first path if none is.
func firstFolder(paths ...string) string {
	for _, path := range paths {
		if pathname.IsFolder(path) {
			return path
		}
	}
	return paths[0]
}
