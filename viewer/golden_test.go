package viewer

import (
	"bytes"
	"flag"
	"image"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/wwflow/wwflow/frame"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// picture returns a screenshot of the stage: the pictures, the marks on them and the small legend. The rest of the page depends on
// the fonts of the machine.
func (b *tab) picture() *image.RGBA {
	b.t.Helper()
	b.settle()
	data, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	page, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		b.t.Fatal(err)
	}
	box := eval[[]int](b, "(() => { const r = document.querySelector('#stage').getBoundingClientRect(); return [r.left, r.top, r.width, r.height].map(Math.round); })()")
	out := image.NewRGBA(image.Rect(0, 0, box[2], box[3]))
	draw.Draw(out, out.Rect, page, image.Pt(box[0], box[1]), draw.Src)
	return out
}

// TestScreenshots compares what the stage shows with pictures that people have looked at, by the means of squares of four pixels:
// browsers smooth edges differently.
func TestScreenshots(t *testing.T) {
	one, _ := clipFlows(t, 1, 768, 576)
	other, _ := clipFlows(t, 1.5, 768, 576)
	_, url := serve(t, Sources{Paths: []string{one, other}, Input: clip, Truth: one})
	b := newTab(t, url, 900, 500)
	b.shows("video and flow of frame 0")
	b.do("Object.assign(document.querySelector('#stage').style, { flex: 'none', width: '480px', height: '200px' })")
	b.wait("document.querySelector('#picture').width === 480 && document.querySelector('#picture').height === 200")
	b.run(chromedp.KeyEvent(kb.ArrowRight))
	b.shows("video and flow of frame 1")
	b.set("scale", "10")
	for _, shown := range []struct{ name, layout, style, label string }{
		{"side", "side", "flow", "video and flow of frame 1"},
		{"overlay", "single", "overlay", "overlay of frame 1"},
		{"arrows", "single", "arrows", "arrows of frame 1"},
		{"split", "split", "error", "ground truth error of frame 1"},
	} {
		b.set("layout", shown.layout)
		b.set("style", shown.style)
		if shown.name == "overlay" {
			b.set("x", "500")
			b.set("y", "300")
		}
		b.shows(shown.label)
		got := b.picture()
		path := filepath.Join("testdata", shown.name+".png")
		if *update {
			writePNG(t, path, got)
		}
		want := readPNG(t, path)
		if got.Rect != want.Rect {
			t.Fatalf("%s: the stage is %v, want %v", shown.name, got.Rect, want.Rect)
		}
		a, c := reducePicture(frame.FromImage(got), 4), reducePicture(frame.FromImage(want), 4)
		far, sum := 0, 0
		for i := range a.Pix {
			d := int(a.Pix[i]) - int(c.Pix[i])
			d = max(d, -d)
			sum += d
			if d > 24 {
				far++
			}
		}
		t.Logf("%s: %d of %d values differ by more than 24 levels, the mean difference is %.2f", shown.name, far, len(a.Pix), float64(sum)/float64(len(a.Pix)))
		if far > len(a.Pix)/200 || sum > 2*len(a.Pix) {
			t.Errorf("%s: the picture differs from %s: %d of %d values by more than 24 levels, on the mean %.2f", shown.name, path, far, len(a.Pix), float64(sum)/float64(len(a.Pix)))
			if dir := os.Getenv("WWFLOW_SCREENSHOTS"); dir != "" {
				writePNG(t, filepath.Join(dir, "golden-"+shown.name+".png"), got)
			}
		}
	}
}

func writePNG(t *testing.T, path string, m image.Image) {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

func readPNG(t *testing.T, path string) *image.RGBA {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	out := image.NewRGBA(m.Bounds())
	draw.Draw(out, out.Rect, m, image.Point{}, draw.Src)
	return out
}
