package encode

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/asticode/go-astiav"

	"github.com/wwflow/wwflow/internal/libav"
)

// Segment is a part of a video in a file of its own, which CreateSegment has written and Join continues.
//
// Times are those of the frames that were written, in units of Options.TimeBase.
type Segment struct {
	Path   string
	Frames int
	First  int64 // time stamp of the first frame
	Last   int64 // time stamp of the last frame
	End    int64 // end of the last frame
}

// ErrSegment is matched by errors about the file of a segment: it is missing, damaged, or does not go with the others.
var ErrSegment = errors.New("the segment cannot be used")

func segmentError(path, format string, args ...any) error {
	return fmt.Errorf("%w: %s: %w", ErrSegment, path, fmt.Errorf(format, args...))
}

// ForSegments returns the options with the codec that Create would choose for a path, and the extension of segments for it:
// a container that keeps exact times. The path is that of a video file.
func ForSegments(path string, o Options) (_ Options, extension string, err error) {
	muxer, c, err := choose(path, &o)
	if err != nil {
		return o, "", err
	}
	o.Codec = codecName(muxer, &o)
	id := astiav.FindEncoderByName(c.encoder).ID()
	for _, extension := range []string{".mp4", ".mov", segmentExtension} {
		if muxer, _ := containerOf(extension, true); libav.Stores(muxer, id) {
			return o, extension, nil
		}
	}
	return o, "", fmt.Errorf("%w: there is no container for segments of %s", ErrCodecContainer, o.Codec)
}

// segmentExtension is that of NUT, a container that is for segments only: it keeps exact times and takes FFV1, which MP4 and
// MOV do not.
const segmentExtension = ".nut"

func containerOf(extension string, segment bool) (muxer string, ok bool) {
	if segment && extension == segmentExtension {
		return "nut", true
	}
	muxer, ok = containers[extension]
	return muxer, ok
}

// CreateSegment is Create for a segment of options that ForSegments returned. The segment has no copied streams.
func CreateSegment(ctx context.Context, path string, o Options) (*Writer, error) {
	o.segment, o.Container, o.CopyFrom = true, "", ""
	return Create(ctx, path, o)
}

// CheckSegment reads a segment and returns an error that matches ErrSegment if it does not have its frames.
func CheckSegment(ctx context.Context, s Segment) error {
	in, err := openSegment(ctx, s.Path, libav.OpenHeader)
	if err != nil {
		return err
	}
	defer in.close()
	n := 0
	for ; ; n++ {
		if err := in.next(); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		in.packet.Unref()
	}
	return in.checkCount(s, n)
}

// segmentReader reads the packets of a segment.
type segmentReader struct {
	path   string
	in     *libav.Input
	stream *astiav.Stream
	packet *astiav.Packet
}

// openSegment opens a segment with libav.Open or, to read its packets only, with libav.OpenHeader.
func openSegment(ctx context.Context, path string, open func(context.Context, string) (*libav.Input, error)) (*segmentReader, error) {
	in, err := open(ctx, path)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, segmentError(path, "%w", err)
	}
	r := &segmentReader{path: path, in: in, packet: astiav.AllocPacket()}
	if streams := in.Streams(); len(streams) == 1 && r.packet != nil {
		r.stream = streams[0]
		return r, nil
	}
	r.close()
	return nil, segmentError(path, "it has %d streams, not one", len(in.Streams()))
}

// next reads a packet; io.EOF at the end.
func (r *segmentReader) next() error {
	err := r.in.Next(r.packet)
	switch {
	case err == nil && (r.packet.Pts() == libav.NoTime || r.packet.Dts() == libav.NoTime):
		r.packet.Unref()
		return segmentError(r.path, "a frame has no time")
	case err == nil, err == io.EOF:
		return err
	}
	return segmentError(r.path, "%w", err)
}

func (r *segmentReader) checkCount(s Segment, n int) error {
	if n != s.Frames {
		return segmentError(s.Path, "it has %d frames, not %d", n, s.Frames)
	}
	return nil
}

func (r *segmentReader) close() {
	if r.packet != nil {
		r.packet.Free()
	}
	r.in.Close()
}

// parameters is what all segments must have in common.
type parameters struct {
	codec         astiav.CodecID
	width, height int
	extra         [sha256.Size]byte
}

func (r *segmentReader) parameters() parameters {
	p := r.stream.CodecParameters()
	return parameters{p.CodecID(), p.Width(), p.Height(), sha256.Sum256(bytes.Clone(p.ExtraData()))}
}

// Join writes one video from segments, in their order, without encoding again, and copies the streams of Options.CopyFrom as
// Create does. The options are those of the segments. It returns the notices of Writer.Notices. An error that matches
// ErrSegment is about a segment; after any error there is no output.
func Join(ctx context.Context, path string, segments []Segment, o Options) (notices []string, err error) {
	w := &Writer{ctx: ctx, path: path, o: o}
	notices, err = w.join(segments, true)
	if errors.Is(err, errIndexSpace) {
		w.o = o
		notices, err = w.join(segments, false)
	}
	switch {
	case errors.Is(err, ErrSegment) && ctx.Err() == nil:
		return nil, err
	case err != nil:
		return nil, w.explain(err)
	}
	return notices, nil
}

