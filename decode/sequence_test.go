package decode_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/libav/libavtest"
)

// TestSequenceOrientation reads one upright image stored in all eight EXIF orientations.
func TestSequenceOrientation(t *testing.T) {
	const w, h = 32, 16
	// Four quarters of different grey tell all orientations apart.
	upright := func(x, y int) uint8 { return uint8(20 + 60*(x/(w/2)) + 120*(y/(h/2))) }
	// For each orientation, the upright position of the stored pixel (x, y) (Exif 2.32, 4.6.4).
	for i, position := range []func(x, y int) (int, int){
		func(x, y int) (int, int) { return x, y },
		func(x, y int) (int, int) { return w - 1 - x, y },
		func(x, y int) (int, int) { return w - 1 - x, h - 1 - y },
		func(x, y int) (int, int) { return x, h - 1 - y },
		func(x, y int) (int, int) { return y, x },
		func(x, y int) (int, int) { return w - 1 - y, x },
		func(x, y int) (int, int) { return w - 1 - y, h - 1 - x },
		func(x, y int) (int, int) { return y, h - 1 - x },
	} {
		orientation := i + 1
		m := image.NewGray(image.Rect(0, 0, w, h))
		if orientation > 4 {
			m = image.NewGray(image.Rect(0, 0, h, w))
		}
		for y := range m.Rect.Dy() {
			for x := range m.Rect.Dx() {
				m.SetGray(x, y, color.Gray{Y: upright(position(x, y))})
			}
		}
		dir := t.TempDir()
		path := filepath.Join(dir, "0.jpg")
		save(t, path, m)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		// An APP1 segment with one entry, Orientation.
		exif := "\xff\xe1\x00\x22Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string(byte(orientation)) + "\x00\x00\x00\x00\x00\x00"
		if err := os.WriteFile(path, slices.Concat(data[:2], []byte(exif), data[2:]), 0o600); err != nil {
			t.Fatal(err)
		}
		frames, info, _ := readAll(t, dir, decode.Options{})
		if len(frames) != 1 || frames[0].Width != w || frames[0].Height != h || info.Width != w {
			t.Errorf("orientation %d: %dx%d, want %dx%d", orientation, info.Width, info.Height, w, h)
			continue
		}
		for _, at := range [][2]int{{4, 4}, {w - 4, 4}, {4, h - 4}, {w - 4, h - 4}} {
			if got, want := int(frames[0].Pix[3*(at[1]*w+at[0])]), int(upright(at[0], at[1])); max(got-want, want-got) > 8 {
				t.Errorf("orientation %d: pixel %v is %d, want %d", orientation, at, got, want)
			}
		}
	}
}

