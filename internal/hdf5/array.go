// Package hdf5 reads and writes one dataset of floating-point numbers in an HDF5 file, which is all that optical flow
// needs of HDF5.
//
// libhdf5 handles the structure of a file. This package decodes the numbers itself: on every core, where libhdf5 uses
// one and admits one thread at a time, and with every size checked, where libhdf5 1.10 crashes on some damaged files.
// It reads 16-bit, 32-bit and 64-bit IEEE 754 numbers in both byte orders, contiguous or chunked, with the filters
// deflate, shuffle and Fletcher32. Anything else gives an error that names the unsupported feature.
//
// github.com/scigolib/hdf5 v0.13.1, a pure Go library, cannot replace libhdf5: it finds no dataset in some files of
// h5py and fails at the chunk index of others.
//
// Without cgo it builds, and Read and Write return ErrNoCgo.
//
// All functions are safe for concurrent use.
package hdf5

import "errors"

var (
	// ErrFormat is returned for a file that is not HDF5, is damaged, or lacks the dataset.
	ErrFormat = errors.New("not a valid HDF5 file")
	// ErrTooLarge is returned for a dataset with more numbers than the caller allows.
	ErrTooLarge = errors.New("too large")
	// ErrNoCgo is returned where libhdf5 is not part of the program.
	ErrNoCgo = errors.New("HDF5 needs a C library, and this program was built without cgo (CGO_ENABLED=0)")
)

// Array holds the numbers of a dataset in C order: the last dimension varies fastest.
type Array struct {
	Shape []int
	Data  []float32
}
