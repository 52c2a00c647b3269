package encode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/asticode/go-astiav"

	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/libav"
)

// copier copies the audio and subtitle packets of a file to a muxer. It shifts their times and cuts them.
type copier struct {
	in      *libav.Input
	tracks  map[int]*track // by stream index in the input
	packet  *astiav.Packet
	waiting *track // of the packet that was read but is not due yet
	ended   bool
	from    time.Duration // input time of output time 0
	o       *Options
	early   bool // the container takes packets before time 0 (audio priming)
	said    []string
}

type track struct {
	out      *astiav.Stream
	base     frame.Rational // of the input
	first    int64          // input time that becomes 0, in base
	end      int64          // end of the part, in base
	subtitle bool
	last     int64 // last written DTS, in the output's time base
}

// newCopier opens the file and adds a stream to mux for each stream that the container can hold. Output time 0 is
// offset after the beginning of the file.
func newCopier(ctx context.Context, mux *astiav.FormatContext, container string, offset time.Duration, o *Options) (_ *copier, err error) {
	in, err := libav.Open(ctx, o.CopyFrom)
	if err != nil {
		return nil, fmt.Errorf("cannot read the audio of %s: %w", o.CopyFrom, err)
	}
	c := &copier{in: in, tracks: map[int]*track{}, o: o, from: in.Origin() + offset}
	c.early = (container == "mp4" || container == "mov") && o.Start == 0
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	if c.packet = astiav.AllocPacket(); c.packet == nil {
		return nil, errors.New("out of memory")
	}
	number := map[astiav.MediaType]int{}
	for _, s := range in.Streams() {
		kind := s.CodecParameters().MediaType()
		if kind != astiav.MediaTypeAudio && kind != astiav.MediaTypeSubtitle {
			continue
		}
		number[kind]++
		reason, err := refusal(container, s)
		if err != nil {
			return nil, err
		}
		if reason != "" {
			c.said = append(c.said, fmt.Sprintf("%s stream %d (%s) was left out: %s", kind, number[kind], s.CodecParameters().CodecID(), reason))
			continue
		}
		if err := c.add(mux, s); err != nil {
			return nil, err
		}
	}
	if len(c.tracks) == 0 {
		c.ended = true
	} else if o.Start > 0 {
		// If the file cannot seek, it is read from the beginning.
		_ = in.SeekFrame(-1, int64((c.from-min(o.Start, time.Second))/time.Microsecond), astiav.NewSeekFlags(astiav.SeekFlagBackward))
	}
	return c, nil
}

// refusal returns why a container does not take a stream, or "" if it does. To find out, it writes the header of an
// output with this stream only: one refused stream would otherwise fail the whole output.
func refusal(container string, s *astiav.Stream) (reason string, err error) {
	if !libav.Stores(container, s.CodecParameters().CodecID()) {
		return "this container cannot hold it; .mkv may", nil
	}
	mux, err := astiav.AllocOutputFormatContext(nil, container, "")
	if err != nil {
		return "", err
	}
	defer mux.Free()
	discard, err := astiav.AllocIOContext(4096, true, nil,
		func(offset int64, whence int) (int64, error) { return offset, nil },
		func(b []byte) (int, error) { return len(b), nil })
	if err != nil {
		return "", err
	}
	defer discard.Free()
	mux.SetPb(discard)
	if _, err := addStream(mux, s); err != nil {
		return "", err
	}
	if err := mux.WriteHeader(nil); err != nil {
		return fmt.Sprintf("its parameters are incomplete or not supported (%v)", err), nil
	}
	return "", nil
}

// addStream adds a stream with the parameters and the labels of s to a muxer.
func addStream(mux *astiav.FormatContext, s *astiav.Stream) (*astiav.Stream, error) {
	out := mux.NewStream(nil)
	if out == nil {
		return nil, errors.New("out of memory")
	}
	if err := s.CodecParameters().Copy(out.CodecParameters()); err != nil {
		return nil, err
	}
	out.CodecParameters().SetCodecTag(0) // the tag of the input's container
	out.SetTimeBase(s.TimeBase())
	return out, libav.CopyLabels(out, s)
}

