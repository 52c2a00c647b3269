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
// recorded once its file is complete: while the encoder is emptied and the file is flushed, the next segment is begun, so that the network
// does not wait.
type sink struct {
	ctx    context.Context
	m      *manifest
	encode encode.Options
	ext    string // of segments
	limit  int    // pairs in a segment; 0 = by time

	next    int // first pair of the next segment
	segment *Segment
	writer  *encode.Writer
	step    int64      // time from one image to the next
	closed  time.Time  // when the segment before was closed: what came since then would be lost
	closing chan error // gives the result of completing the segment before; nil for none
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
	if err := s.failed(); err != nil {
		return err
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

// close begins to complete the segment, once the one before is recorded.
func (s *sink) close() error {
	if err := s.wait(); err != nil {
		return err
	}
	segment, writer, done := s.segment, s.writer, make(chan error, 1)
	s.next, s.segment, s.writer, s.closed, s.closing = segment.End, nil, nil, time.Now(), done
	go func() { done <- s.complete(segment, writer) }()
	return nil
}

// complete completes a segment and records it.
func (s *sink) complete(segment *Segment, writer *encode.Writer) error {
	defer writer.Close()
	if err := writer.Commit(); err != nil {
		return err
	}
	info, err := os.Stat(s.m.path(segment))
	if err != nil {
		return err
	}
	segment.Bytes = info.Size()
	if err := s.m.append(record{Segment: segment}); err != nil {
		return err
	}
	s.m.add(segment)
	return nil
}

// wait waits until the segment before is recorded.
func (s *sink) wait() error {
	if s.closing == nil {
		return nil
	}
	err := <-s.closing
	s.closing = nil
	return err
}

// failed returns the error of completing the segment before, if it is known already.
func (s *sink) failed() error {
	select {
	case err := <-s.closing:
		s.closing = nil
		return err
	default:
		return nil
	}
}

// Commit completes the last segment.
func (s *sink) Commit() error {
	if s.segment != nil {
		if err := s.close(); err != nil {
			return err
		}
	}
	return s.wait()
}

// Close deletes a segment that is not complete.
func (s *sink) Close() error {
	_ = s.wait() // after an error the reason is known already, and after Commit there is nothing to wait for
	if s.writer == nil {
		return nil
	}
	return s.writer.Close()
}