// TestFolder reads a folder of PNG and JPEG files in natural order. A damaged file is skipped and named, and keeps
// its number and time.
func TestFolder(t *testing.T) {
	dir := t.TempDir()
	save(t, filepath.Join(dir, "f2.png"), gray(20, 10, 20))
	save(t, filepath.Join(dir, "f10.JPG"), gray(20, 10, 100))
	deep := image.NewRGBA64(image.Rect(0, 0, 20, 10))
	for i := range 200 {
		deep.Set(i%20, i/20, color.RGBA64{R: 200 << 8, G: 10 << 8, B: 90 << 8, A: 0xffff})
	}
	save(t, filepath.Join(dir, "f11.png"), deep)
	save(t, filepath.Join(dir, "f1.png"), gray(20, 10, 10))
	for name, data := range map[string]string{"f3.png": "\x89PNG\r\n\x1a\n truncated", "notes.txt": "no image", ".f0.png": "hidden", "depth.exr": "other kind"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	o := decode.Options{FrameRate: frame.Rational{Num: 30000, Den: 1001}}
	r, err := decode.Open(background, dir, o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	frames, info, corrupt := drain(t, r)
	want := [][3]byte{{10, 10, 10}, {20, 20, 20}, {100, 100, 100}, {200, 10, 90}}
	if len(frames) != len(want) || corrupt != 1 || info.Frames != 5 || info.TimeBase != (frame.Rational{Num: 1001, Den: 30000}) {
		t.Fatalf("%d frames, %d damaged, info %+v", len(frames), corrupt, info)
	}
	numbers := []int{0, 1, 3, 4}
	for i, f := range frames {
		if got := [3]byte(f.Pix[3*25 : 3*25+3]); got != want[i] {
			t.Errorf("frame %d is %v, want %v", i, got, want[i])
		}
		if f.Index != numbers[i] || f.PTS != int64(numbers[i]) {
			t.Errorf("frame %d has number %d and time %d, want %d", i, f.Index, f.PTS, numbers[i])
		}
	}
	if got := fmt.Sprint(r.Damaged()); got != "[{2 f3.png}]" {
		t.Errorf("damaged frames %s, want f3.png with number 2", got)
	}
	frames, info, _ = readAll(t, dir, decode.Options{Scale: 0.5, Start: 100 * time.Millisecond, Duration: 100 * time.Millisecond})
	if len(frames) != 2 || frames[0].PTS != 3 || info.Width != 10 || frames[0].Height != 5 {
		t.Errorf("part: %d frames, info %+v", len(frames), info)
	}
	save(t, filepath.Join(dir, "f4.png"), gray(22, 10, 10))
	r, err = decode.Open(background, dir, decode.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	n := 0
	for ; err == nil; n++ {
		_, err = r.Read()
	}
	var size *decode.SizeError
	if !errors.As(err, &size) || size.Name != "f4.png" || n-1 != 2 {
		t.Errorf("another size, after %d frames: %v", n-1, err)
	}
	t.Log(err)
}

// TestFirstFileDamaged checks the numbers after a damaged file at the beginning, and the list of damaged files at the
// end.
func TestFirstFileDamaged(t *testing.T) {
	dir := t.TempDir()
	for i := range 5 {
		name := filepath.Join(dir, fmt.Sprintf("%d.png", i))
		if i == 0 || i == 4 {
			if err := os.WriteFile(name, nil, 0o666); err != nil {
				t.Fatal(err)
			}
			continue
		}
		save(t, name, gray(8, 8, uint8(i)))
	}
	r, err := decode.Open(background, dir, decode.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	frames, _, _ := drain(t, r)
	if len(frames) != 3 || frames[0].Index != 1 || frames[2].Index != 3 {
		t.Errorf("%d frames, the first has number %d", len(frames), frames[0].Index)
	}
	if got := fmt.Sprint(r.Damaged()); got != "[{0 0.png} {4 4.png}]" {
		t.Errorf("damaged frames %s", got)
	}
}

// TestTruncatedImages checks that a truncated image is damaged, whatever part of it is missing.
func TestTruncatedImages(t *testing.T) {
	for _, ext := range []string{".png", ".jpg", ".tif", ".bmp", ".ppm"} {
		dir := t.TempDir()
		libavtest.FFmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25", "-frames:v", "3", filepath.Join(dir, "f%d"+ext))
		path := filepath.Join(dir, "f2"+ext)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, share := range []float64{0.2, 0.5, 0.9} {
			if err := os.WriteFile(path, data[:int(share*float64(len(data)))], 0o666); err != nil {
				t.Fatal(err)
			}
			if frames, _, corrupt := readAll(t, dir, decode.Options{}); len(frames) != 2 || corrupt != 1 {
				t.Errorf("%s, %.0f %%: %d frames, %d damaged", ext, 100*share, len(frames), corrupt)
			}
		}
	}
}

// TestImageFormats reads all supported formats and compares them with the image that was written.
func TestImageFormats(t *testing.T) {
	want := libavtest.FFmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25,format=rgb24", "-frames:v", "1", "-f", "rawvideo", "-")
	for ext, c := range map[string]struct {
		args  []string
		mean  float64
		depth int
	}{
		".png":  {nil, 0, 8},
		".tif":  {[]string{"-pix_fmt", "rgb24"}, 0, 8},
		".tiff": {[]string{"-pix_fmt", "rgb48le"}, 0.6, 16},
		".bmp":  {[]string{"-pix_fmt", "bgr24"}, 0, 8},
		".webp": {[]string{"-c:v", "libwebp", "-lossless", "1", "-pix_fmt", "bgra"}, 0, 8},
		".dpx":  {[]string{"-pix_fmt", "gbrp10le"}, 0.6, 10},
		".ppm":  {nil, 0, 8},
		".jpeg": {[]string{"-q:v", "1"}, 4, 8},
		".exr":  {[]string{"-vf", "zscale=transferin=iec61966-2-1:transfer=linear:matrixin=gbr:matrix=gbr,format=gbrpf32le"}, 1, 32},
	} {
		t.Run(ext, func(t *testing.T) {
			dir := t.TempDir()
			libavtest.FFmpeg(t, slices.Concat([]string{"-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25,format=gbrp", "-frames:v", "2"}, c.args, []string{filepath.Join(dir, "f%d"+ext)})...)
			frames, info, _ := readAll(t, dir, decode.Options{})
			if len(frames) != 2 || info.BitDepth != c.depth {
				t.Fatalf("%d frames with %d bits, want 2 with %d", len(frames), info.BitDepth, c.depth)
			}
			if mean, largest, _ := libavtest.Difference(frames[0].Pix, want); mean > c.mean {
				t.Errorf("mean difference %.2f, largest %d", mean, largest)
			}
		})
	}
}

// TestGrayImages checks that grey values are not stretched as if they had a limited range.
func TestGrayImages(t *testing.T) {
	dir := t.TempDir()
	m := image.NewGray(image.Rect(0, 0, 8, 8))
	for i := range m.Pix {
		m.Pix[i] = 10
	}
	save(t, filepath.Join(dir, "0.png"), m)
	frames, _, _ := readAll(t, dir, decode.Options{})
	if got := frames[0].Pix[0]; got != 10 {
		t.Errorf("grey value 10 became %d", got)
	}
}

// TestTransparency checks that transparency is dropped, not blended.
func TestTransparency(t *testing.T) {
	dir := t.TempDir()
	m := gray(8, 8, 200)
	for i := 3; i < len(m.Pix); i += 4 {
		m.Pix[i] = 1
	}
	save(t, filepath.Join(dir, "0.png"), m)
	frames, _, _ := readAll(t, dir, decode.Options{})
	if got := frames[0].Pix[0]; got != 200 {
		t.Errorf("value 200 became %d", got)
	}
}

// TestPattern selects files by a pattern.
func TestPattern(t *testing.T) {
	dir := t.TempDir()
	for name, v := range map[string]uint8{"a001.png": 1, "a002.png": 2, "a010.png": 10, "a1000.png": 100, "a3.png": 3, "b001.png": 50, "a001.jpg": 60, "xa001.png": 70} {
		save(t, filepath.Join(dir, name), gray(8, 8, v))
	}
	for pattern, want := range map[string]string{"a%03d.png": "[1 2 10 100]", "a%d.png": "[1 2 3 10 100]", "b%03d.png": "[50]"} {
		path := filepath.Join(dir, pattern)
		if !decode.IsSequence(path) {
			t.Errorf("%s is not a sequence", pattern)
		}
		frames, info, _ := readAll(t, path, decode.Options{})
		var got []byte
		for i, f := range frames {
			got = append(got, f.Pix[0])
			if f.Index != i {
				t.Errorf("%s: frame %d has number %d", pattern, i, f.Index)
			}
		}
		if fmt.Sprint(got) != want || info.Frames != len(frames) {
			t.Errorf("%s: values %v, want %s; %d frames stated", pattern, got, want, info.Frames)
		}
	}
	if _, err := decode.Open(background, filepath.Join(dir, "c%03d.png"), decode.Options{}); !errors.Is(err, decode.ErrNoPictures) {
		t.Errorf("pattern without files: %v", err)
	}
	if _, err := decode.Open(background, filepath.Join(dir, "none", "c%03d.png"), decode.Options{}); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("pattern in a missing folder: %v", err)
	}
	// A file whose name looks like a pattern is a file.
	literal := filepath.Join(dir, "d%03d.png")
	save(t, literal, gray(8, 8, 90))
	save(t, filepath.Join(dir, "d001.png"), gray(8, 8, 91))
	frames, _, _ := readAll(t, literal, decode.Options{})
	if len(frames) != 1 || !bytes.Equal(frames[0].Pix[:3], []byte{90, 90, 90}) {
		t.Errorf("%d frames", len(frames))
	}
}

// TestSingleImage checks that an image file gives the same frame as in a folder.
func TestSingleImage(t *testing.T) {
	for _, ext := range []string{".png", ".jpg", ".exr"} {
		dir := t.TempDir()
		path := filepath.Join(dir, "a"+ext)
		libavtest.FFmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25,format=gbrp", "-frames:v", "1", path)
		single, info, _ := readAll(t, path, decode.Options{})
		folder, _, _ := readAll(t, dir, decode.Options{})
		if len(single) != 1 || len(folder) != 1 || info.Format != "image" || info.Frames != 1 || info.Path != path {
			t.Fatalf("%s: %d and %d frames, info %+v", ext, len(single), len(folder), info)
		}
		if mean, largest, _ := libavtest.Difference(single[0].Pix, folder[0].Pix); largest > 0 {
			t.Errorf("%s: mean difference %.2f, largest %d", ext, mean, largest)
		}
	}
	path := filepath.Join(t.TempDir(), "text.png")
	if err := os.WriteFile(path, []byte("text"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := decode.Open(background, path, decode.Options{}); !errors.Is(err, decode.ErrNoFrames) {
		t.Errorf("text in a .png file: %v", err)
	}
}
