package field

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/wwflow/wwflow/internal/hdf5"
	"github.com/wwflow/wwflow/internal/whole"
)

// Spring's .flo5 and .dsp5: HDF5 with one dataset, "flow" of height x width x 2 or "disparity" of height x width.
// Floats of any size are read; deflated 32-bit floats are written. Unknown is NaN.
const (
	flowSet      = "flow"
	disparitySet = "disparity"
)

func readFlo5(path string) (*Field, error) {
	a, err := readHDF5(path, flowSet, 2*MaxPixels)
	if err != nil {
		return nil, err
	}
	if len(a.Shape) != 3 || a.Shape[2] != 2 {
		return nil, fmt.Errorf("%s: %w: its dataset %q has the shape %v instead of height x width x 2", path, ErrFormat, flowSet, a.Shape)
	}
	return &Field{Width: a.Shape[1], Height: a.Shape[0], Vectors: tidy(a.Data)}, nil
}

// Disparity holds how far each pixel of one camera's frame is to the left in the other camera's.
type Disparity struct {
	Width, Height int       // pixels
	Values        []float32 // Width*Height, row-major, pixels; NaN = unknown
}

// ReadDisparity reads a .dsp5 file of the Spring data set. Its errors are those of ReadFile.
func ReadDisparity(path string) (*Disparity, error) {
	a, err := readHDF5(path, disparitySet, MaxPixels)
	if err != nil {
		return nil, err
	}
	if len(a.Shape) != 2 {
		return nil, fmt.Errorf("%s: %w: its dataset %q has the shape %v instead of height x width", path, ErrFormat, disparitySet, a.Shape)
	}
	return &Disparity{Width: a.Shape[1], Height: a.Shape[0], Values: a.Data}, nil
}

// WriteDisparity writes a .dsp5 file and replaces one of that name. The file appears only when it is whole.
func WriteDisparity(path string, d *Disparity) error {
	return whole.Write(path, func(temporary string) error {
		return hdf5.Write(temporary, disparitySet, &hdf5.Array{Shape: []int{d.Height, d.Width}, Data: d.Values})
	})
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
