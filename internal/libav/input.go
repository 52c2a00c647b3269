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

// Input is an open demuxer. It must not be used by two goroutines at once.
type Input struct {
	*astiav.FormatContext
	ctx         context.Context
	interrupter interrupter // the demuxer reads its memory
	stop        func() bool
	pipe        *astiav.IOContext
	freed       bool // FFmpeg frees the demuxer if it cannot open the input
}

// Open opens a file and finds its streams. If ctx is cancelled, reading stops. The name is a path, never a URL: no
// protocol but file is used.
func Open(ctx context.Context, path string) (*Input, error) {
	in, err := OpenHeader(ctx, path)
	if err != nil {
		return nil, err
	}
	return in, in.findStreams()
}

// OpenHeader is Open for a file whose header describes its streams, as those that this program writes as MP4, MOV and NUT: no frame is
// read and decoded to find what the header leaves open.
func OpenHeader(ctx context.Context, path string) (*Input, error) {
	return open(ctx, "file:"+path, nil)
}

// findStreams reads as many frames as it takes to know all streams. After an error the input is closed.
func (in *Input) findStreams() error {
	err := in.FindStreamInfo(nil)
	if err == nil {
		return nil
	}
	if in.ctx.Err() != nil {
		err = in.ctx.Err()
	}
	in.Close()
	return fmt.Errorf("finding its streams: %w", err)
}

// OpenPipe opens a stream that is read from f, which may be a regular file. It polls for data, so that cancelling ctx
// stops it even if no data arrives. Without any data the error is astiav.ErrEof.
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
			const size = 0x10000 // AVSEEK_SIZE asks for the size of the file
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
	if err == nil {
		err = in.findStreams()
	}
	if err != nil && !delivered && ctx.Err() == nil {
		err = astiav.ErrEof // FFmpeg returns other errors, depending on what it tried
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
	in = &Input{FormatContext: fc, ctx: ctx, pipe: pipe, interrupter: newInterrupter(fc)}
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
	for key, value := range map[string]string{
		"protocol_whitelist": "file", // playlists and reference movies can name other machines
		"pattern_type":       "none", // the image demuxer must not take a name with % for a pattern
	} {
		if err := options.Set(key, value, 0); err != nil {
			return in, err
		}
	}
	if err := fc.OpenInput(url, nil, options); err != nil {
		in.freed = true
		return in, err
	}
	return in, nil
}

// Next reads the next packet into p, which the caller unreferences. It returns io.EOF at the end.
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

// Origin returns the first time stamp of the container, or 0 if it is unknown.
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
	if in.freed {
		in.Free()
	} else {
		in.CloseInput()
	}
	if in.pipe != nil {
		in.pipe.Free()
	}
	in.interrupter.free()
	in.FormatContext = nil
	return nil
}