// join joins. With reserve it keeps space for the index in front of the frames of a large file.
func (w *Writer) join(segments []Segment, reserve bool) ([]string, error) {
	d, err := findDestination(w.path, &w.o)
	switch {
	case err != nil:
		return nil, err
	case d.folder != "":
		return nil, unknownf("images cannot be joined; name a video file")
	case len(segments) == 0:
		return nil, ErrNoFrames
	}
	j := &joiner{ctx: w.ctx, last: libav.NoTime}
	defer j.close()
	for i, s := range segments {
		if i == 0 {
			err = j.open(w.path, segments, &w.o, reserve)
		}
		if err == nil {
			err = j.add(s)
		}
		if err != nil {
			return nil, err
		}
	}
	j.v.end = segments[len(segments)-1].End - j.v.zero
	return j.v.said, j.v.finish()
}

// joiner copies the packets of segments to a muxer.
type joiner struct {
	ctx   context.Context
	v     *video // without encoder
	first parameters
	last  int64 // DTS of the last packet, in the frames' time base
}

// open starts the output with the parameters of the first segment.
func (j *joiner) open(path string, segments []Segment, o *Options, reserve bool) error {
	in, err := openSegment(j.ctx, segments[0].Path, libav.Open)
	if err != nil {
		return err
	}
	defer in.close()
	_, muxer, err := chooseContainer(path, o)
	if err != nil {
		return err
	}
	if id := in.stream.CodecParameters().CodecID(); !libav.Stores(muxer, id) {
		return fmt.Errorf("%w: %s cannot hold %s", ErrCodecContainer, muxer, id.Name())
	}
	v := newUnencoded(o)
	j.v = v
	if v.target, err = newTarget(j.ctx, path, o.Force); err != nil {
		return err
	}
	copyTo := func(to *astiav.CodecParameters) error {
		defer to.SetCodecTag(0) // the tag of the segment's container
		return in.stream.CodecParameters().Copy(to)
	}
	if err := v.openMuxer(j.ctx, muxer, copyTo); err != nil {
		return err
	}
	if reserve {
		v.index = indexSpace(v, segments)
	}
	return v.writeHeader(muxer, codecs[o.Codec].mp4)
}

// indexAhead is the size in bytes of the segments from which on space is kept for the index. Moving the index of a smaller file takes no
// time worth mentioning, and unused space would be a larger share of it.
const indexAhead = 32 << 20

// errIndexSpace says that the index did not fit into the space that was kept for it.
var errIndexSpace = errors.New("the space for the index is too small")

// The most that the index takes, in bytes: for the descriptions of the streams, and for a frame, whose duration and offset to the decoding
// time take 8 each, its size and the list of key frames 4 each, a chunk of its own 20, flags 1. An audio packet takes less. Tests change
// them.
var indexFixed, indexPerFrame = 1 << 16, 48

// indexSpace returns the bytes to keep in front of the frames for the index of an MP4 or MOV file, so that they need not be moved, which
// writes the whole file twice; 0 = to move them.
func indexSpace(v *video, segments []Segment) int {
	n, size := 0, int64(0)
	for _, s := range segments {
		n += s.Frames
		if info, err := os.Stat(s.Path); err == nil {
			size += info.Size()
		}
	}
	copied, known := v.copier.packets()
	space := indexFixed + indexPerFrame*(n+copied)
	if size < indexAhead || !known || space > math.MaxInt32 {
		return 0
	}
	return space
}

// add copies the packets of a segment.
func (j *joiner) add(s Segment) error {
	in, err := openSegment(j.ctx, s.Path, libav.OpenHeader)
	if err != nil {
		return err
	}
	defer in.close()
	if j.last == libav.NoTime {
		j.first = in.parameters()
	}
	if in.parameters() != j.first {
		return segmentError(s.Path, "it was encoded with other parameters than the first segment, such as another version of FFmpeg or another encoder; compute it again")
	}
	n := 0
	for ; ; n++ {
		if err := in.next(); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		err := j.packet(in, s)
		in.packet.Unref()
		if err != nil {
			return err
		}
	}
	return in.checkCount(s, n)
}

// packet copies one packet. Segments begin with time 0.
func (j *joiner) packet(in *segmentReader, s Segment) error {
	v, p := j.v, in.packet
	p.RescaleTs(in.stream.TimeBase(), libav.Ratio(v.o.TimeBase))
	pts, dts := p.Pts()+s.First, p.Dts()+s.First-v.zero
	if pts < s.First || pts > s.Last {
		return segmentError(s.Path, "a frame has the time %d, outside %d to %d", pts, s.First, s.Last)
	}
	if pts == s.Last {
		p.SetDuration(s.End - s.Last)
	}
	// An encoder that reorders begins with decoding times before its first presentation time. There the last segment has
	// not ended yet. There is always room: decoding times lag by as many frames as are reordered.
	if j.last != libav.NoTime {
		dts = max(dts, j.last+1)
	}
	j.last = dts
	p.SetPts(pts - v.zero)
	p.SetDts(dts)
	p.SetPos(-1)
	v.packet.MoveRef(p)
	return v.deliver()
}

func (j *joiner) close() {
	if j.v != nil {
		j.v.close()
	}
}
