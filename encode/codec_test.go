package encode_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/libav/libavtest"
)

// TestCodecs writes and reads each software codec. FFV1 is lossless, and all keep the time stamps.
func TestCodecs(t *testing.T) {
	for _, codec := range encode.Codecs() {
		if strings.Contains(codec, "_") {
			continue // hardware, see hardware_test.go
		}
		t.Run(codec, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.mkv")
			o := options(130, 98)
			o.Codec = codec
			if codec == "h264" {
				o.EncoderOptions = map[string]string{"preset": "veryfast", "x264-params": "ref=2"}
			}
			fill(t, path, o)
			list, _ := read(t, path)
			if len(list) != len(times) {
				t.Fatalf("%d frames", len(list))
			}
			for i, f := range list {
				mean, largest, _ := libavtest.Difference(f.Pix, moving(130, 98, i).Pix)
				if mean > 6 || codec == "ffv1" && largest > 0 {
					t.Errorf("frame %d: mean difference %.1f, largest %d", i, mean, largest)
				}
				if f.PTS != times[i] {
					t.Errorf("frame %d is at %d, want %d", i, f.PTS, times[i])
				}
			}
		})
	}
}

// TestH265Tag checks the four-character code that Apple's players need.
func TestH265Tag(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.mp4")
	o := options(96, 64)
	o.Codec = "h265"
	fill(t, path, o)
	if tag := libavtest.Probe(t, path, "stream", "v:0")[0].Text("codec_tag_string"); tag != "hvc1" {
		t.Errorf("tag %q, want hvc1", tag)
	}
}

// TestOddSize checks that odd sides grow by a pixel that repeats the edge if the codec needs it, as Size announces.
func TestOddSize(t *testing.T) {
	for _, c := range []struct {
		codec         string
		width, height int
	}{{"h264", 34, 18}, {"prores", 34, 17}, {"ffv1", 33, 17}} {
		path := filepath.Join(t.TempDir(), "a.mkv")
		o := options(33, 17)
		o.Codec = c.codec
		if w, h, err := encode.Size(path, o); err != nil || w != c.width || h != c.height {
			t.Errorf("%s: Size returns %dx%d, %v, want %dx%d", c.codec, w, h, err, c.width, c.height)
		}
		fill(t, path, o)
		list, info := read(t, path)
		if info.Width != c.width || info.Height != c.height {
			t.Errorf("%s: the video is %dx%d, want %dx%d", c.codec, info.Width, info.Height, c.width, c.height)
			continue
		}
		for y := range c.height {
			a, b := 3*(y*c.width+32), 3*(y*c.width+c.width-1)
			if mean, _, _ := libavtest.Difference(list[0].Pix[a:a+3], list[0].Pix[b:b+3]); mean > 12 {
				t.Errorf("%s, row %d: the edge is %v, the added pixel %v", c.codec, y, list[0].Pix[a:a+3], list[0].Pix[b:b+3])
			}
		}
	}
}

// TestCoarseContainer checks that a notice tells when the container rounds time stamps.
func TestCoarseContainer(t *testing.T) {
	o := options(96, 64)
	o.TimeBase = frame.Rational{Num: 1001, Den: 30000}
	for ext, want := range map[string]int{".mkv": 1, ".mp4": 0} {
		w, err := encode.Create(background, filepath.Join(t.TempDir(), "a"+ext), o)
		if err != nil {
			t.Fatal(err)
		}
		if n := w.Notices(); len(n) != want {
			t.Errorf("%s: notices %q, want %d", ext, n, want)
		}
		w.Close()
	}
}

// TestIndexInFront checks that an MP4 has its index before its frames.
func TestIndexInFront(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.mp4")
	fill(t, path, options(96, 64))
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if i, j := bytes.Index(data, []byte("moov")), bytes.Index(data, []byte("mdat")); i < 0 || j < i {
		t.Errorf("moov at %d, mdat at %d", i, j)
	}
}
