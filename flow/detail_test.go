package flow

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
)

// openAt opens the network testdata/fake with a detail.
func openAt(t testing.TB, detail float64) *Model {
	t.Helper()
	m, err := Open(Options{ModelDir: filepath.Join("testdata", "fake"), Device: "cpu", Threads: 1, Detail: detail})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// plain returns a frame of one colour.
func plain(width, height int, r, g, b byte) *frame.Frame {
	f := frame.New(width, height)
	for i := 0; i < len(f.Pix); i += 3 {
		f.Pix[i], f.Pix[i+1], f.Pix[i+2] = r, g, b
	}
	return f
}

func TestDetailRange(t *testing.T) {
	for _, detail := range []float64{-1, 0.2499, 2.001, math.Inf(1), math.NaN()} {
		if m, err := Open(Options{ModelDir: "testdata/fake", Device: "cpu", Detail: detail}); err == nil || !strings.Contains(err.Error(), "0.25 to 2") {
			m.Close()
			t.Errorf("detail %v: %v", detail, err)
		}
		if _, err := openAt(t, 0).EncodeAt(context.Background(), frame.New(8, 8), detail); err == nil {
			t.Errorf("a frame was encoded at detail %v", detail)
		}
	}
	if got := openAt(t, 0).Detail(); got != 1 {
		t.Errorf("the default detail is %v", got)
	}
}

func TestInputSize(t *testing.T) {
	for _, test := range []struct {
		detail                float64
		width, height         int
		wantWidth, wantHeight int
	}{
		{0, 1920, 1080, 1920, 1080},
		{1, 7, 3, 7, 3},
		{2, 7, 3, 14, 6},
		{0.5, 1920, 1080, 960, 540},
		{0.5, 7, 5, 4, 3},
		{0.25, 1, 2, 1, 1},
		{1.3, 33, 17, 43, 22},
	} {
		width, height := openAt(t, test.detail).InputSize(test.width, test.height)
		if width != test.wantWidth || height != test.wantHeight {
			t.Errorf("at detail %v the network sees %dx%d as %dx%d, want %dx%d", test.detail, test.width, test.height, width, height, test.wantWidth, test.wantHeight)
		}
	}
}

// TestDetailIsExact checks plain frames, on which the network testdata/fake gives the same flow at every size. That flow is in
// pixels of the network's input: in native pixels it is that times the ratio of the two sizes, for each axis.
func TestDetailIsExact(t *testing.T) {
	ctx := context.Background()
	for _, detail := range []float64{0.25, 0.4, 0.5, 1, 1.5, 2} {
		m := openAt(t, detail)
		for _, size := range [][2]int{{1, 1}, {1, 9}, {2, 1}, {5, 4}, {33, 17}, {64, 32}} {
			t.Run(fmt.Sprint(detail, size), func(t *testing.T) {
				width, height := size[0], size[1]
				first, second := plain(width, height, 96, 32, 5), plain(width, height, 16, 40, 9)
				inputWidth, inputHeight := m.InputSize(width, height)
				ratioX, ratioY := float64(width)/float64(inputWidth), float64(height)/float64(inputHeight)
				for _, pair := range [][2]*frame.Frame{{first, second}, {second, first}} {
					got, err := m.Flow(ctx, pair[0], pair[1])
					if err != nil {
						t.Fatal(err)
					}
					if got.Pair.First != pair[0] || got.Pair.Second != pair[1] {
						t.Fatal("the field does not have the original frames")
					}
					want := expected(pair[0], pair[1])
					u, v := float32(float64(want.Vectors[0])*ratioX), float32(float64(want.Vectors[1])*ratioY)
					logScale := math.Log(1/float64(want.Confidence[0])-1) + math.Log(ratioX*ratioY)/2
					for i := range want.Confidence {
						want.Vectors[2*i], want.Vectors[2*i+1] = u, v
						if c := 1 / (1 + math.Exp(logScale)); math.Abs(c-float64(got.Confidence[i])) > 1e-6 {
							t.Fatalf("confidence %d is %v, want %v", i, got.Confidence[i], c)
						}
					}
					want.Confidence = nil
					compare(t, got, want)
				}
			})
		}
	}
}

// TestDetailOneChangesNothing compares with a network that was opened without a detail.
func TestDetailOneChangesNothing(t *testing.T) {
	first, second := pattern(33, 17, 1), pattern(33, 17, 2)
	for _, detail := range []float64{0, 1} {
		got, err := openAt(t, detail).Flow(context.Background(), first, second)
		if err != nil {
			t.Fatal(err)
		}
		compare(t, got, expected(first, second))
	}
}

func TestFeaturesOfOtherDetail(t *testing.T) {
	m := openAt(t, 2)
	ctx, f := context.Background(), pattern(8, 6, 1)
	a := encode(t, m, f)
	b, err := m.EncodeAt(ctx, f, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, err := m.Estimate(ctx, a, b); !errors.Is(err, ErrSize) || !strings.Contains(err.Error(), "16x12") {
		t.Errorf("features of two details: %v", err)
	}
	got, err := m.Estimate(ctx, b, b)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, got, expected(f, f))
}

// ramp is a field whose flow and confidence are linear in the position of the pixel's centre, as a share of the frame.
func ramp(width, height int) *field.Field {
	f := newField(width, height)
	for y := range height {
		for x := range width {
			i := y*width + x
			px, py := (float32(x)+0.5)/float32(width), (float32(y)+0.5)/float32(height)
			f.Vectors[2*i], f.Vectors[2*i+1] = float32(width)*(px+2*py), float32(height)*(3*px-py)
			f.Confidence[i] = 0.25 + px/4 + py/8
		}
	}
	return f
}

// TestResizeFieldAlignsCentres resizes a linear field: between the outermost centres, interpolation gives it exactly at any size.
func TestResizeFieldAlignsCentres(t *testing.T) {
	for _, size := range [][4]int{{40, 30, 20, 15}, {20, 15, 40, 30}, {13, 7, 33, 17}, {33, 17, 13, 7}, {8, 8, 8, 4}} {
		to, from := newField(size[2], size[3]), ramp(size[0], size[1])
		resizeField(to, from)
		want := ramp(size[2], size[3])
		inner := 0
		for y := range to.Height {
			for x := range to.Width {
				// Beyond the outermost centres the flow is constant.
				if outside(x, to.Width, from.Width) || outside(y, to.Height, from.Height) {
					continue
				}
				inner++
				i := y*to.Width + x
				for _, d := range []float32{to.Vectors[2*i] - want.Vectors[2*i], to.Vectors[2*i+1] - want.Vectors[2*i+1], to.Confidence[i] - want.Confidence[i]} {
					if !(d > -1e-4 && d < 1e-4) {
						t.Fatalf("%v: pixel (%d, %d) differs by %v", size, x, y, d)
					}
				}
			}
		}
		if inner < to.Width*to.Height/2 {
			t.Errorf("%v: only %d pixels were compared", size, inner)
		}
	}
}

func outside(i, to, from int) bool {
	at := (float64(i)+0.5)*float64(from)/float64(to) - 0.5
	return at < 0 || at > float64(from-1)
}

// TestResizeFieldUnknown checks that exactly those pixels are unknown that depend on an unknown vector.
func TestResizeFieldUnknown(t *testing.T) {
	for _, test := range []struct {
		name     string
		from, to int    // widths
		unknown  int    // column of from
		want     string // columns of to: x = unknown
	}{
		{"twice the size", 3, 6, 1, ".xxxx."},
		{"half the size", 6, 3, 2, ".x."},
		{"a third, at the centres", 9, 3, 4, ".x."},
		{"a third, between the centres", 9, 3, 3, "..."},
		{"at the border", 3, 6, 0, "xxx..."},
	} {
		t.Run(test.name, func(t *testing.T) {
			from, to := newField(test.from, 2), newField(test.to, 5)
			for y := range 2 {
				i := y*test.from + test.unknown
				from.Vectors[2*i], from.Vectors[2*i+1] = field.Unknown(), field.Unknown()
			}
			resizeField(to, from)
			for y := range 5 {
				for x, c := range test.want {
					if u, v := to.At(x, y); field.Known(u, v) != (c == '.') || (u == u) != (v == v) {
						t.Errorf("pixel (%d, %d) is (%v, %v)", x, y, u, v)
					}
				}
			}
		})
	}
}

func TestResizeFrame(t *testing.T) {
	f := pattern(9, 7, 1)
	if resizeFrame(f, 9, 7) != f {
		t.Error("a frame of the right size was copied")
	}
	for _, size := range [][2]int{{18, 14}, {5, 4}, {1, 1}, {9, 3}} {
		got := resizeFrame(plain(9, 7, 7, 130, 255), size[0], size[1])
		if got.Width != size[0] || got.Height != size[1] {
			t.Fatalf("%v: the frame is %dx%d", size, got.Width, got.Height)
		}
		for i, v := range got.Pix {
			if want := [3]byte{7, 130, 255}[i%3]; v != want {
				t.Fatalf("%v: byte %d of a plain frame is %d, want %d", size, i, v, want)
			}
		}
	}
	// Stripes of one pixel become grey: their frequency is too high for the smaller frame.
	stripes := frame.New(64, 64)
	for i := range stripes.Pix {
		stripes.Pix[i] = byte(i / 3 % 2 * 255)
	}
	small := resizeFrame(stripes, 16, 16)
	for x := 3; x < 13; x++ {
		if v := int(small.Pix[3*(8*16+x)]); v < 108 || v > 147 {
			t.Errorf("stripes at a quarter of the size have the value %d in column %d, want about 128", v, x)
		}
	}
}

func TestMemoryErrorNamesTheInput(t *testing.T) {
	e := &MemoryError{Width: 1920, Height: 1080, InputWidth: 3840, InputHeight: 2160, Need: 5 << 30, Available: 1 << 30, Scale: 0.4}
	want := "the network needs about 5.0 GiB for frames of 1920x1080, which it sees at 3840x2160, and 1.0 GiB is available: try --scale 0.40 or a smaller --detail"
	if e.Error() != want {
		t.Errorf("%v\nwant %s", e, want)
	}
	e.InputWidth, e.InputHeight, e.Kept, e.Scale = 1920, 1080, 2, 0
	want = "the network needs about 5.0 GiB for 4 frames of 1920x1080 at a time, and 1.0 GiB is available: free some memory, or choose a smaller network with --model, a smaller --detail or a smaller --step"
	if e.Error() != want {
		t.Errorf("%v\nwant %s", e, want)
	}
}

// newField returns a field with confidence.
func newField(width, height int) *field.Field {
	return (&Model{confident: true}).newField(width, height)
}
