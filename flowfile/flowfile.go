// Package flowfile reads and writes the file formats that store a flow field. Only .flo5 needs C code (HDF5).
//
// Unknown flow is NaN in both components of a field.Field. Each format writes it in its own way. A vector that a format
// cannot store is an error: values are never clipped. Confidence is not stored.
package flowfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/atomicfile"
)

var (
	// ErrUnknownFormat is returned for a format name or a file extension that is not in Formats.
	ErrUnknownFormat = errors.New("unknown flow file format")
	// ErrFormat is returned for a file that is damaged, truncated, or in another format than its extension says.
	ErrFormat = errors.New("not a valid flow file")
	// ErrTooLarge is returned, before memory is allocated, for a file that claims more than frame.MaxPixels pixels.
	ErrTooLarge = fmt.Errorf("it claims more than the limit of %d pixels", frame.MaxPixels)
)

// RangeError is returned for a vector that a format cannot store.
type RangeError struct {
	Format Format
	X, Y   int     // the pixel
	U, V   float32 // its flow in pixels
}

func (e *RangeError) Error() string {
	return fmt.Sprintf("format %s cannot store the flow (%g, %g) of the pixel in column %d, row %d: write .npy, .exr or .flo5 instead", e.Format, e.U, e.V, e.X, e.Y)
}

// Read reads a flow field. The extension of path selects the format. Errors name the file. They match ErrFormat,
// ErrTooLarge, ErrUnknownFormat or an error of package os.
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

// Write writes a flow field and replaces an existing file. The extension of path selects the format. The file appears
// under its name only when it is complete. Errors name the file.
func Write(path string, f *field.Field) error {
	format, err := FormatOf(path)
	if err != nil {
		return err
	}
	return WriteAs(path, f, format)
}

// WriteAs is Write in a format that path need not name.
func WriteAs(path string, f *field.Field, format Format) error {
	return named(path, atomicfile.WriteTo(path, func(w io.Writer) error { return Encode(w, f, format) }))
}

// Decode reads a flow field from a stream. Flo5 cannot be read from a stream.
func Decode(r io.Reader, format Format) (*field.Field, error) {
	if i := format.implementation(); i.read != nil {
		return i.read(r)
	}
	return nil, fmt.Errorf("%w for a stream: %q", ErrUnknownFormat, format)
}

// Encode writes a flow field to a stream.
func Encode(w io.Writer, f *field.Field, format Format) error {
	if i := format.implementation(); i.write != nil {
		return i.write(w, f)
	}
	return fmt.Errorf("%w: %q", ErrUnknownFormat, format)
}

// checkSize refuses an invalid size before memory is allocated for it.
func checkSize(width, height int64) error {
	if width <= 0 || height <= 0 {
		return fmt.Errorf("%w: its size is %dx%d", ErrFormat, width, height)
	}
	if width > frame.MaxPixels || height > frame.MaxPixels || width*height > frame.MaxPixels {
		return fmt.Errorf("%dx%d: %w", width, height, ErrTooLarge)
	}
	return nil
}

// completeUnknown makes both components NaN where one is. It copies the vectors only if it changes them.
func completeUnknown(vectors []float32) []float32 {
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
