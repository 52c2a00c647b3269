package libav

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/asticode/go-astiav"

	"github.com/wwflow/wwflow/frame"
)

func TestUnits(t *testing.T) {
	for _, c := range []struct {
		d                 time.Duration
		num, den          int
		down, nearest, up int64
	}{
		{time.Second, 1, 90000, 90000, 90000, 90000},
		{500 * time.Millisecond, 1, 25, 12, 13, 13},
		{138868633 * time.Microsecond, 1, 90000, 12498176, 12498177, 12498177},
		{time.Second, 1001, 30000, 29, 30, 30},
		{-500 * time.Millisecond, 1, 25, -13, -12, -12},
		{90 * 24 * time.Hour, 1, 1000000000, 7776000000000000, 7776000000000000, 7776000000000000},
	} {
		base := frame.Rational{Num: c.num, Den: c.den}
		if d, n, u := Units(c.d, base, Down), Units(c.d, base, Nearest), Units(c.d, base, Up); d != c.down || n != c.nearest || u != c.up {
			t.Errorf("%v in %s s: %d %d %d, want %d %d %d", c.d, base, d, n, u, c.down, c.nearest, c.up)
		}
	}
}

func TestStores(t *testing.T) {
	for _, c := range []struct {
		container string
		codec     astiav.CodecID
		want      bool
	}{
		{"mp4", astiav.CodecIDAac, true}, {"mp4", astiav.CodecIDPcmS16Le, Line != "5.1"}, {"mov", astiav.CodecIDPcmS16Le, true},
		{"webm", astiav.CodecIDH264, false}, {"matroska", astiav.CodecIDSubrip, true}, {"none", astiav.CodecIDAac, false},
	} {
		if got := Stores(c.container, c.codec); got != c.want {
			t.Errorf("%s holds %s: %v", c.container, c.codec, got)
		}
	}
}

// TestFillAndCopy fills a picture that is larger than the pixels and reads it back: the edges are repeated.
func TestFillAndCopy(t *testing.T) {
	f := astiav.AllocFrame()
	defer f.Free()
	f.SetWidth(4)
	f.SetHeight(3)
	f.SetPixelFormat(astiav.PixelFormatRgb24)
	if err := f.AllocBuffer(0); err != nil {
		t.Fatal(err)
	}
	in := make([]byte, 3*3*2)
	for i := range in {
		in[i] = byte(i)
	}
	FillRGB(f, in, 3, 2)
	out := make([]byte, 3*4*3)
	CopyRGB(out, f)
	for y := range 3 {
		for x := range 4 {
			for c := range 3 {
				if got, want := out[3*(4*y+x)+c], in[3*(3*min(y, 1)+min(x, 2))+c]; got != want {
					t.Errorf("pixel %d, %d, channel %d is %d, want %d", x, y, c, got, want)
				}
			}
		}
	}
}

// TestModuleFiles checks that go.mod and ffmpeg7.mod differ in the version of go-astiav alone.
func TestModuleFiles(t *testing.T) {
	read := func(name string) string {
		data, err := os.ReadFile("../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	const old, current = "github.com/asticode/go-astiav v0.16.0", "github.com/asticode/go-astiav v0.39.0"
	if strings.Replace(read("go.mod"), old, current, 1) != read("ffmpeg7.mod") {
		t.Error("go.mod and ffmpeg7.mod differ in more than go-astiav: run `make modules`")
	}
	if !strings.Contains(read("ffmpeg7.mod"), current) {
		t.Errorf("ffmpeg7.mod lacks %s", current)
	}
}
