package viewer

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flowfile"
)

// meansOf returns the means of cells of a field, written without regard to speed.
func meansOf(f *field.Field, side int) *field.Field {
	out := field.New((f.Width-1)/side+1, (f.Height-1)/side+1)
	out.Confidence = make([]float32, out.Width*out.Height)
	for i := range out.Confidence {
		var sum [3]float64
		n := 0.0
		for y := range f.Height {
			for x := range f.Width {
				u, v := f.At(x, y)
				if y/side*out.Width+x/side != i || !field.Known(u, v) || math.IsInf(float64(u), 0) {
					continue
				}
				for k, value := range []float32{u, v, f.Confidence[y*f.Width+x]} {
					sum[k] += float64(value)
				}
				n++
			}
		}
		out.Vectors[2*i], out.Vectors[2*i+1] = float32(sum[0]/n), float32(sum[1]/n)
		if n > 0 {
			out.Confidence[i] = float32(sum[2] / n)
		}
	}
	return out
}

// TestReduce compares the means of cells, the last of which are smaller, with those of a plain loop.
func TestReduce(t *testing.T) {
	f := chart(38, 29)
	for _, side := range []int{2, 3, 7, 64} {
		got, want := reduceField(f, side), meansOf(f, side)
		if got.Width != want.Width || got.Height != want.Height {
			t.Fatalf("side %d: %dx%d cells, want %dx%d", side, got.Width, got.Height, want.Width, want.Height)
		}
		unknown := 0
		for i, v := range want.Vectors {
			if (v == v) != (got.Vectors[i] == got.Vectors[i]) || math.Abs(float64(v-got.Vectors[i])) > 1e-5 {
				t.Fatalf("side %d: component %d is %v, want %v", side, i, got.Vectors[i], v)
			}
			if v != v {
				unknown++
			}
			if c := got.Confidence[i/2]; math.Abs(float64(c-want.Confidence[i/2])) > 1e-6 {
				t.Fatalf("side %d: the confidence of cell %d is %v, want %v", side, i/2, c, want.Confidence[i/2])
			}
		}
		if side == 2 && unknown == 0 {
			t.Error("no cell is unknown")
		}
		h := newPacket(f, 5, side).header
		if columns, rows := h.stored(); h.Width != 38 || h.Height != 29 || columns != got.Width || rows != got.Height || 2*h.Unknown != unknown {
			t.Errorf("side %d: the header is %+v", side, h)
		}
	}
}

func TestReducePicture(t *testing.T) {
	f := pictureOf(newPacket(chart(38, 29), 0, 1))
	got := reducePicture(f, 3)
	if got.Width != 13 || got.Height != 10 {
		t.Fatalf("the picture has %dx%d cells", got.Width, got.Height)
	}
	for i := range got.Width * got.Height {
		for c := range 3 {
			sum, n := 0, 0
			for y := i / got.Width * 3; y < min(i/got.Width*3+3, f.Height); y++ {
				for x := i % got.Width * 3; x < min(i%got.Width*3+3, f.Width); x++ {
					sum, n = sum+int(f.Pix[3*(y*f.Width+x)+c]), n+1
				}
			}
			if want := math.Round(float64(sum) / float64(n)); float64(got.Pix[3*i+c]) != want {
				t.Fatalf("channel %d of cell %d is %d, want %v", c, i, got.Pix[3*i+c], want)
			}
		}
	}
}

// TestMagnified shows a field of stripes, one pixel wide. Their mean is zero: a picture that fits the window is white. The
// pixels appear when the picture is magnified; the field is so large that they arrive in several steps.
func TestMagnified(t *testing.T) {
	f := field.New(1600, 1200)
	for i := range f.Width * f.Height {
		f.Vectors[2*i] = float32(10 - 20*(i%2))
	}
	path := filepath.Join(t.TempDir(), "0.flo")
	if err := flowfile.Write(path, f); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Dir(path)
	if err := flowfile.Write(filepath.Join(folder, "1.flo"), f); err != nil {
		t.Fatal(err)
	}
	for name, query := range map[string]string{"WebGL": "", "canvas": "?canvas"} {
		_, url := serve(t, Sources{Paths: []string{folder}})
		b := newTab(t, url+query, 700, 400)
		b.shows("flow of frame 0")
		b.set("number", "1") // the size of the first field was not known before it came
		b.shows("flow of frame 1")
		b.set("scale", "11")
		if got := eval[[]int](b, stripes); got[0] < 250 || got[1] < 250 {
			t.Errorf("%s: two neighbours are %v when the whole picture is shown, want white", name, got)
		}
		b.set("x", "800")
		b.set("y", "600")
		if u, v := f.At(800, 600); b.row("u, v") != fmt.Sprintf("%.2f, %.2f", u, v) {
			t.Errorf("%s: the pinned vector is %s, want %v, %v", name, b.row("u, v"), u, v)
		}
		b.run(chromedp.KeyEvent(kb.Escape))
		for range 6 {
			b.run(chromedp.KeyEvent("+"))
		}
		b.wait("(() => { const [r, s] = " + stripes + "; return r - s > 150; })()")
	}
}

// stripes returns the largest and the smallest level of red in the middle row of the picture.
const stripes = `(() => {
	const p = document.querySelector('#picture');
	const c = new OffscreenCanvas(64, 1).getContext('2d');
	c.drawImage(p, (p.width - 64) / 2, Math.floor(p.height / 2), 64, 1, 0, 0, 64, 1);
	const reds = [...c.getImageData(0, 0, 64, 1).data].filter((_, i) => i % 4 === 0);
	return [Math.max(...reds), Math.min(...reds)];
})()`
