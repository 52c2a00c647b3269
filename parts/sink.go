package parts

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/pipeline"
)

// sink writes the images of a section into segments. It begins a new one when the current one has its share of pairs. A segment is
// recorded once its file is complete.
type sink struct {
	ctx    context.Context
	m      *manifest
	encode encode.Options
	ext    string // of segments
	limit  int    // pairs in a segment; 0 = by time

	next    int // first pair of the next segment
	segment *Segment
	writer  *encode.Writer
	step    int64     // time from one image to the next
	closed  time.Time // when the segment before was closed: what came since then would be lost
}

func newSink(ctx context.Context, m *manifest, output string, o encode.Options, first, limit int, begin time.Time) (*sink, error) {
	s := &sink{ctx: ctx, m: m, limit: limit, next: first, closed: begin}
	var err error
	s.encode, s.ext, err = encode.ForSegments(output, o)
	s.encode.Force = true // a segment without a record may have been left by a crash
	return s, err
}

// Write adds an image.
func (s *sink) Write(image pipeline.Image) error {
	if s.segment != nil && s.full(image.Pair) {
		if err := s.close(); err != nil {
			return err
		}
	}
	if s.segment == nil {
		if err := s.open(image); err != nil {
			return err
		}
	} else {
		s.step = image.PTS - s.segment.Times[1]
	}
	if err := s.writer.Write(image.Frame); err != nil {
		return err
	}
	if image.Duration > 0 {
		s.step = image.Duration
	}
	g := s.segment
	g.Frames++
	if image.New {
		g.New++
	}
	g.End = image.Pair + 1
	g.Images[1], g.Times[1], g.Times[2] = image.Index, image.PTS, image.PTS+s.step
	return nil
}

// full reports whether the pair belongs to the next segment. All images of a pair are in one segment.
func (s *sink) full(pair int) bool {
	if pair < s.segment.End {
		return false
	}
	if s.limit > 0 {
		return pair >= s.segment.First+s.limit
	}
	return pair >= s.segment.First+segmentPairs || time.Since(s.closed) >= segmentTime
}

func (s *sink) open(first pipeline.Image) (err error) {
	name := filepath.Base(fileOf(s.m.dir, s.m.part, fmt.Sprintf("-%06d%s", s.next, s.ext)))
	s.segment = &Segment{File: name, First: s.next, Images: [2]int{first.Index}, Times: [3]int64{first.PTS}}
	s.writer, err = encode.CreateSegment(s.ctx, s.m.path(s.segment), s.encode)
	return err
}

// close completes the segment and records it.
func (s *sink) close() error {
	if err := s.writer.Commit(); err != nil {
		return err
	}
	info, err := os.Stat(s.m.path(s.segment))
	if err != nil {
		return err
	}
	s.segment.Bytes = info.Size()
	if err := s.m.append(record{Segment: s.segment}); err != nil {
		return err
	}
	s.m.add(s.segment)
	s.next, s.segment, s.closed = s.segment.End, nil, time.Now()
	return s.writer.Close()
}

// Commit completes the last segment.
func (s *sink) Commit() error {
	if s.segment == nil {
		return nil
	}
	return s.close()
}

// Close deletes a segment that is not complete.
func (s *sink) Close() error {
	if s.writer == nil {
		return nil
	}
	return s.writer.Close()
}
