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

// copier hands the audio and subtitle packets of a file on to a muxer, shifted and cut.
type copier struct {
	in      *libav.Input
	tracks  map[int]*track // by stream in the input
	packet  *astiav.Packet
	waiting *track // whose packet is read but not yet due
	ended   bool
	from    time.Duration // the input's clock at output time zero
	o       *Options
	early   bool // the container takes packets before time zero (an audio codec's priming)
	said    []string
}

type track struct {
	out      *astiav.Stream
	base     frame.Rational // of the input
	first    int64          // input time that becomes zero, in base
	end      int64          // end of the part, in base
	subtitle bool
	last     int64 // decoding time written last, in the output's units
}

// newCopier opens the file and makes a stream in mux for each one that it can hold.
// Output time zero is offset after the file's beginning.
func newCopier(ctx context.Context, mux *astiav.FormatContext, container string, offset time.Duration, o *Options) (_ *copier, err error) {
	in, err := libav.Open(ctx, o.CopyFrom)
	if err != nil {
		return nil, fmt.Errorf("the sound of %s cannot be read: %w", o.CopyFrom, err)
	}
	c := &copier{in: in, tracks: map[int]*track{}, o: o, from: in.Origin() + offset}
	c.early = (container == "mp4" || container == "mov") && o.Start == 0
	if c.packet = astiav.AllocPacket(); c.packet == nil {
		c.close()
		return nil, errors.New("out of memory")
	}
	number := map[astiav.MediaType]int{}
	for _, s := range in.Streams() {
		p := s.CodecParameters()
		kind := p.MediaType()
		if kind != astiav.MediaTypeAudio && kind != astiav.MediaTypeSubtitle {
			continue
		}
		number[kind]++
		if !libav.Stores(container, p.CodecID()) {
			c.said = append(c.said, fmt.Sprintf("%s stream %d (%s) was left out: this container cannot hold it; .mkv may",
				kind, number[kind], p.CodecID()))
			continue
		}
		out := mux.NewStream(nil)
		if out == nil {
			c.close()
			return nil, errors.New("out of memory")
		}
		if err := p.Copy(out.CodecParameters()); err != nil {
			c.close()
			return nil, err
		}
		out.CodecParameters().SetCodecTag(0) // the other container's
		out.SetTimeBase(s.TimeBase())
		t := &track{out: out, base: libav.Rational(s.TimeBase()), subtitle: kind == astiav.MediaTypeSubtitle, last: libav.NoTime}
		t.first = libav.Units(c.from, t.base, libav.Nearest)
		t.end = 1<<63 - 1
		if o.Duration > 0 {
			t.end = libav.Units(in.Origin()+o.Start+o.Duration, t.base, libav.Up)
		}
		c.tracks[s.Index()] = t
	}
	if len(c.tracks) == 0 {
		c.ended = true
	} else if o.Start > 0 {
		// Where it cannot seek it reads from the beginning and skips.
		_ = in.SeekFrame(-1, int64((c.from-min(o.Start, time.Second))/time.Microsecond), astiav.NewSeekFlags(astiav.SeekFlagBackward))
	}
	return c, nil
}

// until writes the packets that are due before an output time.
func (c *copier) until(mux *astiav.FormatContext, t time.Duration) error {
	for !c.ended {
		if c.waiting == nil {
			switch err := c.in.Next(c.packet); {
			case err == io.EOF, errors.Is(err, astiav.ErrInvaliddata): // the sound is cut off here
				c.ended = true
				return nil
			case err != nil:
				return fmt.Errorf("reading the sound of %s: %w", c.o.CopyFrom, err)
			}
			c.waiting = c.tracks[c.packet.StreamIndex()]
			if c.waiting == nil || !c.cut(c.waiting) {
				c.waiting = nil
				c.packet.Unref()
				continue
			}
		}
		due := frame.Frame{PTS: c.packet.Dts(), TimeBase: c.waiting.base}
		if due.Time() >= t {
			return nil
		}
		k := c.waiting
		c.waiting = nil
		c.packet.RescaleTs(libav.Ratio(k.base), k.out.TimeBase())
		if k.last != libav.NoTime && c.packet.Dts() <= k.last && !k.subtitle {
			// Rounding may lay two packets on one tick, and no muxer takes that.
			c.packet.SetDts(k.last + 1)
			c.packet.SetPts(max(c.packet.Pts(), k.last+1))
		}
		k.last = c.packet.Dts()
		c.packet.SetStreamIndex(k.out.Index())
		c.packet.SetPos(-1)
		if err := mux.WriteInterleavedFrame(c.packet); err != nil {
			return err
		}
	}
	return nil
}

// cut moves the packet to output time (in the input's units) and says whether it is in the part.
func (c *copier) cut(t *track) bool {
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
		c.packet.SetDuration(left) // a line that is on screen where the part begins
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
