// Package hdf5 reads and writes one dataset of floating-point numbers in an HDF5 file, which is all that
// optical flow needs of HDF5.
//
// libhdf5 does what a file's structure asks for; deflate, which takes nearly all the time, is done here and on
// every core, where libhdf5 would use one and would let only one goroutine in. Whatever this package doesn't
// decode itself (other filters, other number formats) it leaves to libhdf5, so any dataset that libhdf5 can turn
// into 32-bit floats is read. It was chosen after github.com/scigolib/hdf5 v0.13.1 found no dataset in
// files that h5py wrote, or failed at their chunk index.
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
	s, a, raw, err := readRaw(path, name, limit, stat.Size())
	if err != nil || raw == nil {
		return a, err
	}
	return a, s.decode(raw, a.Data)
}

// readRaw is the part of Read that holds the library. It returns the chunks as they are in the file, or nil
// where libhdf5 has decoded them.
func readRaw(path, name string, limit int, fileSize int64) (*chunks, *Array, [][]byte, error) {
	cPath, cName := C.CString(path), C.CString(name)
	defer C.free(unsafe.Pointer(cPath))
	defer C.free(unsafe.Pointer(cName))
	defer enter()()
	var s C.ww_set
	defer C.ww_close(&s)
	switch C.ww_open(cPath, cName, &s) {
	case 0:
	case -1:
		return nil, nil, nil, failure("it can't be opened as HDF5")
	case -2:
		return nil, nil, nil, failure("it has no dataset %q", name)
	default:
		return nil, nil, nil, failure("its dataset %q can't be understood", name)
	}
	if s.rank > C.WW_MAX_RANK || s.rank < 1 {
		return nil, nil, nil, fmt.Errorf("%w: its dataset %q has %d dimensions", ErrFormat, name, s.rank)
	}
	if s.class_float == 0 {
		return nil, nil, nil, fmt.Errorf("%w: its dataset %q doesn't hold floating-point numbers", ErrFormat, name)
	}
	a, elements := &Array{}, 1
	for _, n := range s.dims[:s.rank] {
		if n == 0 {
			return nil, nil, nil, fmt.Errorf("%w: its dataset %q is empty", ErrFormat, name)
		}
		if uint64(n) > uint64(limit/elements) {
			return nil, nil, nil, fmt.Errorf("%w: its dataset %q has more than %d numbers", ErrTooLarge, name, limit)
		}
		elements *= int(n)
		a.Shape = append(a.Shape, int(n))
	}
	if s.chunked != 0 {
		// libhdf5 makes room for a whole chunk, however little of it lies in the dataset.
		room := limit
		for _, n := range s.chunk[:s.rank] {
			if n == 0 || uint64(n) > uint64(room) {
				return nil, nil, nil, fmt.Errorf("%w: its dataset %q has chunks of more than %d numbers", ErrTooLarge, name, limit)
			}
			room /= int(n)
		}
	}
	c := newChunks(&s, a.Shape)
	if c == nil {
		a.Data = make([]float32, elements)
		if C.ww_read_all(&s, (*C.float)(unsafe.Pointer(&a.Data[0]))) != 0 {
			return nil, nil, nil, failure("its dataset %q can't be read", name)
		}
		return nil, a, nil, nil
	}
	raw := make([][]byte, c.count())
	for i := range raw {
		offset := c.offset(i)
		var size C.hsize_t
		if C.ww_chunk_size(&s, &offset[0], &size) != 0 || size == 0 {
			// A chunk that was never written: libhdf5 knows what it holds.
			a.Data = make([]float32, elements)
			if C.ww_read_all(&s, (*C.float)(unsafe.Pointer(&a.Data[0]))) != 0 {
				return nil, nil, nil, failure("its dataset %q can't be read", name)
			}
			return nil, a, nil, nil
		}
		if int64(size) > fileSize || size > 1<<31 {
			return nil, nil, nil, fmt.Errorf("%w: a chunk of its dataset %q is larger than the file", ErrFormat, name)
		}
		raw[i] = make([]byte, size)
		var skipped C.uint32_t
		if C.ww_read_chunk(&s, &offset[0], &skipped, unsafe.Pointer(&raw[i][0])) != 0 {
			return nil, nil, nil, failure("its dataset %q can't be read", name)
		}
		c.skipped[i] = uint32(skipped)
	}
	a.Data = make([]float32, elements)
	return c, a, raw, nil
}

func failure(format string, args ...any) error {
	said := fmt.Sprintf(format, args...)
	if why := C.GoString(C.ww_last_error()); why != "" {
		said += " (" + why + ")"
	}
	return fmt.Errorf("%w: %s", ErrFormat, said)
}
