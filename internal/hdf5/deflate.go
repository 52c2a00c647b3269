package hdf5

// #cgo pkg-config: libdeflate
// #include <libdeflate.h>
import "C"

import (
	"errors"
	"unsafe"
)

var errMemory = errors.New("out of memory")

// Most of the time goes into deflate, so libdeflate does it: it is about three times as fast here as zlib, which
// libhdf5 would use.

// inflate decompresses a zlib stream and verifies its checksum. The result must fill out exactly.
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
		return errors.New("it decompresses to too few bytes")
	case C.LIBDEFLATE_INSUFFICIENT_SPACE:
		return errors.New("it decompresses to too many bytes")
	}
	return errors.New("its compressed data is damaged")
}

// deflate returns a zlib stream.
func deflate(b []byte) ([]byte, error) {
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
