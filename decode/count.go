package decode

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/asticode/go-astiav"

	"github.com/wwflow/wwflow/internal/libav"
)

// countLimit is the largest file, in bytes, whose packets are counted. Reading them is cheap beside computing flow.
const countLimit = 16 << 30

// reorder is more than the number of frames by which any codec reorders.
const reorder = 32

// packets are the frames of a selected part as the demuxer shows them, without decoding.
type packets struct {
	frames int
	times  []int64 // time stamps in increasing order; nil if they are unknown or not distinct
}

// countPackets reads the packets of a stream and counts the frames with times in [first, end), up to limit frames
// (0 = no limit). It leaves out packets that decoders do not show: those that an edit list discards, those before the
// first key frame, and leading frames that depend on frames before it.
func countPackets(ctx context.Context, path string, stream int, first, end int64, limit int) (found packets, err error) {
	in, err := libav.Open(ctx, path)
	if err != nil {
		return packets{}, err
	}
	defer in.Close()
	p := astiav.AllocPacket()
	defer p.Free()
	seen, key := false, libav.NoTime
	// Packets come in decoding order: the first frames are among a few more packets.
	for limit == 0 || found.frames < limit+reorder {
		err := in.Next(p)
		if err == io.EOF || errors.Is(err, astiav.ErrInvaliddata) && seen {
			break
		}
		if err != nil {
			return packets{}, err
		}
		if p.StreamIndex() != stream {
			p.Unref()
			continue
		}
		flags, pts, dts := p.Flags(), p.Pts(), p.Dts()
		p.Unref()
		if !seen && flags.Has(astiav.PacketFlagKey) {
			seen, key = true, pts
		}
		switch {
		case !seen, flags.Has(astiav.PacketFlagDiscard):
		case pts != libav.NoTime && (pts < first || pts >= end || pts < key):
		default:
			found.frames++
			found.times = append(found.times, pts)
		}
		if dts != libav.NoTime && dts >= end {
			break
		}
	}
	slices.Sort(found.times)
	if limit > 0 && found.frames > limit {
		found.frames, found.times = limit, found.times[:limit]
	}
	if len(slices.Compact(slices.Clone(found.times))) < found.frames || slices.Contains(found.times, libav.NoTime) {
		found.times = nil
	}
	return found, nil
}
