package hdf5

// #cgo pkg-config: libdeflate
// #include <libdeflate.h>
import "C"

import (
	"errors"
	"unsafe"
)

// Deflate takes nearly all of the time, so it is done by libdeflate, which knows the size of its output and is about three
// times as fast here as what HDF5 itself would use.

var errMemory = errors.New("out of memory")

// inflate fills out from a zlib stream, exactly, and checks its sum.
func inflate(b, out []byte) error {
	if len(b) == 0 || len(out) == 0 {
		return errors.New("it is empty")
	}
	d := C.libdeflate_alloc_decompressor()
	if d == nil {
		return errMemory
	}
	defer C.libdeflate_free_decompressor(d)
	switch C.libdeflate_zlib_decompress(d, unsafe.Pointer(&b[0]), C.size_t(len(b)), unsafe.Pointer(&out[0]), C.size_t(len(out)), nil) {
	case C.LIBDEFLATE_SUCCESS:
		return nil
	case C.LIBDEFLATE_SHORT_OUTPUT:
		return errors.New("it holds less than it should")
	case C.LIBDEFLATE_INSUFFICIENT_SPACE:
		return errors.New("it holds more than it should")
	}
	return errors.New("its compressed data is damaged")
}

// deflated makes a zlib stream.
func deflated(b []byte) ([]byte, error) {
	c := C.libdeflate_alloc_compressor(level)
	if c == nil {
		return nil, errMemory
	}
	defer C.libdeflate_free_compressor(c)
	out := make([]byte, C.libdeflate_zlib_compress_bound(c, C.size_t(len(b))))
	n := C.libdeflate_zlib_compress(c, unsafe.Pointer(&b[0]), C.size_t(len(b)), unsafe.Pointer(&out[0]), C.size_t(len(out)))
	if n == 0 {
		return nil, errMemory
	}
	return out[:n], nil
}
