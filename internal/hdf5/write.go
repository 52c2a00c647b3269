package hdf5

// #include <stdlib.h>
// #include "binding.h"
import "C"

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"runtime"
	"unsafe"

	"golang.org/x/sync/errgroup"
)

// level is the deflate level that the Spring data set's files were written with.
const level = 5

// Write makes path an HDF5 file with one dataset of 32-bit floats, chunked and deflated as Spring's files are,
// and replaces what is there. Chunks are whole rows of the first dimension. The caller sees to it that a
// file half written is not mistaken for a whole one.
func Write(path, name string, a *Array) (err error) {
	rank := len(a.Shape)
	if rank < 1 || rank > C.WW_MAX_RANK || product(a.Shape) != len(a.Data) || len(a.Data) == 0 {
		panic(fmt.Sprintf("hdf5: %d numbers of shape %v", len(a.Data), a.Shape))
	}
	row := product(a.Shape[1:])
	rows := min(a.Shape[0], max(1, 1<<18/row)) // about a megabyte each
	blocks, err := compress(a, row, rows)
	if err != nil {
		return err
	}

	cPath, cName := C.CString(path), C.CString(name)
	defer C.free(unsafe.Pointer(cPath))
	defer C.free(unsafe.Pointer(cName))
	var dims, chunk [C.WW_MAX_RANK]C.hsize_t
	for i, n := range a.Shape {
		dims[i], chunk[i] = C.hsize_t(n), C.hsize_t(n)
	}
	chunk[0] = C.hsize_t(rows)

	defer enter()()
	var s C.ww_set
	defer func() {
		if C.ww_close(&s) != 0 && err == nil {
			err = errors.New("HDF5 file can't be finished: is the disk full?")
		}
	}()
	if C.ww_create(cPath, cName, C.int(rank), &dims[0], &chunk[0], level, &s) != 0 {
		return fmt.Errorf("HDF5 file can't be written: %s", C.GoString(C.ww_last_error()))
	}
	for i, b := range blocks {
		offset := [C.WW_MAX_RANK]C.hsize_t{C.hsize_t(i * rows)}
		if C.ww_write_chunk(&s, &offset[0], C.size_t(len(b)), unsafe.Pointer(&b[0])) != 0 {
			return fmt.Errorf("HDF5 file can't be written: %s", C.GoString(C.ww_last_error()))
		}
	}
	return nil
}

// compress deflates blocks of that many rows, on every core. The last block is padded with zeros to its full size.
func compress(a *Array, row, rows int) ([][]byte, error) {
	blocks := make([][]byte, (a.Shape[0]+rows-1)/rows)
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range blocks {
		group.Go(func() error {
			plain := make([]byte, 4*row*rows)
			from := i * row * rows
			for k, v := range a.Data[from:min(from+row*rows, len(a.Data))] {
				binary.LittleEndian.PutUint32(plain[4*k:], math.Float32bits(v))
			}
			var err error
			blocks[i], err = deflated(plain)
			return err
		})
	}
	return blocks, group.Wait()
}
