package hdf5

// #include <stdlib.h>
// #include "binding.h"
import "C"

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"runtime"
	"unsafe"

	"golang.org/x/sync/errgroup"
)

// level is the deflate level of the Spring data set's files.
const level = 5

// Write writes an HDF5 file with one dataset of 32-bit floats, chunked and deflated like Spring's files. A chunk is a
// number of whole rows of the first dimension. Write panics if a.Data does not match a.Shape.
func Write(w io.Writer, name string, a *Array) error {
	rank := len(a.Shape)
	if rank < 1 || rank > C.WW_MAX_RANK || product(a.Shape) != len(a.Data) || len(a.Data) == 0 {
		panic(fmt.Sprintf("hdf5: %d numbers of shape %v", len(a.Data), a.Shape))
	}
	row := product(a.Shape[1:])
	rows := min(a.Shape[0], max(1, 1<<18/row)) // about 1 MB per chunk
	chunks, err := compress(a, row, rows)
	if err != nil {
		return err
	}
	image, err := build(name, a.Shape, rows, chunks)
	if err != nil {
		return err
	}
	_, err = w.Write(image)
	return err
}

// build returns the bytes of a file. libhdf5 builds it in memory, because its messages about a full disk are several
// lines long and an unwritten buffer makes it fail again at exit.
func build(name string, shape []int, rows int, chunks [][]byte) (image []byte, err error) {
	cName := C.CString(name)
	defer C.free(unsafe.Pointer(cName))
	var dims, chunk [C.WW_MAX_RANK]C.hsize_t
	for i, n := range shape {
		dims[i], chunk[i] = C.hsize_t(n), C.hsize_t(n)
	}
	chunk[0] = C.hsize_t(rows)

	defer enter()()
	fail := func() error { return fmt.Errorf("libhdf5 cannot build the file: %s", C.GoString(C.ww_last_error())) }
	var s C.ww_set
	defer func() {
		if C.ww_close(&s) != 0 && err == nil {
			err = fail()
		}
	}()
	if C.ww_create(cName, C.int(len(shape)), &dims[0], &chunk[0], level, &s) != 0 {
		return nil, fail()
	}
	for i, b := range chunks {
		offset := [C.WW_MAX_RANK]C.hsize_t{C.hsize_t(i * rows)}
		if C.ww_write_chunk(&s, &offset[0], C.size_t(len(b)), unsafe.Pointer(&b[0])) != 0 {
			return nil, fail()
		}
		chunks[i] = nil // halves the memory use
	}
	size := C.ww_image(&s, nil, 0)
	if size <= 0 {
		return nil, fail()
	}
	image = make([]byte, size)
	if C.ww_image(&s, unsafe.Pointer(&image[0]), C.size_t(size)) != size {
		return nil, fail()
	}
	return image, nil
}

// compress deflates the chunks, on every core. The last chunk is padded with zeros.
func compress(a *Array, row, rows int) ([][]byte, error) {
	chunks := make([][]byte, (a.Shape[0]+rows-1)/rows)
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range chunks {
		group.Go(func() error {
			plain := make([]byte, 4*row*rows)
			from := i * row * rows
			for k, v := range a.Data[from:min(from+row*rows, len(a.Data))] {
				binary.LittleEndian.PutUint32(plain[4*k:], math.Float32bits(v))
			}
			var err error
			chunks[i], err = deflate(plain)
			return err
		})
	}
	return chunks, group.Wait()
}
