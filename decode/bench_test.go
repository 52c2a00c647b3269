package decode

import (
	"context"
	"io"
	"math"
	"testing"
	"time"

	"github.com/wwflow/wwflow/internal/libav/libavtest"
)

var benchmarked = []string{"fhd-hevc-boat-palawan.mp4", "960x540-h264-dashcam-aac.mp4", "720p-h264-rot90-phone-3gp5.mp4"}

// compare runs ours and the ffmpeg command in turn and reports the ratio of their shortest times, start-up included.
func compare(b *testing.B, ours func() int, args ...string) {
	mine, theirs := time.Duration(1<<62), time.Duration(1<<62)
	frames := 0
	for b.Loop() {
		t := time.Now()
		frames = ours()
		mine = min(mine, time.Since(t))
		b.StopTimer()
		t = time.Now()
		libavtest.FFmpeg(b, args...)
		theirs = min(theirs, time.Since(t))
		b.StartTimer()
	}
	b.ReportMetric(mine.Seconds()/theirs.Seconds(), "x_ffmpeg")
	b.ReportMetric(float64(frames)/mine.Seconds(), "frames/s")
}

// BenchmarkDecode measures decoding alone against `ffmpeg -f null`.
func BenchmarkDecode(b *testing.B) {
	ctx := context.Background()
	for _, name := range benchmarked {
		b.Run(name, func(b *testing.B) {
			path := libavtest.Clip(b, name)
			compare(b, func() (n int) {
				v, err := openAt(ctx, path, nil, Options{Scale: 1}, 0, math.MinInt64)
				if err != nil {
					b.Fatal(err)
				}
				defer v.close()
				for ; err == nil; n++ {
					v.raw.Unref()
					_, err = v.decode(ctx, v.raw)
				}
				if err != io.EOF {
					b.Fatal(err)
				}
				return n
			}, "-i", path, "-map", "0:v:0", "-f", "null", "-")
		})
	}
}

// BenchmarkRead measures decoding to RGB frames against `ffmpeg -pix_fmt rgb24 -f rawvideo`.
func BenchmarkRead(b *testing.B) {
	for _, name := range benchmarked {
		b.Run(name, func(b *testing.B) {
			path := libavtest.Clip(b, name)
			compare(b, func() (n int) {
				r, err := Open(context.Background(), path, Options{})
				if err != nil {
					b.Fatal(err)
				}
				defer r.Close()
				for ; ; n++ {
					if _, err := r.Read(); err == io.EOF {
						return n
					} else if err != nil {
						b.Fatal(err)
					}
				}
			}, "-i", path, "-map", "0:v:0", "-pix_fmt", "rgb24", "-f", "rawvideo", "/dev/null")
		})
	}
}
