package flowfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/hdf5"
)

// flowSet is the name of the dataset in Spring's .flo5: HDF5, height x width x 2. It is written as deflated 32-bit floats.
// 16-bit and 64-bit floats can also be read. Unknown flow is NaN.
const flowSet = "flow"

func readFlo5(path string) (*field.Field, error) {
	a, err := readHDF5(path, flowSet, 2*frame.MaxPixels)
	if err != nil {
		return nil, err
	}
	if len(a.Shape) != 3 || a.Shape[2] != 2 {
		return nil, fmt.Errorf("%s: %w: its dataset %q has the shape %v instead of height x width x 2", path, ErrFormat, flowSet, a.Shape)
	}
	return &field.Field{Width: a.Shape[1], Height: a.Shape[0], Vectors: completeUnknown(a.Data)}, nil
}

func writeFlo5(w io.Writer, f *field.Field) error {
	return hdf5.Write(w, flowSet, &hdf5.Array{Shape: []int{f.Height, f.Width, 2}, Data: completeUnknown(f.Vectors)})
}

func readHDF5(path, set string, limit int) (*hdf5.Array, error) {
	a, err := hdf5.Read(path, set, limit)
	var named *os.PathError
	switch {
	case err == nil || errors.As(err, &named):
		return a, err
	case errors.Is(err, hdf5.ErrTooLarge):
		return nil, fmt.Errorf("%s: %w", path, ErrTooLarge)
	case errors.Is(err, hdf5.ErrFormat):
		return nil, fmt.Errorf("%s: %w: %s", path, ErrFormat, strings.TrimPrefix(err.Error(), hdf5.ErrFormat.Error()+": "))
	}
	return nil, fmt.Errorf("%s: %w", path, err)
}