func (c *copier) add(mux *astiav.FormatContext, s *astiav.Stream) error {
	out, err := addStream(mux, s)
	if err != nil {
		return err
	}
	t := &track{out: out, base: libav.Rational(s.TimeBase()), subtitle: s.CodecParameters().MediaType() == astiav.MediaTypeSubtitle, last: libav.NoTime}
	t.first = libav.Units(c.from, t.base, libav.Nearest)
	t.end = 1<<63 - 1
	if c.o.Duration > 0 {
		t.end = libav.Units(c.in.Origin()+c.o.Start+c.o.Duration, t.base, libav.Up)
	}
	c.tracks[s.Index()] = t
	return nil
}

// packets returns about how many packets the muxer gets of all streams, and whether the file tells. It may be called on nil.
func (c *copier) packets() (n int, known bool) {
	if c == nil {
		return 0, true
	}
	for _, s := range c.in.Streams() {
		if c.tracks[s.Index()] == nil {
			continue
		}
		if s.NbFrames() <= 0 {
			return 0, false
		}
		n += 1 + 2*int(s.NbFrames()) // subtitles have an empty packet in each gap
	}
	return n, true
}

// until writes the packets that are due before an output time.
func (c *copier) until(mux *astiav.FormatContext, t time.Duration) error {
	for !c.ended {
		if c.waiting == nil {
			switch err := c.in.Next(c.packet); {
			case err == io.EOF, errors.Is(err, astiav.ErrInvaliddata): // the file is truncated here
				c.ended = true
				return nil
			case err != nil:
				return fmt.Errorf("cannot read the audio of %s: %w", c.o.CopyFrom, err)
			}
			c.waiting = c.tracks[c.packet.StreamIndex()]
			if c.waiting == nil || !c.shift(c.waiting) {
				c.waiting = nil
				c.packet.Unref()
				continue
			}
		}
		due := frame.Frame{PTS: c.packet.Dts(), TimeBase: c.waiting.base}
		if due.Time() >= t {
			return nil
		}
		if err := c.write(mux); err != nil {
			return err
		}
	}
	return nil
}

// write writes the waiting packet.
func (c *copier) write(mux *astiav.FormatContext) error {
	k := c.waiting
	c.waiting = nil
	c.packet.RescaleTs(libav.Ratio(k.base), k.out.TimeBase())
	if k.last != libav.NoTime && c.packet.Dts() <= k.last && !k.subtitle {
		// Rounding can give two packets the same time, which muxers refuse.
		c.packet.SetDts(k.last + 1)
		c.packet.SetPts(max(c.packet.Pts(), k.last+1))
	}
	k.last = c.packet.Dts()
	c.packet.SetStreamIndex(k.out.Index())
	c.packet.SetPos(-1)
	return mux.WriteInterleavedFrame(c.packet)
}

// shift converts the packet to output time, in the input's time base, and reports whether it is in the part.
func (c *copier) shift(t *track) bool {
	pts, dts := c.packet.Pts(), c.packet.Dts()
	if pts == libav.NoTime {
		pts = dts
	}
	if dts == libav.NoTime {
		dts = pts
	}
	if pts == libav.NoTime || pts >= t.end {
		return false
	}
	pts, dts = pts-t.first, dts-t.first
	if pts < 0 && !c.early {
		left := pts + c.packet.Duration()
		if !t.subtitle || left <= 0 {
			return false
		}
		c.packet.SetDuration(left) // a subtitle that is visible at the beginning of the part
		pts, dts = 0, 0
	}
	c.packet.SetPts(pts)
	c.packet.SetDts(dts)
	return true
}

func (c *copier) close() {
	if c == nil {
		return
	}
	if c.packet != nil {
		c.packet.Free()
		c.packet = nil
	}
	c.in.Close()
}
