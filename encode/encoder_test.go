package encode_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/libav/libavtest"
)

// within fails the test if f takes longer than a minute.
func within(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatalf("%s does not return", what)
	}
}

// TestUnfinishedEncoders checks that every software encoder can be closed at any time, also without a frame.
func TestUnfinishedEncoders(t *testing.T) {
	for _, codec := range encode.Codecs() {
		if strings.Contains(codec, "_") {
			continue // hardware
		}
		o := options(96, 64)
		o.Codec = codec
		path := filepath.Join(t.TempDir(), "a.mkv")
		within(t, codec+": Check", func() {
			if err := encode.Check(path, o); err != nil {
				t.Error(err)
			}
		})
		for _, frames := range []int{0, 1, 3, 50} {
			within(t, codec+": Close", func() {
				w, err := encode.Create(background, path, o)
				if err != nil {
					t.Error(err)
					return
				}
				for i := range frames {
					f := moving(96, 64, i%len(times))
					f.PTS = int64(40 * i)
					if err := w.Write(f); err != nil {
						t.Error(err)
					}
				}
				w.Close()
			})
		}
	}
}

// TestShortVideos checks that every software codec writes videos of one to three frames into its containers. x265
// leaves the DTS uninitialised then, so this is repeated.
func TestShortVideos(t *testing.T) {
	for _, c := range []struct {
		codec, extension string
		repeat           int
	}{{"h265", ".mp4", 5}, {"h265", ".mkv", 1}, {"h264", ".mp4", 1}, {"av1", ".mp4", 1}, {"vp9", ".mp4", 1}, {"prores", ".mov", 1}, {"ffv1", ".mkv", 1}} {
		for k := range 3 * c.repeat {
			n := 1 + k%3
			path := filepath.Join(t.TempDir(), "a"+c.extension)
			o := options(768, 576)
			o.Codec, o.TimeBase = c.codec, frame.Rational{Num: 1, Den: 12800}
			w, err := encode.Create(background, path, o)
			if err != nil {
				t.Fatal(err)
			}
			for i := range n {
				f := moving(768, 576, i)
				f.PTS, f.Duration, f.TimeBase = int64(512*i), 512, o.TimeBase
				if err := w.Write(f); err != nil {
					t.Fatal(err)
				}
			}
			err = w.Commit()
			w.Close()
			if err != nil {
				t.Errorf("%s, %d frames: %v", c.codec, n, err)
				continue
			}
			packets := libavtest.Probe(t, path, "packet", "v:0", "-show_entries", "packet=pts,dts")
			for _, p := range packets {
				pts, _ := p.Int("pts")
				if dts, ok := p.Int("dts"); ok && (dts > pts || dts < pts-10*512) {
					t.Errorf("%s, %d frames: pts %d, dts %d", c.codec, n, pts, dts)
				}
			}
			if len(packets) != n {
				t.Errorf("%s: %d packets, want %d", c.codec, len(packets), n)
			}
		}
	}
}
