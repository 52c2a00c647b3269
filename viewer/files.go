package viewer

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/maruel/natural"

	"github.com/wwflow/wwflow/flowfile"
)

// files are the flow files of a folder, or one file, by the number of their frame.
type files struct {
	roots  roots
	paths  map[int]string
	sorted []int
}

func (f *files) numbers() []int { return f.sorted }
func (f *files) ready() []int   { return f.sorted }

func (f *files) packet(ctx context.Context, number, cell int) (*packet, error) {
	path, ok := f.paths[number]
	if !ok {
		return nil, fmt.Errorf("there is no flow file for frame %d", number)
	}
	if err := f.roots.check(path); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	read, err := flowfile.Read(path)
	if err != nil {
		return nil, err
	}
	return newPacket(read, number, cell), nil
}

// newFiles returns the flow files at the paths, which are in one folder. The last number in a name is the number of the
// frame, if no two files have the same; otherwise the files are numbered in natural order.
func newFiles(paths []string, r roots) *files {
	slices.SortFunc(paths, func(a, b string) int {
		if natural.Less(a, b) {
			return -1
		}
		return 1
	})
	f := &files{roots: r, paths: map[int]string{}}
	for _, path := range paths {
		n, ok := lastNumber(path)
		if _, double := f.paths[n]; !ok || double {
			clear(f.paths)
			for i, path := range paths {
				f.paths[i] = path
			}
			break
		}
		f.paths[n] = path
	}
	f.sort()
	return f
}

func (f *files) sort() {
	f.sorted = nil
	for n := range f.paths {
		f.sorted = append(f.sorted, n)
	}
	slices.Sort(f.sorted)
}

// renumber gives the files the positions of the pictures with the same number in their name, where every file has one:
// frame_0001.flo belongs to frame_0001.png, the first picture of a folder.
func (f *files) renumber(pictures string) {
	entries, err := os.ReadDir(pictures)
	if err != nil {
		return
	}
	var names []string
	for _, e := range entries {
		if isPicture(e.Name()) {
			names = append(names, e.Name())
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		if natural.Less(a, b) {
			return -1
		}
		return 1
	})
	position := map[int]int{}
	for i, name := range names {
		if n, ok := lastNumber(name); ok {
			position[n] = i
		}
	}
	moved := map[int]string{}
	for n, path := range f.paths {
		i, ok := position[n]
		if !ok {
			return
		}
		moved[i] = path
	}
	f.paths = moved
	f.sort()
}

var numerals = regexp.MustCompile(`\d+`)

// lastNumber returns the last number in a file's name, without its extension.
func lastNumber(path string) (int, bool) {
	name := filepath.Base(path)
	found := numerals.FindAllString(strings.TrimSuffix(name, filepath.Ext(name)), -1)
	if len(found) == 0 {
		return 0, false
	}
	n, err := strconv.Atoi(found[len(found)-1])
	return n, err == nil && n < 1<<30
}

func isPicture(name string) bool {
	return slices.Contains([]string{".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".exr", ".dpx", ".ppm", ".pgm"}, strings.ToLower(filepath.Ext(name)))
}
