package flow

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/flow/internal/ort"
	"github.com/wwflow/wwflow/frame"
)

// TestSingleGraph runs a network of one graph with float planes, BGR, padding and no confidence. Its flow is exact, so a wrong
// channel, range or place of the padding shows.
func TestSingleGraph(t *testing.T) {
	m := open(t, "single")
	if m.HasConfidence() {
		t.Error("the network has a confidence")
	}
	for _, size := range [][2]int{{16, 8}, {1, 1}, {13, 11}, {33, 17}} {
		a, b := pattern(size[0], size[1], 1), pattern(size[0], size[1], 2)
		got, err := m.Flow(context.Background(), a, b)
		if err != nil {
			t.Fatal(err)
		}
		want := expected(a, b)
		want.Confidence = nil
		compare(t, got, want)
		if got.Confidence != nil {
			t.Error("the field has a confidence")
		}
	}
}

// TestSingleGraphAtDetail checks that a field without confidence is resized.
func TestSingleGraphAtDetail(t *testing.T) {
	m, err := Open(Options{ModelDir: "testdata/single", Device: "cpu", Detail: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	f, err := m.Flow(context.Background(), pattern(20, 10, 1), pattern(20, 10, 2))
	if err != nil {
		t.Fatal(err)
	}
	if f.Width != 20 || f.Height != 10 || f.Confidence != nil {
		t.Errorf("the field is %dx%d", f.Width, f.Height)
	}
}

// TestFixedSize runs a graph that takes one size only: other frames are resized to it and the flow is resized back.
func TestFixedSize(t *testing.T) {
	m := open(t, "fixed")
	a, b := pattern(32, 24, 1), pattern(32, 24, 2)
	got, err := m.Flow(context.Background(), a, b)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, got, expected(a, b))
	if w, h := m.InputSize(64, 12); w != 32 || h != 24 {
		t.Errorf("it sees 64x12 at %dx%d", w, h)
	}
	// Red 100 and green 0 move "by" 20 and 50 pixels of the small image, which are 40 and 25 of the large one.
	grey := func(red uint8) *frame.Frame {
		f := frame.New(64, 12)
		for i := range f.Width * f.Height {
			f.Pix[3*i] = red
		}
		return f
	}
	large, err := m.Flow(context.Background(), grey(100), grey(120))
	if err != nil {
		t.Fatal(err)
	}
	if u, v := large.At(63, 11); u != 40 || v != 25 || large.Width != 64 || large.Height != 12 {
		t.Errorf("the flow of a %dx%d frame is (%v, %v), want (40, 25)", large.Width, large.Height, u, v)
	}
	if _, err := Open(Options{ModelDir: "testdata/fixed", Device: "cpu", Detail: 0.5}); !errors.Is(err, ErrNetwork) || !strings.Contains(err.Error(), "32x24 only") {
		t.Errorf("another detail: %v", err)
	}
}

// TestSingleGraphCloses checks that features outlive nothing, and that a closed network says so.
func TestSingleGraphCloses(t *testing.T) {
	m := open(t, "single")
	a := encode(t, m, pattern(8, 8, 1))
	m.Close()
	if _, err := m.Encode(context.Background(), pattern(8, 8, 1)); !errors.Is(err, ErrClosed) {
		t.Errorf("Encode gives %v", err)
	}
	if _, err := m.Estimate(context.Background(), a, a); !errors.Is(err, ErrClosed) {
		t.Errorf("Estimate gives %v", err)
	}
}

// TestFill looks at the values and the place of each pixel of a padded image.
func TestFill(t *testing.T) {
	f := frame.New(2, 1)
	copy(f.Pix, []uint8{10, 20, 30, 40, 50, 60})
	i := images{Input: Input{Layout: NCHW, Channels: "BGR", Multiple: 3, Padding: "center"}}
	p := i.padded(2, 1)
	if p != (plane{width: 3, height: 3, left: 0, top: 1}) {
		t.Fatalf("the image is %+v", p)
	}
	row := func(c int) []uint8 { v := f.Pix[c:]; return []uint8{v[0], v[3], v[3]} }
	want := slices.Concat(row(2), row(2), row(2), row(1), row(1), row(1), row(0), row(0), row(0))
	if got := fill(i, p, f, func(v int) uint8 { return uint8(v) }); !slices.Equal(got, want) {
		t.Errorf("the planes are %v, want %v", got, want)
	}
	i = images{Input: Input{Layout: NHWC, Minimum: 3}}
	if got := fill(i, i.padded(2, 1), f, func(v int) float32 { return float32(v) / 10 }); !slices.Equal(got[:9], []float32{1, 2, 3, 4, 5, 6, 4, 5, 6}) || len(got) != 27 {
		t.Errorf("the pixels are %v", got)
	}
}

func TestLayoutOf(t *testing.T) {
	for _, c := range []struct {
		stated   Layout
		shape    []int64
		channels int64
		want     string
	}{
		{"", []int64{1, -1, -1, 3}, 3, "NHWC"},
		{"", []int64{1, 3, -1, -1}, 3, "NCHW"},
		{"", []int64{-1, -1, -1, -1}, 3, "does not say"},
		{"", []int64{1, 3, 480, 3}, 3, "does not say"},
		{"", []int64{1, 4, -1, 4}, 3, "no dimension of 3"},
		{"", []int64{1, 480, 640}, 3, "3 dimensions"},
		{NCHW, []int64{1, -1, -1, -1}, 2, "NCHW"},
		{NCHW, nil, 2, "NCHW"},
		{NCHW, []int64{1, -1, -1, 2}, 2, "NCHW"},
		{NCHW, []int64{1, 1, -1, 2}, 2, "is not NCHW"},
	} {
		got, err := layoutOf(c.stated, c.shape, c.channels)
		if text := fmt.Sprint(got, err); !strings.Contains(text, c.want) {
			t.Errorf("%s of %v: %s, want %s", c.stated, c.shape, text, c.want)
		}
	}
}

func TestImagesErrors(t *testing.T) {
	for _, c := range []struct {
		in   Input
		port ort.Port
		want string
	}{
		{Input{}, ort.Port{Type: ort.Int64}, "want uint8 or float32"},
		{Input{Range: [2]float64{-1, 1}}, ort.Port{Type: ort.Uint8, Shape: []int64{1, -1, -1, 3}}, "must not state input.range"},
		{Input{}, ort.Port{Type: ort.Float32, Shape: []int64{1, 3, 480, -1}}, "both sides or none"},
	} {
		if _, err := newImages(c.in, c.port); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.port, err, c.want)
		}
	}
	for _, in := range []Input{{Layout: "HWC"}, {Channels: "GBR"}, {Padding: "left"}, {Multiple: -1}, {Minimum: 1 << 20}, {Range: [2]float64{1, 1}}} {
		if in.check() == nil {
			t.Errorf("%+v is accepted", in)
		}
	}
}

// TestSingleGraphFolder opens folders of one graph that are wrong.
func TestSingleGraphFolder(t *testing.T) {
	folder := func(from string, files ...string) string {
		dir := t.TempDir()
		for _, name := range files {
			data, err := os.ReadFile(filepath.Join("testdata", from))
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, name), data, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		card := `{"format": 2, "name": "x", "input": {"channels": "BGR", "range": [-1, 1]}}`
		if err := os.WriteFile(filepath.Join(dir, "model.json"), []byte(card), 0o600); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	open(t, "single")
	for _, c := range []struct{ dir, want string }{
		{folder("single/model.onnx", "model.onnx", "encoder.onnx"), "remove one of them"},
		{folder("fake/encoder.onnx", "model.onnx"), "want image1 and image2"},
		{folder("single/model.onnx", "model.onnx", "model.onnx.data"), "save it as one file"},
		{folder("fixed/model.onnx", "model.onnx"), "must not state input.range"},
	} {
		_, err := Open(Options{ModelDir: c.dir, Device: "cpu"})
		if !errors.Is(err, ErrNetwork) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}
