package flowfile

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wwflow/wwflow/field"
)

// Format is the name of a file format that stores a flow field, as a user types it.
type Format string

// The formats. Their method Description returns what each stores.
const (
	Flo   Format = "flo"
	Flo5  Format = "flo5"
	KITTI Format = "kitti"
	EXR   Format = "exr"
	NPY   Format = "npy"
	PFM   Format = "pfm"
)

// implementation describes a format. If read is nil, the format can only be read from a file.
type implementation struct {
	name                   Format
	extension, description string
	read                   func(io.Reader) (*field.Field, error)
	write                  func(io.Writer, *field.Field) error
}

// formats is the list of all formats, in the order of help texts.
var formats = []implementation{
	{Flo, ".flo", "Middlebury, 32-bit floats; unknown flow is 1e10", readFlo, writeFlo},
	{Flo5, ".flo5", "HDF5 like Spring's, 32-bit floats; unknown flow is NaN (16-bit and 64-bit floats can be read)", nil, writeFlo5},
	{KITTI, ".png", "KITTI's 16-bit PNG, rounded to 1/64 pixel, -512 to 511.98 pixels; unknown flow has valid = 0", readKITTI, writeKITTI},
	{EXR, ".exr", "OpenEXR, 32-bit channels u and v, a channel valid, and the direction in the header; unknown flow is NaN", readEXR, writeEXR},
	{NPY, ".npy", "NumPy array of height x width x 2, 32-bit floats; unknown flow is NaN", readNPY, writeNPY},
	{PFM, ".pfm", "three 32-bit channels, the third unused; unknown flow is NaN", readPFM, writePFM},
}

// Formats returns every format that an extension selects.
func Formats() []Format {
	var names []Format
	for _, f := range formats {
		names = append(names, f.name)
	}
	return names
}

// Extension returns the file name extension of the format, with its dot.
func (f Format) Extension() string { return f.implementation().extension }

// Description returns one line for help texts: the origin, the type of the numbers and how unknown flow is stored.
func (f Format) Description() string { return f.implementation().description }

// implementation returns the zero value for an unknown format.
func (f Format) implementation() implementation {
	for _, i := range slices.Concat(formats, variants) {
		if i.name == f {
			return i
		}
	}
	return implementation{}
}

// ParseFormat returns the format with that name, or the variant.
func ParseFormat(name string) (Format, error) {
	if slices.Contains(slices.Concat(Formats(), Variants()), Format(name)) {
		return Format(name), nil
	}
	return "", fmt.Errorf("%w %q: choose one of %s", ErrUnknownFormat, name, list(func(f Format) string { return string(f) }, ", "))
}

// FormatOf returns the format that the extension of path selects. Case does not matter.
func FormatOf(path string) (Format, error) {
	extension := strings.ToLower(filepath.Ext(path))
	for _, f := range Formats() {
		if f.Extension() == extension {
			return f, nil
		}
	}
	return "", fmt.Errorf("%s: %w: the extension of a flow file is one of %s", path, ErrUnknownFormat, list(Format.Extension, " "))
}

func list(name func(Format) string, separator string) string {
	var names []string
	for _, f := range Formats() {
		names = append(names, name(f))
	}
	return strings.Join(names, separator)
}
