package pipeline

import (
	"errors"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/internal/testutil"
)

// TestComponent8 compares with the values of denseflow's formula: round(255 (v + bound) / (2 bound)), clipped.
func TestComponent8(t *testing.T) {
	f := field.New(4, 2)
	copy(f.Vectors, []float32{-20, 20, -25, 99, 0, 1, 10, -10, 19.9, -19.9, 0.1, -0.1, field.Unknown(), field.Unknown(), 5, 7})
	if got, want := component8(f, 0, 20).Pix, []byte{0, 0, 128, 191, 254, 128, 128, 159}; !slices.Equal(got, want) {
		t.Errorf("x is %v, want %v", got, want)
	}
	if got, want := component8(f, 1, 20).Pix, []byte{255, 255, 134, 64, 1, 127, 128, 172}; !slices.Equal(got, want) {
		t.Errorf("y is %v, want %v", got, want)
	}
	if got := component8(f, 0, 10).Pix[7]; got != 191 {
		t.Errorf("5 pixels of 10 are %d, want 191", got)
	}
}

// TestRunExportsJPEG looks at the names and the format of the files of a run.
func TestRunExportsJPEG(t *testing.T) {
	in, o, _, err := runVideo(t, t.Context(), func(o *Options) {
		o.Paint.MaxFlow = 9000
		o.Exports = []Export{{Format: JPEG, Dir: filepath.Join(filepath.Dir(o.Output), "jpg"), Bound: 30000}}
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := testutil.List(t, o.Exports[0].Dir); len(got) != 2*(len(in)-1) || got[0] != "flow_x_00000.jpg" || got[len(in)-1] != "flow_y_00000.jpg" {
		t.Errorf("the files are %v", got)
	}
	for component, name := range []string{"flow_x_00003.jpg", "flow_y_00003.jpg"} {
		file, err := os.Open(filepath.Join(o.Exports[0].Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		decoded, err := jpeg.Decode(file)
		got, isGray := decoded.(*image.Gray)
		if err != nil || !isGray {
			t.Fatalf("%s is a %T, %v", name, decoded, err)
		}
		want := component8(expected(in[3], in[4]), component, 30000)
		total := 0
		for y := range want.Rect.Dy() {
			for x := range want.Rect.Dx() {
				d := int(got.GrayAt(x, y).Y) - int(want.GrayAt(x, y).Y)
				total += max(d, -d)
			}
		}
		if mean := float64(total) / float64(len(want.Pix)); mean > 4 {
			t.Errorf("%s differs from the flow of frame 3 by %.1f levels on average", name, mean)
		}
	}
	_, _, _, err = runVideo(t, t.Context(), func(o *Options) { o.Exports = []Export{{Format: JPEG, Dir: "x", Bound: -1}} })
	if !errors.Is(err, ErrOptions) {
		t.Errorf("bound -1: %v", err)
	}
}
