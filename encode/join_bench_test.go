package encode_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/frame"
)

// BenchmarkJoin joins 12 segments of 160 frames and about 27 MB, and compares the time with that of a plain copy of the same bytes, flushed to the disk,
// right after it. The segments are in the page cache for both.
func BenchmarkJoin(b *testing.B) {
	const n = 12
	for _, extension := range []string{".mp4", ".mkv"} {
		b.Run(extension[1:], func(b *testing.B) {
			dir := b.TempDir()
			segment, o := noiseSegment(b, dir, extension)
			var segments []encode.Segment
			for i := range n {
				s := segment
				s.First, s.Last, s.End = s.First+int64(i)*s.End, s.Last+int64(i)*s.End, s.End+int64(i)*s.End
				segments = append(segments, s)
			}
			info, err := os.Stat(segment.Path)
			if err != nil {
				b.Fatal(err)
			}
			var joined, copied time.Duration
			for b.Loop() {
				begin := time.Now()
				out := filepath.Join(dir, "out"+extension)
				if _, err := encode.Join(background, out, segments, o); err != nil {
					b.Fatal(err)
				}
				joined += time.Since(begin)
				begin = time.Now()
				copySegments(b, filepath.Join(dir, "copy"), segments)
				copied += time.Since(begin)
				for _, name := range []string{out, filepath.Join(dir, "copy")} {
					if err := os.Remove(name); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(joined.Seconds()/copied.Seconds(), "x-of-copy")
			b.ReportMetric(float64(n*info.Size())*float64(b.N)/1e6/joined.Seconds(), "join-MB/s")
			b.ReportMetric(float64(n*info.Size())*float64(b.N)/1e6/copied.Seconds(), "copy-MB/s")
		})
	}
}

const noiseFrames = 160

// noiseSegment writes a segment of frames that do not compress.
func noiseSegment(b testing.TB, dir, extension string) (encode.Segment, encode.Options) {
	b.Helper()
	o, segmentExtension, err := encode.ForSegments("out"+extension, encode.Options{Width: 640, Height: 360, TimeBase: frame.Rational{Num: 1, Den: 1000}, FrameRate: frame.Rational{Num: 25, Den: 1},
		EncoderOptions: map[string]string{"preset": "ultrafast", "qp": "8"}})
	if err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(dir, "segment"+segmentExtension)
	w, err := encode.CreateSegment(background, path, o)
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	random := rand.NewChaCha8([32]byte{})
	for i := range noiseFrames {
		f := frame.New(640, 360)
		_, _ = random.Read(f.Pix)
		f.Index, f.PTS, f.Duration, f.TimeBase = i, int64(40*i), 40, o.TimeBase
		if err := w.Write(f); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Commit(); err != nil {
		b.Fatal(err)
	}
	o.Force = true
	return encode.Segment{Path: path, Frames: noiseFrames, Last: 40 * (noiseFrames - 1), End: 40 * noiseFrames}, o
}

// copySegments writes the bytes of all segments to one file, and flushes it.
func copySegments(b *testing.B, path string, segments []encode.Segment) {
	b.Helper()
	out, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer out.Close()
	for _, s := range segments {
		in, err := os.Open(s.Path)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(struct{ io.Writer }{out}, in); err != nil { // through memory, as join does
			b.Fatal(err)
		}
		_ = in.Close()
	}
	if err := out.Sync(); err != nil {
		b.Fatal(fmt.Errorf("flush: %w", err))
	}
}
