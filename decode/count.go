package decode

import (
	"context"
	"errors"
	"io"

	"github.com/asticode/go-astiav"

	"github.com/wwflow/wwflow/internal/libav"
)

// countLimit is the size of file up to which walking through all packets is cheap beside what follows.
const countLimit = 16 << 30

// count walks through a file's packets without decoding and returns the number of pictures in [first, end).
// Not counted is what no decoder shows: packets that an edit list discards, those before the first key
// picture, and leading pictures that lean on something before it.
func count(ctx context.Context, path string, stream int, first, end int64, limit int) (int, error) {
	in, err := libav.Open(ctx, path)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	p := astiav.AllocPacket()
	defer p.Free()
	n, key := 0, libav.NoTime
	seen := false
	for {
		err := in.Next(p)
		if err == io.EOF {
			return n, nil
		}
		if errors.Is(err, astiav.ErrInvaliddata) && seen {
			return n, nil
		}
		if err != nil {
			return 0, err
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
			n++
		}
		if limit > 0 && n >= limit || dts != libav.NoTime && dts >= end {
			return n, nil
		}
	}
}
