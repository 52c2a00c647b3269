package viewer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/frame"
)

// frames gives the frames of a video or an image sequence by number. Neighbours are kept, so that stepping and playing
// decode each frame once in either direction.
type frames struct {
	ctx   context.Context // of the readers, which outlive a request
	path  string
	roots roots

	mu     sync.Mutex
	info   decode.Info
	times  []int64 // by number, in units of info.TimeBase; nil = unknown
	reader *decode.Reader
	next   int // number of the frame that reader returns next
	recent map[int]*frame.Frame
	order  []int // keys of recent, the oldest first
}

const (
	maxAhead    = 48        // frames that are decoded to reach one without seeking
	stepBack    = 12        // frames that are decoded before one that is behind
	recentBytes = 128 << 20 // of decoded frames
)

// openFrames opens a video or an image sequence.
func openFrames(ctx context.Context, path string, r roots) (*frames, error) {
	f := &frames{ctx: ctx, path: path, roots: r, recent: map[int]*frame.Frame{}}
	if err := r.check(path); err != nil {
		return nil, err
	}
	if s, err := os.Stat(path); err == nil && s.IsDir() {
		if err := f.checkPictures(); err != nil {
			return nil, err
		}
	}
	reader, err := decode.Open(ctx, path, decode.Options{})
	if err != nil {
		return nil, err
	}
	f.reader, f.info, f.times = reader, reader.Info(), reader.Times()
	return f, nil
}

// checkPictures returns an error if a file of the folder leads out of the roots.
func (f *frames) checkPictures() error {
	entries, err := os.ReadDir(f.path)
	for _, e := range entries {
		if e.Type()&os.ModeSymlink != 0 {
			if err := f.roots.check(f.path + "/" + e.Name()); err != nil {
				return err
			}
		}
	}
	return err
}

// count returns the number of frames, 0 if it is unknown.
func (f *frames) count() int {
	if f.times != nil {
		return len(f.times)
	}
	return f.info.Frames
}

// seconds returns the times of the frames in seconds after the beginning, nil if they are unknown.
func (f *frames) seconds() []float64 {
	list := make([]float64, len(f.times))
	for i := range list {
		list[i] = f.start(i).Seconds()
	}
	return list
}

// start returns the time of frame n after the beginning of the input.
func (f *frames) start(n int) time.Duration {
	at := frame.Frame{PTS: f.times[n], TimeBase: f.info.TimeBase}
	return at.Time() - f.info.StartTime
}

// frame returns the frame with a number.
func (f *frames) frame(ctx context.Context, n int) (*frame.Frame, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if found := f.recent[n]; found != nil {
		return found, nil
	}
	if n < 0 || f.times != nil && n >= len(f.times) {
		return nil, fmt.Errorf("%s has no frame %d", f.path, n)
	}
	if err := f.seek(n); err != nil {
		return nil, err
	}
	for f.next <= n {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		read, err := f.reader.Read()
		if errors.Is(err, io.EOF) {
			f.close()
			return nil, fmt.Errorf("%s has no frame %d, or it is damaged", f.path, n)
		} else if err != nil {
			f.close()
			return nil, err
		}
		f.next = f.number(read) + 1
		f.keep(f.next-1, read)
		if f.next-1 == n {
			return read, nil
		}
	}
	return nil, fmt.Errorf("frame %d of %s is damaged", n, f.path)
}

// seek places the reader at frame n or a few frames before it.
func (f *frames) seek(n int) error {
	if f.reader != nil && n >= f.next && (n < f.next+maxAhead || f.times == nil) {
		return nil
	}
	first := n
	if f.reader != nil && n < f.next {
		first = n - stepBack
	}
	o := decode.Options{Uncounted: true}
	if f.times == nil || first < 0 {
		first = 0
	}
	if first > 0 {
		o.Start = f.start(first)
	}
	f.close()
	if err := f.roots.check(f.path); err != nil {
		return err
	}
	reader, err := decode.Open(f.ctx, f.path, o)
	if err != nil {
		return err
	}
	f.reader, f.next = reader, first
	return nil
}

// number returns the number of a frame that was just read.
func (f *frames) number(read *frame.Frame) int {
	if n, found := slices.BinarySearch(f.times, read.PTS); found {
		return n
	}
	return f.next // the decoder had to invent a time
}

// keep remembers a frame, and forgets the oldest ones beyond the limit.
func (f *frames) keep(n int, read *frame.Frame) {
	if f.recent[n] == nil {
		f.order = append(f.order, n)
	}
	f.recent[n] = read
	for len(f.order) > 2 && len(f.order)*len(read.Pix) > recentBytes {
		delete(f.recent, f.order[0])
		f.order = f.order[1:]
	}
}

// close frees the reader. The next frame opens another one.
func (f *frames) close() {
	_ = f.reader.Close()
	f.reader = nil
}

// Close frees everything.
func (f *frames) Close() {
	if f != nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.close()
		clear(f.recent)
		f.order = nil
	}
}
