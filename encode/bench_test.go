package encode_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/libav/libavtest"
)

// BenchmarkEncode encodes RGB frames to H.264 in MP4 and reports the ratio of the shortest time to that of the ffmpeg
// command for the same frames in a raw file, start-up included.
func BenchmarkEncode(b *testing.B) {
	for _, preset := range []string{"ultrafast", "medium"} {
		b.Run(preset, func(b *testing.B) {
			const n = 40
			r, err := decode.Open(context.Background(), libavtest.Clip(b, "fhd-hevc-boat-palawan.mp4"), decode.Options{Frames: n})
			if err != nil {
				b.Fatal(err)
			}
			defer r.Close()
			i := r.Info()
			var frames []*frame.Frame
			var raw []byte
			for range n {
				f, err := r.Read()
				if err != nil {
					b.Fatal(err)
				}
				frames, raw = append(frames, f), append(raw, f.Pix...)
			}
			dir := b.TempDir()
			input := filepath.Join(dir, "raw")
			if err := os.WriteFile(input, raw, 0o666); err != nil {
				b.Fatal(err)
			}
			mine, theirs := time.Duration(1<<62), time.Duration(1<<62)
			for b.Loop() {
				t := time.Now()
				w, err := encode.Create(context.Background(), filepath.Join(dir, "a.mp4"), encode.Options{Width: i.Width, Height: i.Height, TimeBase: i.TimeBase,
					FrameRate: i.FrameRate, CRF: 18, EncoderOptions: map[string]string{"preset": preset}, Force: true})
				if err != nil {
					b.Fatal(err)
				}
				for _, f := range frames {
					if err := w.Write(f); err != nil {
						b.Fatal(err)
					}
				}
				if err := w.Commit(); err != nil {
					b.Fatal(err)
				}
				w.Close()
				mine = min(mine, time.Since(t))
				b.StopTimer()
				t = time.Now()
				libavtest.FFmpeg(b, "-f", "rawvideo", "-pix_fmt", "rgb24", "-video_size", fmt.Sprintf("%dx%d", i.Width, i.Height), "-framerate", "30", "-i", input,
					"-vf", "scale=flags=bilinear+accurate_rnd:out_color_matrix=bt709:out_range=tv,format=yuv420p",
					"-c:v", "libx264", "-crf", "18", "-preset", preset, "-movflags", "+faststart", filepath.Join(dir, "b.mp4"))
				theirs = min(theirs, time.Since(t))
				b.StartTimer()
			}
			b.ReportMetric(mine.Seconds()/theirs.Seconds(), "x_ffmpeg")
			b.ReportMetric(n/mine.Seconds(), "frames/s")
		})
	}
}
