package pipeline

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flowfile"
)

// ExportFormats returns the formats of an Export: those of flow files, JPEG and Mask.
func ExportFormats() []flowfile.Format { return append(flowfile.Formats(), JPEG, Mask) }

// export writes the files of a field.
func (r *run) export(f *field.Field) error {
	for _, e := range r.Exports {
		if err := os.MkdirAll(e.Dir, 0o777); err != nil {
			return err
		}
		if err := e.write(f); err != nil {
			return err
		}
	}
	return nil
}

func (e Export) write(f *field.Field) error {
	switch e.Format {
	case JPEG:
		return writeJPEG(e, f)
	case Mask:
		return writeMasks(e.Dir, f)
	}
	return flowfile.Write(filepath.Join(e.Dir, fmt.Sprintf("%06d%s", f.Pair.First.Index, e.Format.Extension())), f)
}
