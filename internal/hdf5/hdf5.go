// Package hdf5 reads and writes one dataset of floating-point numbers in an HDF5 file, which is all that
// optical flow needs of HDF5.
//
// libhdf5 finds out what is where in a file. The numbers themselves are decoded here: on every core, where libhdf5
// would use one and let only one goroutine in, and with every size checked, where libhdf5 1.10 crashes on files that are
// damaged in certain places. IEEE 754 numbers of 16, 32 and 64 bits are read in both byte orders, contiguous or
// chunked, with the filters deflate, shuffle and Fletcher32; anything else is an error that says so.
//
// libhdf5 was chosen after github.com/scigolib/hdf5 v0.13.1 found no dataset in files that h5py wrote, or failed at
// their chunk index.
//
// It may be used by several goroutines at once.
package hdf5

// #cgo pkg-config: hdf5
// #include <stdlib.h>
// #include "binding.h"
import "C"

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"unsafe"
)

var (
	// ErrFormat is returned for a file that is no HDF5 file, is damaged, or lacks the dataset.
	ErrFormat = errors.New("damaged or not what was expected")
	// ErrTooLarge is returned for a dataset with more elements than the caller allows.
	ErrTooLarge = errors.New("too large")
)

// Array is a dataset's numbers, the last dimension varying fastest.
type Array struct {
	Shape []int
	Data  []float32
}

var library sync.Mutex

// enter waits until nobody else is in the library, which need not be built for several threads. Where it is, each
// thread has its own record of errors, so the goroutine stays on one. leave ends that.
func enter() (leave func()) {
	library.Lock()
	runtime.LockOSThread()
	C.ww_quiet()
	return func() {
		runtime.UnlockOSThread()
		library.Unlock()
	}
}

// Read returns the dataset of that name in the file. It is an error, and nothing is allocated, if the dataset
// has more than limit elements. Numbers of other formats are converted to 32-bit floats.
func Read(path, name string, limit int) (*Array, error) {
	// The operating system words a missing file better than libhdf5.
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	stat, err := f.Stat()
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if !stat.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: not a regular file", ErrFormat)
	}
	p, err := find(path, name, limit, stat.Size())
	if err != nil {
		return nil, err
	}
	return p.decode()
}

// parts is a dataset as it is in the file.
type parts struct {
	chunks
	raw [][]byte // one for each chunk
}

// find is the part of Read that holds the library.
func find(path, name string, limit int, fileSize int64) (*parts, error) {
	cPath, cName := C.CString(path), C.CString(name)
	defer C.free(unsafe.Pointer(cPath))
	defer C.free(unsafe.Pointer(cName))
	defer enter()()

	var s C.ww_set
	defer C.ww_close(&s)
	switch C.ww_open(cPath, cName, &s) {
	case 0:
	case -1:
		return nil, failure("it can't be opened as HDF5")
	case -2:
		return nil, failure("it has no dataset %q", name)
	default:
		return nil, failure("its dataset %q can't be understood", name)
	}
	p := &parts{}
	if err := p.describe(&s, name, limit); err != nil {
		return nil, err
	}
	p.raw = make([][]byte, p.count())
	if s.layout == C.WW_CONTIGUOUS {
		if C.ww_has_offset(&s) == 0 {
			return nil, fmt.Errorf("%w: its dataset %q was never written", ErrFormat, name)
		}
		size := int64(product(p.shape) * p.bytes)
		if uint64(s.offset) > uint64(fileSize) || size > fileSize-int64(s.offset) {
			return nil, fmt.Errorf("%w: its dataset %q goes beyond the end of the file", ErrFormat, name)
		}
		p.raw[0] = make([]byte, size)
		return p, readAt(path, p.raw[0], int64(s.offset))
	}
	left := fileSize // chunks don't share bytes
	for i := range p.raw {
		offset := p.offset(i)
		var size C.hsize_t
		if C.ww_chunk_size(&s, &offset[0], &size) != 0 || size == 0 {
			return nil, fmt.Errorf("%w: a part of its dataset %q was never written", ErrFormat, name)
		}
		if uint64(size) > uint64(left) {
			return nil, fmt.Errorf("%w: the chunks of its dataset %q are larger than the file", ErrFormat, name)
		}
		left -= int64(size)
		p.raw[i] = make([]byte, size)
		var skipped C.uint32_t
		if C.ww_read_chunk(&s, &offset[0], &skipped, unsafe.Pointer(&p.raw[i][0])) != 0 {
			return nil, failure("its dataset %q can't be read", name)
		}
		p.skipped[i] = uint32(skipped)
	}
	return p, nil
}

func readAt(path string, b []byte, at int64) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	_, err = f.ReadAt(b, at)
	return errors.Join(err, f.Close())
}

func failure(format string, args ...any) error {
	said := fmt.Sprintf(format, args...)
	if why := C.GoString(C.ww_last_error()); why != "" {
		said += " (" + why + ")"
	}
	return fmt.Errorf("%w: %s", ErrFormat, said)
}
