package pipeline

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/internal/half"
)

// archive is a file for the flow of a whole video that is being written.
type archive interface {
	add(*field.Field) error // writes the next field
	commit() error          // completes the file and gives it its name
	close() error           // deletes a file that is not complete
}

// archiveName is the name of the file of a format that has one for the whole video; "" for other formats.
func (e Export) archiveName() string {
	switch e.Format {
	case NPZ, NPZ16:
		return "flow.npz"
	case H5, H5Half:
		return "flow.h5"
	}
	return ""
}

// WholeVideo reports whether the export is one file for the whole video. Such a file cannot be written in sections.
func (e Export) WholeVideo() bool { return e.archiveName() != "" }

// Bytes returns the size in bytes of the files of so many fields, 0 for formats that compress.
func (e Export) Bytes(width, height, fields int) int64 {
	pixel := map[flowfile.Format]int64{flowfile.Flo: 8, flowfile.NPY: 8, flowfile.NPY16: 4, NPZ: 8, NPZ16: 4, H5: 8, H5Half: 4, flowfile.PFM: 12}[e.Format]
	return pixel * int64(width) * int64(height) * int64(fields)
}

// archive returns the archive of an export, which it creates for the first field.
func (r *run) archive(e Export) (a archive, err error) {
	if a := r.archives[e]; a != nil {
		return a, nil
	}
	if err := os.MkdirAll(e.Dir, 0o777); err != nil {
		return nil, err
	}
	path := filepath.Join(e.Dir, e.archiveName())
	switch e.Format {
	case H5, H5Half:
		a, err = r.createH5(path, e.Format == H5Half)
	default:
		a, err = createNPZ(path, e.Format == NPZ16)
	}
	if err != nil {
		return nil, err
	}
	if r.archives == nil {
		r.archives = map[Export]archive{}
	}
	r.archives[e] = a
	return a, nil
}

// commitArchives completes the archives.
func (r *run) commitArchives() error {
	for e, a := range r.archives {
		if err := a.commit(); err != nil {
			return fmt.Errorf("cannot write %s: %w", filepath.Join(e.Dir, e.archiveName()), err)
		}
	}
	return nil
}

// closeArchives deletes the archives that are not complete.
func (r *run) closeArchives() (err error) {
	for _, a := range r.archives {
		err = errors.Join(err, a.close())
	}
	return err
}

// vectorBytes returns the vectors of a field as little-endian float32, or float16, where both components of unknown flow are NaN.
func vectorBytes(f *field.Field, asHalf bool) []byte {
	size := 4
	if asHalf {
		size = 2
	}
	data := make([]byte, 0, size*len(f.Vectors))
	for i := 0; i < len(f.Vectors); i += 2 {
		pair := [2]float32{f.Vectors[i], f.Vectors[i+1]}
		if !field.Known(pair[0], pair[1]) {
			pair = [2]float32{field.Unknown(), field.Unknown()}
		}
		for _, v := range pair {
			if asHalf {
				data = binary.LittleEndian.AppendUint16(data, half.Bits(v))
			} else {
				data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
			}
		}
	}
	return data
}
