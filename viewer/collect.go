package viewer

import (
	"errors"
	"fmt"
	"image/color"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/maruel/natural"

	"github.com/wwflow/wwflow/batch"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/internal/pathname"
	"github.com/wwflow/wwflow/visualize"
)

// ErrMixed is returned for paths of different kinds, which cannot be compared.
var ErrMixed = errors.New("give paths of one kind, and the video that they belong to as the input")

// kind is what a path is.
type kind string

const (
	flowFile    kind = "a flow file"
	flowFolder  kind = "a folder of flow files"
	video       kind = "a video"
	pictures    kind = "a folder of images"
	outputs     kind = "an output folder"
	maxVideos        = 10000 // in an output folder
	noSuitedArg      = "%s is %s and %s is %s: %w"
)

// kindOf looks at a path. A folder is one of flow files if it has any.
func kindOf(path string) (kind, error) {
	s, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !s.IsDir() {
		if isFlow(path) {
			return flowFile, nil
		}
		return video, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return "", err
	}
	found := outputs
	for _, e := range entries {
		name := e.Name()
		switch {
		case e.IsDir() || strings.HasPrefix(name, "."):
		case isFlow(filepath.Join(path, name)):
			return flowFolder, nil
		case isPicture(name):
			found = pictures
		}
	}
	return found, nil
}

// isFlow reports whether a file has the extension of a flow file. A PNG has to have 16 bits per channel, as KITTI's.
func isFlow(path string) bool {
	format, err := flowfile.FormatOf(path)
	if err != nil || format != flowfile.KITTI {
		return err == nil
	}
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	c, err := png.DecodeConfig(file)
	return err == nil && (c.ColorModel == color.RGBA64Model || c.ColorModel == color.NRGBA64Model)
}

// flowPaths returns the flow files of a folder.
func flowPaths(folder string) (list []string, err error) {
	entries, err := os.ReadDir(folder)
	for _, e := range entries {
		if path := filepath.Join(folder, e.Name()); !e.IsDir() && !strings.HasPrefix(e.Name(), ".") && isFlow(path) {
			list = append(list, path)
		}
	}
	return list, err
}

// collect finds the items of the sources.
func (v *Viewer) collect(s Sources) ([]*item, error) {
	kinds := make([]kind, len(s.Paths))
	for k, path := range s.Paths {
		var err error
		if kinds[k], err = kindOf(path); err != nil {
			return nil, err
		}
		if kinds[k] != kinds[0] {
			return nil, fmt.Errorf(noSuitedArg, s.Paths[0], kinds[0], path, kinds[k], ErrMixed)
		}
	}
	switch {
	case kinds[0] == outputs && len(s.Paths) > 1:
		return nil, fmt.Errorf("%s and %s: two output folders cannot be compared; name the flow folders in them", s.Paths[0], s.Paths[1])
	case kinds[0] == outputs:
		return v.collectOutputs(s)
	case s.Input == "" && (kinds[0] == video || kinds[0] == pictures):
		return v.collectVideos(s)
	}
	i := &item{name: filepath.Base(s.Paths[0]), input: s.Input}
	if s.Input != "" {
		i.name = filepath.Base(s.Input)
	}
	for k, path := range s.Paths {
		one, err := sourceOf(path, kinds[k], s.Input, false)
		if err != nil {
			return nil, err
		}
		one.name = v.shortName(s.Paths, k)
		i.sources = append(i.sources, one)
	}
	if s.Truth != "" {
		k, err := kindOf(s.Truth)
		if err != nil {
			return nil, err
		}
		if k != flowFile && k != flowFolder {
			return nil, fmt.Errorf("%s is %s: the ground truth is a flow file or a folder of flow files", s.Truth, k)
		}
		truth, err := sourceOf(s.Truth, k, s.Input, true)
		if err != nil {
			return nil, err
		}
		i.sources = append(i.sources, truth)
	}
	onlyColours := kinds[0] == video || kinds[0] == pictures
	if v.network != nil && i.input != "" && (s.Estimate || onlyColours) {
		i.sources = append(i.sources, estimated(s.Network))
	}
	return []*item{i}, nil
}

// sourceOf returns the source of one path.
func sourceOf(path string, k kind, input string, truth bool) (source, error) {
	name := filepath.Base(path)
	if truth {
		name = "ground truth"
	}
	switch k {
	case flowFile:
		several := input != "" && (pathname.IsFolder(input) || !isPicture(input))
		return flowFiles(name, truth, several, path), nil
	case flowFolder:
		paths, err := flowPaths(path)
		return flowFiles(name, truth, true, paths...), err
	default:
		return painted(name, path), nil
	}
}

