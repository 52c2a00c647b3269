package pipeline

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/internal/atomicfile"
	"github.com/wwflow/wwflow/internal/hdf5"
)

// H5 and H5Half are the formats of an Export that have one HDF5 file for the whole video, flow.h5, for feature loaders: a chunk for
// each field, not compressed.
//
//	flow     fields x height x width x 2, float32 or (H5Half) float16: x to the right, y downwards; unknown flow is NaN.
//	         Attributes: units "pixels", axes, fps, step, backward (0 or 1)
//	frames   int64: the numbers of the frames to which the fields belong
//	pts      int64: their presentation time stamps, in units of the attribute time_base: numerator and denominator in seconds
//	times    float64: the same times in seconds
//
// Float16 has steps of 1/1024 of the length, such as 0.03 pixels at 50 pixels.
const (
	H5     flowfile.Format = "h5"
	H5Half flowfile.Format = "h5-16"
)

// h5File is an HDF5 file that is being written.
type h5File struct {
	r     *run
	file  *atomicfile.File
	table *hdf5.Table // nil before the first field
	path  string
	half  bool
}

func (r *run) createH5(path string, half bool) (*h5File, error) {
	file, err := atomicfile.Create(path, true)
	if err != nil {
		return nil, err
	}
	return &h5File{r: r, file: file, path: path, half: half}, nil
}

// open starts the file with the shape of its first field.
func (h *h5File) open(f *field.Field) (err error) {
	kind := hdf5.Float32
	if h.half {
		kind = hdf5.Float16
	}
	backward := int64(0)
	if h.r.Backward {
		backward = 1
	}
	base := f.Pair.First.TimeBase
	h.table, err = hdf5.CreateTable(h.file.Name(),
		hdf5.Dataset{Name: "flow", Kind: kind, Row: []int{f.Height, f.Width, 2}, Attributes: []hdf5.Attribute{
			{Name: "units", Value: "pixels"}, {Name: "axes", Value: "field, row, column, component: x to the right, y downwards"},
			{Name: "fps", Value: h.r.info.FrameRate.Float()}, {Name: "step", Value: int64(h.r.Step)}, {Name: "backward", Value: backward}}},
		hdf5.Dataset{Name: "frames", Kind: hdf5.Int64},
		hdf5.Dataset{Name: "pts", Kind: hdf5.Int64, Attributes: []hdf5.Attribute{{Name: "time_base", Value: []int64{int64(base.Num), int64(base.Den)}}}},
		hdf5.Dataset{Name: "times", Kind: hdf5.Float64, Attributes: []hdf5.Attribute{{Name: "units", Value: "seconds"}}})
	return err
}

func (h *h5File) add(f *field.Field) error {
	if h.table == nil {
		if err := h.open(f); err != nil {
			return h.explain(err)
		}
	}
	number := func(bits uint64) []byte { return binary.LittleEndian.AppendUint64(nil, bits) }
	first := f.Pair.First
	return h.explain(h.table.Append(vectorBytes(f, h.half), number(uint64(first.Index)), number(uint64(first.PTS)), number(math.Float64bits(first.Time().Seconds()))))
}

// explain puts the path into an error.
func (h *h5File) explain(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("cannot write %s: %w", h.path, err)
}

func (h *h5File) commit() error {
	if err := h.table.Commit(); err != nil {
		return err
	}
	return h.file.Commit()
}

func (h *h5File) close() error {
	h.table.Close()
	return h.file.Close()
}
