package pipeline

import (
	"errors"
	"syscall"

	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/internal/errkind"
)

// Temporary reports whether an error has nothing to do with the video or the options, so that the same run may succeed later: a
// full disk, a device that cannot be used or was lost.
func Temporary(err error) bool {
	var device *flow.DeviceError
	var lost *flow.LostError
	return errors.As(err, &lost) || errors.Is(err, errkind.ErrTemporary) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.As(err, &device)
}
