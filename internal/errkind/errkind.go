// Package errkind marks errors by what has to change for the program to succeed: the input, the output, or nothing, because the
// cause passes.
//
// The mark adds no words to the error. errors.Is finds both the kind and the error.
package errkind

import "errors"

// The kinds. The pipeline returns them under its own names.
var (
	ErrInput  = errors.New("the input cannot be used")
	ErrOutput = errors.New("the output cannot be written")

	// ErrTemporary says that the same call may succeed later: a full disk, a lost device, another process on the same output.
	ErrTemporary = errors.New("temporary failure")
)

type marked struct {
	kind error
	error
}

func (m *marked) Is(target error) bool { return target == m.kind }
func (m *marked) Unwrap() error        { return m.error }

// Mark returns err as an error of that kind; nil stays nil.
func Mark(kind, err error) error {
	if err == nil {
		return nil
	}
	return &marked{kind, err}
}