// shortName returns the last part of a path that tells it from the others.
func (v *Viewer) shortName(paths []string, k int) string {
	parts := strings.Split(filepath.ToSlash(filepath.Clean(paths[k])), "/")
	for n := 1; n < len(parts); n++ {
		name := strings.Join(parts[len(parts)-n:], "/")
		if !slices.ContainsFunc(paths, func(other string) bool {
			return other != paths[k] && strings.HasSuffix("/"+filepath.ToSlash(filepath.Clean(other)), "/"+name)
		}) {
			return name
		}
	}
	return paths[k]
}

// collectVideos returns an item for each video, whose flow is estimated.
func (v *Viewer) collectVideos(s Sources) (list []*item, err error) {
	if v.network == nil {
		return nil, fmt.Errorf("%s: %w", s.Paths[0], ErrNothing)
	}
	for k, path := range s.Paths {
		list = append(list, &item{name: v.shortName(s.Paths, k), input: path, sources: []source{estimated(s.Network)}})
	}
	return list, nil
}

// made matches the names that run and batch give to their outputs, without an extension: the video's name, the style and
// the format of flow files.
var made = func() *regexp.Regexp {
	var styles, formats []string
	for _, s := range visualize.Styles() {
		styles = append(styles, string(s))
	}
	for _, f := range flowfile.Formats() {
		formats = append(formats, string(f))
	}
	return regexp.MustCompile(`^(.+)-(` + strings.Join(styles, "|") + `)(?:-(` + strings.Join(formats, "|") + `))?$`)
}()

// collectOutputs returns the items of an output folder of run or batch.
func (v *Viewer) collectOutputs(s Sources) ([]*item, error) {
	dir := s.Paths[0]
	journal, err := batch.Entries(dir)
	if err != nil {
		return nil, err
	}
	items := map[string]*item{} // by the video's name, relative to dir
	get := func(name string) *item {
		if items[name] == nil {
			items[name] = &item{name: name}
		}
		return items[name]
	}
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if len(items) > maxVideos {
			return fmt.Errorf("%s has more than %d videos; name one of its folders", dir, maxVideos)
		}
		relative, _ := filepath.Rel(dir, path)
		if relative == "." || strings.HasPrefix(e.Name(), ".") {
			return nil
		}
		stem := strings.TrimSuffix(relative, filepath.Ext(relative))
		if e.IsDir() {
			return v.addFolder(path, relative, get)
		}
		switch match := made.FindStringSubmatch(stem); {
		case !batch.IsVideo(path):
		case match != nil:
			i := get(match[1])
			i.sources = append(i.sources, painted(match[2]+" video", path))
			if e := journal[filepath.ToSlash(relative)]; e != nil && i.input == "" && v.roots.check(e.Input.Path) == nil {
				i.input = e.Input.Path
			}
		default:
			get(stem).input = path
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var list []*item
	for name, i := range items {
		if i.input == "" {
			i.input = v.findInput(s.Input, name)
		}
		if v.network != nil && i.input != "" {
			i.sources = append(i.sources, estimated(s.Network))
		}
		if len(i.sources) > 0 {
			list = append(list, i)
		}
	}
	slices.SortFunc(list, func(a, b *item) int {
		if natural.Less(a.name, b.name) {
			return -1
		}
		return 1
	})
	return list, nil
}

// addFolder adds a folder of flow files or of images below an output folder.
func (v *Viewer) addFolder(path, relative string, get func(string) *item) error {
	k, err := kindOf(path)
	if err != nil || k == outputs {
		return err
	}
	name, label := relative, filepath.Base(relative)
	if match := made.FindStringSubmatch(relative); match != nil {
		name, label = match[1], strings.TrimPrefix(relative, match[1]+"-")
	}
	i := get(name)
	if k == pictures {
		i.sources = append(i.sources, painted(label, path))
		return filepath.SkipDir
	}
	paths, err := flowPaths(path)
	if err != nil {
		return err
	}
	i.sources = slices.Insert(i.sources, 0, flowFiles(label, false, true, paths...)) // vectors are shown before colours
	return filepath.SkipDir
}

// findInput returns the video of an output: input itself if that is a file, or the one of that name below it. A frame
// folder counts as well.
func (v *Viewer) findInput(input, name string) string {
	if input == "" || !pathname.IsFolder(input) {
		return input
	}
	entries, err := os.ReadDir(filepath.Join(input, filepath.Dir(name)))
	if err != nil {
		return ""
	}
	for _, e := range entries {
		stem := strings.TrimSuffix(e.Name(), filepath.Ext(e.Name()))
		path := filepath.Join(input, filepath.Dir(name), e.Name())
		if stem == filepath.Base(name) && (e.IsDir() || batch.IsVideo(path)) && v.roots.check(path) == nil {
			return path
		}
	}
	return ""
}
