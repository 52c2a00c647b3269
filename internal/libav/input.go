package libav

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/asticode/go-astiav"
	"golang.org/x/sys/unix"
)

// Input is an open demuxer. It is not safe for use by two goroutines at once.
type Input struct {
	*astiav.FormatContext
	ctx         context.Context
	interrupter astiav.IOInterrupter // libav reads its memory: it must live as long as the demuxer
	stop        func() bool
	pipe        *astiav.IOContext
	gone        bool // libav frees the demuxer itself when it cannot open it
}

// Open opens a file for demuxing and finds its streams. Reading stops with ctx: libav sees it
// through its interrupt callback. The name is a path, never an address: no protocol but file is opened.
func Open(ctx context.Context, path string) (*Input, error) {
	return open(ctx, "file:"+path, nil)
}

// OpenPipe demuxes what f delivers, seeking in it where f is a regular file.
// It waits for bytes in short turns, so that ctx ends it even when the other side says nothing. The error is
// astiav.ErrEof where it delivers none.
func OpenPipe(ctx context.Context, f *os.File) (*Input, error) {
	fail := func(err error) error {
		if err == io.EOF {
			return astiav.ErrEof
		}
		return astiav.ErrEio
	}
	fd, delivered := int(f.Fd()), false
	read := func(b []byte) (int, error) {
		for {
			if ctx.Err() != nil {
				return 0, astiav.ErrExit
			}
			p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
			if n, err := unix.Poll(p, 50); n == 0 || errors.Is(err, unix.EINTR) {
				continue
			}
			n, err := unix.Read(fd, b)
			switch {
			case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN):
				continue
			case err != nil:
				return 0, fail(err)
			case n == 0:
				return 0, astiav.ErrEof
			}
			delivered = true
			return n, nil
		}
	}
	var seek astiav.IOContextSeekFunc
	if s, err := f.Stat(); err == nil && s.Mode().IsRegular() {
		seek = func(offset int64, whence int) (int64, error) {
			const size = 0x10000 // AVSEEK_SIZE: libav asks how long the file is
			if whence&size != 0 {
				return s.Size(), nil
			}
			n, err := f.Seek(offset, whence&^0x20000) // without AVSEEK_FORCE
			if err != nil {
				return 0, fail(err)
			}
			return n, nil
		}
	}
	pipe, err := astiav.AllocIOContext(64<<10, false, read, seek, nil)
	if err != nil {
		return nil, err
	}
	in, err := open(ctx, "", pipe)
	if err != nil && !delivered && ctx.Err() == nil {
		err = astiav.ErrEof // libav has other names for it, depending on what it tried
	}
	return in, err
}

func open(ctx context.Context, url string, pipe *astiav.IOContext) (in *Input, err error) {
	fc := astiav.AllocFormatContext()
	if fc == nil {
		if pipe != nil {
			pipe.Free()
		}
		return nil, errors.New("out of memory")
	}
	in = &Input{FormatContext: fc, ctx: ctx, pipe: pipe, interrupter: fc.SetInterruptCallback()}
	in.stop = context.AfterFunc(ctx, in.interrupter.Interrupt)
	defer func() {
		if err != nil {
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			in.Close()
			in = nil
		}
	}()
	if pipe != nil {
		fc.SetPb(pipe)
	}
	options := astiav.NewDictionary()
	defer options.Free()
	// A playlist or a reference movie could name other machines and other people's files.
	if err := options.Set("protocol_whitelist", "file", 0); err != nil {
		return in, err
	}
	if err := fc.OpenInput(url, nil, options); err != nil {
		in.gone = true
		return in, err
	}
	if err := fc.FindStreamInfo(nil); err != nil {
		return in, fmt.Errorf("finding its streams: %w", err)
	}
	return in, nil
}

// Next reads the next packet into p, which the caller unreferences. io.EOF at the end.
func (in *Input) Next(p *astiav.Packet) error {
	err := in.ReadFrame(p)
	switch {
	case err == nil:
		return nil
	case in.ctx.Err() != nil:
		return in.ctx.Err()
	case errors.Is(err, astiav.ErrEof):
		return io.EOF
	}
	return err
}

// Origin is the container's first time stamp: its beginning on its own clock.
func (in *Input) Origin() time.Duration {
	if t := in.StartTime(); t != NoTime {
		return time.Duration(t) * time.Microsecond
	}
	return 0
}

// Close frees the demuxer.
func (in *Input) Close() error {
	if in == nil || in.FormatContext == nil {
		return nil
	}
	in.stop()
	if in.gone {
		in.Free()
	} else {
		in.CloseInput()
	}
	if in.pipe != nil {
		in.pipe.Free()
	}
	in.FormatContext = nil
	return nil
}
