// Package flowfile reads and writes the file formats that hold a flow field. Only .flo5 needs C code (HDF5).
package flowfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/internal/atomicfile"
)

// Format is a file format that holds a flow field.
type Format string

const (
	Flo   Format = "flo"   // Middlebury .flo: 32-bit floats
	KITTI Format = "kitti" // 16-bit PNG: 1/64 pixel, -512 to 511.98 pixels
	PFM   Format = "pfm"   // three-channel PFM, as FlyingThings3D has it
	Flo5  Format = "flo5"  // HDF5 with a dataset "flow", as Spring has it
	NPY   Format = "npy"   // NumPy array, height x width x 2
	EXR   Format = "exr"   // OpenEXR with two float channels
)

// Formats lists every format.
func Formats() []Format { return []Format{Flo, Flo5, KITTI, EXR, NPY, PFM} }

// Extension is the end of a file name in that format, with its dot.
func (f Format) Extension() string {
	if f == KITTI {
		return ".png"
	}
	return "." + string(f)
}

// ParseFormat finds the format of that name.
func ParseFormat(name string) (Format, error) {
	if f := Format(name); slices.Contains(Formats(), f) {
		return f, nil
	}
	names := make([]string, 0, len(Formats()))
	for _, f := range Formats() {
		names = append(names, string(f))
	}
	return "", fmt.Errorf("%w %q: choose one of %s", ErrUnknownFormat, name, strings.Join(names, ", "))
}

// FormatOf is the format that a file's name asks for by its extension, in whatever case.
func FormatOf(path string) (Format, error) {
	extension, names := strings.ToLower(filepath.Ext(path)), []string{}
	for _, f := range Formats() {
		if f.Extension() == extension {
			return f, nil
		}
		names = append(names, f.Extension())
	}
	return "", fmt.Errorf("%s: %w by its extension: a flow file ends in one of %s", path, ErrUnknownFormat, strings.Join(names, " "))
}

// MaxPixels is how many pixels a flow file may have: 8K UHD fits. A file whose header claims more is refused
// before anything is allocated.
const MaxPixels = 1 << 25

var (
	// ErrUnknownFormat is returned for a format that doesn't exist, or a name whose extension tells of none.
	ErrUnknownFormat = errors.New("no flow file format")
	// ErrFormat is returned for a file that is damaged, cut short, or in another format than its name says.
	ErrFormat = errors.New("not a valid flow file")
	// ErrTooLarge is returned for a file that claims more than MaxPixels pixels.
	ErrTooLarge = fmt.Errorf("it claims more than %d pixels, the most that a flow file may have here", MaxPixels)
)

// RangeError is returned where a format can't hold a field's vector. It is never clipped.
type RangeError struct {
	Format Format
	X, Y   int     // the pixel
	U, V   float32 // its flow
}

func (e *RangeError) Error() string {
	return fmt.Sprintf("format %s can't hold the flow (%g, %g) of the pixel in column %d, row %d: write .npy, .exr or .flo5 instead", e.Format, e.U, e.V, e.X, e.Y)
}

// ReadFile reads a flow field. The format is told from the extension of path. Unknown flow is NaN in both
// components, however the format writes it. Errors name the file; errors.Is finds ErrFormat, ErrTooLarge,
// ErrUnknownFormat and those of package os.
func Read(path string) (*field.Field, error) {
	format, err := FormatOf(path)
	if err != nil {
		return nil, err
	}
	if format == Flo5 {
		return readFlo5(path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	f, err := Decode(file, format)
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// WriteFile writes a flow field in the format that path's extension asks for, and replaces a file of that name.
// The file appears under its name only when it is whole. Confidence is not written.
func Write(path string, f *field.Field) error {
	format, err := FormatOf(path)
	if err != nil {
		return err
	}
	if format == Flo5 {
		err = writeFlo5(path, f)
	} else {
		err = atomicfile.WriteTo(path, func(w io.Writer) error { return Encode(w, f, format) })
	}
	var named *os.PathError
	if err != nil && !errors.As(err, &named) {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return err
}

// Decode reads a flow field from a stream in any format but Flo5, which needs a file.
func Decode(r io.Reader, format Format) (*field.Field, error) {
	switch format {
	case Flo:
		return readFlo(r)
	case KITTI:
		return readKITTI(r)
	case PFM:
		return readPFM(r)
	case NPY:
		return readNPY(r)
	case EXR:
		return readEXR(r)
	}
	return nil, fmt.Errorf("%w for a stream: %q", ErrUnknownFormat, format)
}

// Encode writes a flow field to a stream in any format but Flo5, which needs a file.
func Encode(w io.Writer, f *field.Field, format Format) error {
	switch format {
	case Flo:
		return writeFlo(w, f)
	case KITTI:
		return writeKITTI(w, f)
	case PFM:
		return writePFM(w, f)
	case NPY:
		return writeNPY(w, f)
	case EXR:
		return writeEXR(w, f)
	}
	return fmt.Errorf("%w for a stream: %q", ErrUnknownFormat, format)
}

// checkSize refuses a size that no file of ours has, before memory is taken for it.
func checkSize(width, height int64) error {
	if width <= 0 || height <= 0 {
		return fmt.Errorf("%w: its size is %dx%d", ErrFormat, width, height)
	}
	if width > MaxPixels || height > MaxPixels || width*height > MaxPixels {
		return fmt.Errorf("%dx%d: %w", width, height, ErrTooLarge)
	}
	return nil
}

// tidy makes a vector of which one component is unknown unknown as a whole. It copies only if it must.
func tidy(vectors []float32) []float32 {
	copied := false
	for i := 0; i+1 < len(vectors); i += 2 {
		u, v := vectors[i], vectors[i+1]
		if (u == u) != (v == v) {
			if !copied {
				vectors, copied = slices.Clone(vectors), true
			}
			vectors[i], vectors[i+1] = field.Unknown(), field.Unknown()
		}
	}
	return vectors
}
