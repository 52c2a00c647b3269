package encode

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/asticode/go-astiav"
	"golang.org/x/sys/unix"

	"github.com/wwflow/wwflow/internal/atomicfile"
)

// target receives the bytes of a muxer: an atomic file or standard output.
type target struct {
	output
	err error // the first one; FFmpeg passes on only a number
}

type output interface {
	io.Writer
	Commit() error
	Close() error
}

// seekable is an output of which muxers may rewrite parts.
type seekable interface {
	io.Seeker
	Size() (int64, error)
}

func newTarget(ctx context.Context, path string, replace bool) (*target, error) {
	if path == "-" {
		return &target{output: &standardOutput{ctx, os.Stdout}}, nil
	}
	f, err := atomicfile.Create(path, replace)
	if err != nil {
		return nil, err
	}
	return &target{output: f}, nil
}

// stream reports whether the output cannot seek.
func (t *target) stream() bool {
	_, ok := t.output.(seekable)
	return !ok
}

// open returns the I/O context through which FFmpeg writes.
func (t *target) open() (*astiav.IOContext, error) {
	note := func(err error) error {
		if t.err == nil {
			t.err = err
		}
		return astiav.ErrEio
	}
	write := func(b []byte) (int, error) {
		n, err := t.Write(b)
		if err != nil {
			return n, note(err)
		}
		return n, nil
	}
	var seek astiav.IOContextSeekFunc
	if s, ok := t.output.(seekable); ok {
		seek = func(offset int64, whence int) (n int64, err error) {
			const size = 0x10000 // AVSEEK_SIZE asks for the size of the file
			if whence&size != 0 {
				n, err = s.Size()
			} else {
				n, err = s.Seek(offset, whence&3)
			}
			if err != nil {
				return 0, note(err)
			}
			return n, nil
		}
	}
	return astiav.AllocIOContext(1<<20, true, nil, seek, write)
}

// commit completes the output.
func (t *target) commit() error {
	if t.err != nil {
		return t.err
	}
	return t.Commit()
}

// standardOutput is a pipe or a redirected file. Cancelling ctx stops a Write that waits for the reader.
type standardOutput struct {
	ctx  context.Context
	file *os.File
}

// Write polls and writes at most a page at a time, which a pipe that is ready takes without blocking.
func (s *standardOutput) Write(b []byte) (n int, err error) {
	fd := int(s.file.Fd())
	for n < len(b) {
		if err := s.ctx.Err(); err != nil {
			return n, err
		}
		p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		if ready, err := unix.Poll(p, 50); ready == 0 || errors.Is(err, unix.EINTR) {
			continue
		}
		k, err := unix.Write(fd, b[n:min(len(b), n+4096)])
		if err != nil && !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.EAGAIN) {
			return n, err
		}
		n += max(k, 0)
	}
	return n, nil
}

func (s *standardOutput) Commit() error { return nil }
func (s *standardOutput) Close() error  { return nil }
