package encode

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/sys/unix"
)

// destination is where an output goes: to a video file, to standard output ("-"), or as images into a folder.
type destination struct {
	path    string // of the video
	folder  string // of the images; "" for a video
	pattern string // of the images' names
}

// defaultPattern names the images in a folder.
const defaultPattern = "%06d.png"

// verb is the one verb of a pattern, such as %d or %04d.
var verb = regexp.MustCompile(`%(0\d)?d`)

// findDestination interprets an output path. It fails if the output exists and Force is not set.
func findDestination(path string, o *Options) (destination, error) {
	if path == "-" {
		return destination{path: path}, checkStandardOutput(os.Stdout)
	}
	info, err := os.Stat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return destination{}, err
	}
	exists := err == nil
	dir, base := filepath.Split(path)
	switch {
	case path == "":
		return destination{}, errors.New("the path is empty; name a file")
	case strings.HasSuffix(path, "/") || exists && info.IsDir():
		return imageDestination(filepath.Clean(path), defaultPattern, o)
	case strings.EqualFold(filepath.Ext(base), ".png"):
		if len(verb.FindAllString(base, -1)) != 1 || strings.Count(base, "%") != 1 {
			return destination{}, errors.New("image names need a number, such as out/%06d.png; or name a folder, such as out/")
		}
		return imageDestination(filepath.Clean(dir), base, o)
	case exists && !info.Mode().IsRegular():
		return destination{}, errors.New("it is not a regular file; name a file, or use - for standard output")
	}
	// A symbolic link without a target exists too.
	if _, err := os.Lstat(path); err == nil && !o.Force {
		return destination{}, ErrExists
	}
	return destination{path: path}, nil
}

func imageDestination(folder, pattern string, o *Options) (destination, error) {
	if o.Container != "" || o.Codec != "" || o.CRF >= 0 || len(o.EncoderOptions) > 0 {
		return destination{}, unknownf("PNG images have no container, codec, quality or encoder options; leave these out or name a video")
	}
	files, err := listFiles(folder)
	if err == nil && len(files) > 0 && !o.Force {
		err = ErrExists
	}
	return destination{folder: folder, pattern: pattern}, err
}

// listFiles lists the files of a folder. Folders in it, such as those of exported flow files, and hidden files do not
// count. A missing folder has no files.
func listFiles(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var files []string
	for _, e := range entries {
		if !e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			files = append(files, e.Name())
		}
	}
	return files, err
}

// checkStandardOutput refuses to write a video to a terminal.
func checkStandardOutput(f *os.File) error {
	if _, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS); err == nil {
		return errors.New("standard output is a terminal; send it to a file or a program, such as | ffplay -")
	}
	return nil
}
