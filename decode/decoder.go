package decode

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/asticode/go-astiav"

	"github.com/wwflow/wwflow/internal/libav"
)

// Limits on consecutive errors, after which the rest of the input is given up.
const (
	maxDecoderErrors = 1000
	maxDemuxerErrors = 100
)

// decode decodes the next picture of the selected part that is not damaged.
func (v *video) decode(ctx context.Context, raw *astiav.Frame) (stamp, error) {
	for errs := 0; ; {
		if err := ctx.Err(); err != nil {
			return stamp{}, err
		}
		err := v.codec.ReceiveFrame(raw)
		switch {
		case err == nil:
			errs = 0
			s, wanted, err := v.received(raw)
			if err != nil || wanted {
				return s, err
			}
			raw.Unref()
		case errors.Is(err, astiav.ErrEagain):
			if err := v.feed(); err != nil {
				return stamp{}, err
			}
		case errors.Is(err, astiav.ErrEof):
			return stamp{}, io.EOF
		case v.refused():
			return stamp{}, fmt.Errorf("%w: %s", ErrHardware, v.refusal())
		default:
			v.lose()
			if errs++; errs > maxDecoderErrors {
				return stamp{}, fmt.Errorf("the decoder failed %d times in a row: %w", errs, err)
			}
		}
	}
}

// received examines a decoded picture and reports whether it is to be returned. io.EOF: it follows the selected part.
func (v *video) received(raw *astiav.Frame) (s stamp, wanted bool, err error) {
	if v.device != nil {
		if err := v.device.Fetch(raw); err != nil {
			return s, false, err
		}
	}
	s = v.stamp(raw)
	switch {
	case s.pts < v.first:
		v.early = true
		return s, false, nil
	case s.pts >= v.end:
		raw.Unref()
		return s, false, io.EOF
	case libav.Damaged(raw):
		v.lost++
		return s, false, nil
	}
	s.index = v.numbers.next(s.pts, v.lost)
	return s, true, nil
}

// stamp returns the times of a picture. Time stamps increase.
func (v *video) stamp(raw *astiav.Frame) stamp {
	s := stamp{pts: libav.Time(raw), duration: max(0, libav.Duration(raw))}
	if v.any && (s.pts == libav.NoTime || s.pts <= v.last.pts) {
		s.pts = v.last.pts + max(1, v.last.duration)
	} else if s.pts == libav.NoTime {
		s.pts = libav.Units(v.in.Origin(), v.base, libav.Down)
	}
	v.last, v.any = s, true
	return s
}

// feed sends one packet to the decoder, or the end of the stream.
func (v *video) feed() error {
	for errs := 0; !v.drained; {
		err := v.in.Next(v.packet)
		switch {
		case err == io.EOF:
			v.drain()
			return nil
		case errors.Is(err, astiav.ErrInvaliddata):
			v.lose()
			if errs++; errs > maxDemuxerErrors {
				v.drain()
				return nil
			}
			continue
		case err != nil:
			return err
		}
		if v.packet.StreamIndex() != v.stream.Index() {
			v.packet.Unref()
			continue
		}
		v.sent = v.packet.Pts()
		err = v.codec.SendPacket(v.packet)
		v.packet.Unref()
		if err == nil {
			return nil
		}
		if v.refused() {
			return fmt.Errorf("%w: %s", ErrHardware, v.refusal())
		}
		v.lose()
	}
	return nil
}

// drain sends the end of the stream. With several threads the decoder lags behind the packets, and the error that it
// returns here belongs to an earlier packet.
func (v *video) drain() {
	v.drained = true
	if v.codec.SendPacket(nil) != nil {
		v.lose()
	}
}

// lose counts a packet that gave no picture, if it lies in the selected part.
func (v *video) lose() {
	if v.sent == libav.NoTime || v.sent >= v.first && v.sent < v.end {
		v.lost++
	}
}
