package hdf5

// #include <stdlib.h>
// #include "binding.h"
import "C"

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"
)

// Kind is the type of the numbers of a dataset in a Table. They are little-endian.
type Kind int

// The kinds.
const (
	Float16 Kind = C.WW_FLOAT16
	Float32 Kind = C.WW_FLOAT32
	Float64 Kind = C.WW_FLOAT64
	Int64   Kind = C.WW_INT64
)

// bytes is the size of a number.
func (k Kind) bytes() int { return map[Kind]int{Float16: 2, Float32: 4, Float64: 8, Int64: 8}[k] }

// Dataset describes a dataset of a Table: an array whose first dimension grows.
type Dataset struct {
	Name       string
	Kind       Kind
	Row        []int // shape of a row: the dimensions after the first, at most three; nil for a number
	Attributes []Attribute
}

// Attribute is a named value of a dataset.
type Attribute struct {
	Name  string
	Value any // string, int64, float64 or []int64
}

// Table writes an HDF5 file whose datasets grow by one row at a time. Memory does not grow with the number of rows: rows are
// chunks of their own if they are large, and are not compressed.
type Table struct {
	file C.hid_t // < 0 when it is closed
	sets []C.hid_t
	size []int // bytes of a row
	rows int
}

// numbersInChunk is the number of rows in a chunk of a dataset whose rows are numbers.
const numbersInChunk = 1024

// CreateTable makes a file, or replaces it. After an error from CreateTable, Append or Close the file is not complete, and errors
// of the system, such as syscall.ENOSPC, are matched.
func CreateTable(path string, sets ...Dataset) (*Table, error) {
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	defer enter()()
	t := &Table{file: C.ww_table_create(name)}
	if t.file < 0 {
		return nil, tableError("create the file")
	}
	for _, s := range sets {
		if err := t.add(s); err != nil {
			t.abandon()
			return nil, err
		}
	}
	return t, nil
}

// add creates a dataset.
func (t *Table) add(s Dataset) error {
	if len(s.Row) >= C.WW_MAX_RANK {
		panic(fmt.Sprintf("hdf5: rows of shape %v", s.Row))
	}
	chunk := [C.WW_MAX_RANK]C.hsize_t{1}
	for i, n := range s.Row {
		chunk[i+1] = C.hsize_t(n)
	}
	if len(s.Row) == 0 {
		chunk[0] = numbersInChunk
	}
	name := C.CString(s.Name)
	defer C.free(unsafe.Pointer(name))
	set := C.ww_table_set(t.file, name, C.int(s.Kind), C.int(1+len(s.Row)), &chunk[0])
	if set < 0 {
		return tableError("create the dataset " + s.Name)
	}
	t.sets, t.size = append(t.sets, set), append(t.size, product(s.Row)*s.Kind.bytes())
	for _, a := range s.Attributes {
		if setAttribute(set, a) != 0 {
			return tableError("write the attribute " + a.Name)
		}
	}
	return nil
}

func setAttribute(set C.hid_t, a Attribute) C.int {
	name := C.CString(a.Name)
	defer C.free(unsafe.Pointer(name))
	switch v := a.Value.(type) {
	case string:
		text := C.CString(v)
		defer C.free(unsafe.Pointer(text))
		return C.ww_set_text(set, name, text)
	case int64:
		return C.ww_set_numbers(set, name, C.WW_INT64, 0, unsafe.Pointer(&v))
	case float64:
		return C.ww_set_numbers(set, name, C.WW_FLOAT64, 0, unsafe.Pointer(&v))
	case []int64:
		return C.ww_set_numbers(set, name, C.WW_INT64, C.hsize_t(len(v)), unsafe.Pointer(&v[0]))
	}
	panic(fmt.Sprintf("hdf5: an attribute of type %T", a.Value))
}

// Append writes the next row of each dataset: its numbers in C order, little-endian. It panics if their size is wrong.
func (t *Table) Append(rows ...[]byte) error {
	if t.file < 0 {
		return errors.New("the HDF5 file is closed")
	}
	for i, row := range rows {
		if len(rows) != len(t.sets) || len(row) != t.size[i] || len(row) == 0 {
			panic(fmt.Sprintf("hdf5: row %d of %d has %d bytes", i+1, len(rows), len(row)))
		}
	}
	defer enter()()
	for i, row := range rows {
		if C.ww_append(t.sets[i], C.hsize_t(t.rows), unsafe.Pointer(&row[0])) != 0 {
			err := tableError("write")
			t.abandon()
			return err
		}
	}
	t.rows++
	return nil
}

// Commit completes the file. Its data may not be on the disk yet.
func (t *Table) Commit() error {
	if t.file < 0 {
		return errors.New("the HDF5 file is closed")
	}
	defer enter()()
	if C.ww_table_flush(t.file) != 0 {
		err := tableError("write")
		t.abandon()
		return err
	}
	if !t.close() {
		return tableError("close the file")
	}
	return nil
}

// Close frees a table that was not completed; its file is of no use. It may be called on nil and again.
func (t *Table) Close() {
	if t == nil || t.file < 0 {
		return
	}
	defer enter()()
	t.abandon()
}

// abandon closes the file without writing what is left.
func (t *Table) abandon() {
	C.ww_table_abandon(t.file)
	t.close()
}

// close reports whether libhdf5 could close everything.
func (t *Table) close() (ok bool) {
	ok = true
	for _, s := range t.sets {
		ok = C.ww_close_set(s) == 0 && ok
	}
	ok = C.ww_table_close(t.file) == 0 && ok
	t.sets, t.file = nil, -1
	return ok
}

// tableError is the error of the system behind the last failure, otherwise what libhdf5 says.
func tableError(what string) error {
	if number := syscall.Errno(C.ww_table_errno()); number != 0 {
		return number
	}
	return fmt.Errorf("libhdf5 cannot %s: %s", what, C.GoString(C.ww_table_error()))
}
