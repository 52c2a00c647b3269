package batch

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wwflow/wwflow/internal/errkind"
	"github.com/wwflow/wwflow/pipeline"
)

// extensions are those of the files that a folder is searched for.
var extensions = []string{".3gp", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".ogv", ".ts", ".vob", ".webm", ".wmv", ".y4m"}

// Source says how Collect makes the options of a video.
type Source struct {
	Dir  string                    // output folder, which is not searched
	Base pipeline.Options          // for each video
	Name func(input string) string // the name of an input's output; its folder is not used
}

// Collect returns the videos that the arguments name, in order. An argument is a video file, a folder that is searched for
// video files, or a list: a text file (.txt) with one path a line, or JSON Lines (.jsonl).
//
// The output of a file is in Dir itself. Those of a folder, and those of the relative paths in a list, have the same
// folders under Dir.
func Collect(args []string, s Source) (videos []pipeline.Options, err error) {
	for _, arg := range args {
		var found []pipeline.Options
		info, missing := os.Stat(arg)
		switch extension := strings.ToLower(filepath.Ext(arg)); {
		case missing == nil && info.IsDir():
			found, err = s.folder(arg)
		case extension == ".txt":
			found, err = s.textList(arg)
		case extension == ".jsonl":
			found, err = s.jsonList(arg)
		default:
			found = []pipeline.Options{s.video(arg, "")}
		}
		if err != nil {
			return nil, errkind.Mark(pipeline.ErrInput, err)
		}
		videos = append(videos, found...)
	}
	return videos, nil
}

// video returns the options of an input whose output is in a folder under Dir.
func (s Source) video(input, folder string) pipeline.Options {
	return s.named(input, filepath.Join(folder, filepath.Base(s.Name(input))))
}

func (s Source) named(input, output string) pipeline.Options {
	o := s.Base
	o.Input, o.Output = input, output
	o.Exports = slices.Clone(s.Base.Exports)
	for i := range o.Exports {
		o.Exports[i].Dir = strings.TrimSuffix(output, filepath.Ext(output)) + "-" + string(o.Exports[i].Format)
	}
	return o
}

// folder finds the video files under a folder. Hidden files and folders and the output folder are left out.
func (s Source) folder(root string) (videos []pipeline.Options, err error) {
	if sameFile(root, s.Dir) {
		return nil, fmt.Errorf("%w: the output folder is the input folder %s", pipeline.ErrOptions, root)
	}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch hidden := path != root && strings.HasPrefix(d.Name(), "."); {
		case err != nil:
			return err
		case d.IsDir() && (hidden || sameFile(path, s.Dir)):
			return filepath.SkipDir
		case d.IsDir() || hidden || !slices.Contains(extensions, strings.ToLower(filepath.Ext(path))):
			return nil
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		videos = append(videos, s.video(path, folder))
		return err
	})
	if err == nil && len(videos) == 0 {
		err = fmt.Errorf("%s has no video files (%s)", root, strings.Join(extensions, " "))
	}
	return videos, err
}

// sameFile reports whether two names lead to one file or folder.
func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}
