//go:build !cgo

package hdf5

import "io"

// Read returns ErrNoCgo.
func Read(path, name string, limit int) (*Array, error) { return nil, ErrNoCgo }

// Write returns ErrNoCgo.
func Write(w io.Writer, name string, a *Array) error { return ErrNoCgo }
