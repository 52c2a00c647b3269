package pipeline

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flowfile"
)

// STMap is the format of an Export that warps one frame onto the other in a compositing program: two OpenEXR files for each
// pair, see flowfile.WriteSTMap. 000000-from-000001.exr warps frame 1 onto frame 0. It implies Both.
const STMap flowfile.Format = "stmap"

// ExportFormats returns the formats of an Export: those of flow files and their variants, NPZ, NPZ16, H5, H5Half, JPEG, Mask and STMap.
func ExportFormats() []flowfile.Format {
	return slices.Concat(flowfile.Formats(), flowfile.Variants(), []flowfile.Format{NPZ, NPZ16, H5, H5Half, JPEG, Mask, STMap})
}

// export measures a field and writes its files.
func (r *run) export(f *field.Field) error {
	if err := r.motion.measure(f); err != nil {
		return err
	}
	before := r.previous[f.Pair.First.Index]
	delete(r.previous, f.Pair.First.Index)
	for _, e := range r.Exports {
		if e.WholeVideo() {
			a, err := r.archive(e)
			if err == nil {
				err = a.add(f)
			}
			if err != nil {
				return err
			}
			continue
		}
		if err := os.MkdirAll(e.Dir, 0o777); err != nil {
			return err
		}
		if e.For == "" {
			if err := e.write(f); err != nil {
				return err
			}
			continue
		}
		if r.previous == nil {
			r.previous = map[int]*field.Field{}
		}
		r.previous[f.Pair.Second.Index] = f.Reverse // of the frame that the flow leads to
		path := filepath.Join(e.Dir, fmt.Sprintf("%06d.exr", f.Pair.First.Index))
		if err := flowfile.WriteMotion(path, flowfile.Motion{Next: f, Previous: before}, e.For); err != nil {
			return err
		}
	}
	return nil
}

// fileName tells the names of the files of two exports apart: equal ones would overwrite each other.
func (e Export) fileName() string {
	if e.WholeVideo() {
		return e.archiveName()
	}
	return cmp.Or(e.Format.Extension(), string(e.Format))
}

func (e Export) write(f *field.Field) error {
	switch e.Format {
	case JPEG:
		return writeJPEG(e, f)
	case Mask:
		return writeMasks(e.Dir, f)
	case STMap:
		return writeSTMaps(e.Dir, f)
	}
	return flowfile.WriteAs(filepath.Join(e.Dir, fmt.Sprintf("%06d%s", f.Pair.First.Index, e.Format.Extension())), f, e.Format)
}

// writeSTMaps writes the maps of a field and of its reverse.
func writeSTMaps(dir string, f *field.Field) error {
	for _, f := range []*field.Field{f, f.Reverse} {
		name := fmt.Sprintf("%06d-from-%06d.exr", f.Pair.First.Index, f.Pair.Second.Index)
		if err := flowfile.WriteSTMap(filepath.Join(dir, name), f); err != nil {
			return err
		}
	}
	return nil
}

// number is the number of the frame in the name of a file.
var number = regexp.MustCompile(`^\D*(\d{5,})`)

// Complete returns the numbers of the frames whose files are all in the folder. A missing folder has none.
func (e Export) Complete() (map[int]bool, error) {
	entries, err := os.ReadDir(e.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	each := 1 // files of a field
	if e.Format == JPEG || e.Format == Mask {
		each = 2
	}
	files, complete := map[int]int{}, map[int]bool{}
	for _, entry := range entries {
		name := entry.Name()
		if m := number.FindStringSubmatch(name); m != nil && !strings.HasPrefix(name, ".") {
			n, _ := strconv.Atoi(m[1])
			files[n]++
			complete[n] = files[n] >= each
		}
	}
	return complete, nil
}
