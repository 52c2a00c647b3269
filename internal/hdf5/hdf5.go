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

var library sync.Mutex

// enter locks libhdf5, which may be built without thread safety. If it is built with it, each thread has its own error
// record, so the goroutine stays on one thread. leave unlocks.
func enter() (leave func()) {
	library.Lock()
	runtime.LockOSThread()
	C.ww_quiet()
	return func() {
		runtime.UnlockOSThread()
		library.Unlock()
	}
}

// Read returns the named dataset of a file, converted to 32-bit floats. If the dataset has more than limit numbers, it
// returns ErrTooLarge before it allocates memory for them.
func Read(path, name string, limit int) (*Array, error) {
	// The operating system describes a missing file better than libhdf5.
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
	p, err := load(path, name, limit, stat.Size())
	if err != nil {
		return nil, err
	}
	return p.decode()
}

// stored is a dataset as it is stored in the file.
type stored struct {
	layout
	raw [][]byte // one for each chunk
}

// load reads the raw chunks. It is the part of Read that uses libhdf5.
func load(path, name string, limit int, fileSize int64) (*stored, error) {
	cPath, cName := C.CString(path), C.CString(name)
	defer C.free(unsafe.Pointer(cPath))
	defer C.free(unsafe.Pointer(cName))
	defer enter()()

	var s C.ww_set
	defer C.ww_close(&s)
	switch C.ww_open(cPath, cName, &s) {
	case 0:
	case -1:
		return nil, failure("it cannot be opened")
	case -2:
		return nil, failure("it has no dataset %q", name)
	default:
		return nil, failure("its dataset %q has an unsupported layout", name)
	}
	p := &stored{}
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
			return nil, fmt.Errorf("%w: its dataset %q extends beyond the end of the file", ErrFormat, name)
		}
		p.raw[0] = make([]byte, size)
		return p, readAt(path, p.raw[0], int64(s.offset))
	}
	left := fileSize // chunks do not share bytes
	for i := range p.raw {
		offset := p.offset(i)
		var size C.hsize_t
		if C.ww_chunk_size(&s, &offset[0], &size) != 0 || size == 0 {
			return nil, fmt.Errorf("%w: a chunk of its dataset %q was never written", ErrFormat, name)
		}
		if uint64(size) > uint64(left) {
			return nil, fmt.Errorf("%w: the chunks of its dataset %q are larger than the file", ErrFormat, name)
		}
		left -= int64(size)
		p.raw[i] = make([]byte, size)
		var skipped C.uint32_t
		if C.ww_read_chunk(&s, &offset[0], &skipped, unsafe.Pointer(&p.raw[i][0])) != 0 {
			return nil, failure("its dataset %q cannot be read", name)
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

// failure returns ErrFormat with a message and the reason that libhdf5 recorded.
func failure(format string, args ...any) error {
	message := fmt.Sprintf(format, args...)
	if reason := C.GoString(C.ww_last_error()); reason != "" {
		message += " (" + reason + ")"
	}
	return fmt.Errorf("%w: %s", ErrFormat, message)
}
