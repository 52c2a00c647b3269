package viewer

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flowfile"
)

// clipFlows writes flow files for the first frames of the sample clip: a chart whose vectors are multiplied by factor and
// grow with the frame.
func clipFlows(t *testing.T, factor float32, width, height int) (dir string, fields []*field.Field) {
	t.Helper()
	dir = t.TempDir()
	for k := range 4 {
		f := chart(width, height)
		f.Vectors[len(f.Vectors)-2] = 0 // .flo cannot store infinity
		for i := range f.Vectors {
			f.Vectors[i] *= factor * float32(k+1) / 4
		}
		if err := flowfile.Write(filepath.Join(dir, fmt.Sprintf("%06d.flo", k)), f); err != nil {
			t.Fatal(err)
		}
		fields = append(fields, f)
	}
	return dir, fields
}

// place returns where the middle of a pixel of a pane is on the screen.
func (b *tab) place(pane, x, y int) (px, py float64) {
	b.t.Helper()
	at := eval[[]float64](b, fmt.Sprintf(`(async () => {
		const { View } = await import('./view.js');
		const stage = document.querySelector('#stage').getBoundingClientRect();
		const view = Object.assign(new View(), { size: [Number(document.querySelector('#x').max) + 1, Number(document.querySelector('#y').max) + 1], canvas: [stage.width, stage.height], layout: document.querySelector('#layout').value });
		const [x, y] = view.place(view.cells()[%d], %d, %d);
		return [stage.left + x, stage.top + y];
	})()`, pane, x, y))
	return at[0], at[1]
}

// point moves the pointer to the middle of a pixel in a pane, and returns where that is on the screen.
func (b *tab) point(pane, x, y int) (px, py float64) {
	b.t.Helper()
	px, py = b.place(pane, x, y)
	b.run(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, px, py))
	return px, py
}

// colour returns the colour of a pixel of a pane.
func (b *tab) colour(pane, x, y int) []int {
	b.t.Helper()
	px, py := b.place(pane, x, y)
	return eval[[]int](b, fmt.Sprintf(`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
		const p = document.querySelector('#picture');
		const box = p.getBoundingClientRect();
		const c = new OffscreenCanvas(1, 1).getContext('2d');
		c.drawImage(p, Math.floor(%f - box.left), Math.floor(%f - box.top), 1, 1, 0, 0, 1, 1);
		done([...c.getImageData(0, 0, 1, 1).data]);
	})))`, px, py))
}

// row returns the value of a row in the table of the pixel.
func (b *tab) row(name string) string {
	b.t.Helper()
	return eval[string](b, fmt.Sprintf("[...document.querySelectorAll('#pixel tr')].find((r) => r.cells[0].textContent === %q)?.cells[1].textContent ?? ''", name))
}

// TestReadOut opens the page of a real clip, points at pixels, and compares the shown vectors with the flow file.
func TestReadOut(t *testing.T) {
	dir, fields := clipFlows(t, 1, 768, 576)
	_, url := serve(t, Sources{Paths: []string{dir}, Input: clip})
	b := newTab(t, url, 820, 320)
	b.shows("video and flow of frame 0")
	for n, f := range fields[:2] {
		if n > 0 {
			b.run(chromedp.KeyEvent(kb.ArrowRight))
			b.shows(fmt.Sprintf("video and flow of frame %d", n))
		}
		for _, p := range [][3]int{{0, 400, 300}, {1, 760, 10}, {1, 5, 570}} {
			b.point(p[0], p[1], p[2])
			b.settle()
			// A pixel of the screen has several of the picture: the page says which one it shows.
			var x, y int
			if _, err := fmt.Sscanf(b.row("x, y"), "%d, %d", &x, &y); err != nil || max(x-p[1], p[1]-x, y-p[2], p[2]-y) > 5 {
				t.Fatalf("frame %d: the pointer is at %d, %d, and the page shows pixel %s", n, p[1], p[2], b.row("x, y"))
			}
			u, v := f.At(x, y)
			if got, want := b.row("u, v"), fmt.Sprintf("%.2f, %.2f", u, v); !near(got, float64(u), float64(v)) {
				t.Errorf("frame %d, pixel %d, %d: the page shows %s, the file has %s", n, x, y, got, want)
			}
			if got, want := b.row("length"), math.Hypot(float64(u), float64(v)); !near(got, want) {
				t.Errorf("frame %d, pixel %d, %d: the page shows length %s, want %.2f", n, x, y, got, want)
			}
		}
	}
	b.point(1, 10, 10)
	b.settle()
	if got := b.row("u, v"); got != "unknown" {
		t.Errorf("an unknown vector is shown as %s", got)
	}
	b.look("light")
}

// near reports whether a text has these numbers, rounded to two digits after the point.
func near(text string, want ...float64) bool {
	got := make([]float64, len(want))
	places := make([]any, len(want))
	format := ""
	for i := range got {
		places[i] = &got[i]
		format += map[bool]string{true: "%f", false: ", %f"}[i == 0]
	}
	if _, err := fmt.Sscanf(text, format, places...); err != nil {
		return false
	}
	for i := range got {
		if math.Abs(got[i]-want[i]) > 0.0051+1.0/2048 {
			return false
		}
	}
	return true
}

// TestPinAndBox clicks and drags.
func TestPinAndBox(t *testing.T) {
	dir, fields := clipFlows(t, 1, 768, 576)
	_, url := serve(t, Sources{Paths: []string{dir}, Input: clip})
	b := newTab(t, url, 820, 320)
	b.shows("video and flow of frame 0")
	x, y := b.point(1, 300, 200)
	b.run(chromedp.MouseClickXY(x, y))
	b.settle()
	number := func(id string) int { return eval[int](b, "Number(document.getElementById('"+id+"').value)") }
	px, py := number("x"), number("y")
	if max(px-300, 300-px, py-200, 200-py) > 5 || px == 0 {
		t.Fatalf("a click on pixel 300, 200 pins %d, %d", px, py)
	}
	b.point(1, 500, 500) // the pinned pixel stays in the table
	b.settle()
	if u, v := fields[0].At(px, py); !near(b.row("u, v"), float64(u), float64(v)) {
		t.Errorf("the pinned pixel shows %s, want %.2f, %.2f", b.row("u, v"), u, v)
	}
	fromX, fromY := b.point(1, 400, 100)
	toX, toY := b.point(1, 499, 149)
	b.run(chromedp.DragAndDropXY(fromX, fromY, toX, toY, 4))
	b.wait("!document.querySelector('#box-section').hidden")
	text := b.text("#box-text")
	var width, height, left, top int
	if _, err := fmt.Sscanf(text, "%d × %d pixels at %d, %d:", &width, &height, &left, &top); err != nil || max(width-100, 100-width, height-50, 50-height) > 8 {
		t.Fatalf("the box shows %q, want one of about 100 by 50 pixels", text)
	}
	var u, v, length float64
	n := float64(width * height)
	for y := top; y < top+height; y++ {
		for x := left; x < left+width; x++ {
			a, b := fields[0].At(x, y)
			u, v, length = u+float64(a)/n, v+float64(b)/n, length+math.Hypot(float64(a), float64(b))/n
		}
	}
	want := fmt.Sprintf(": mean u, v %.2f, %.2f; mean length %.2f px; ", u, v, length)
	if !strings.Contains(text, want) {
		t.Errorf("the box shows %q, want %q", text, want)
	}
	b.look("box")
	b.run(chromedp.KeyEvent(kb.Escape))
	b.wait("document.querySelector('#box-section').hidden && document.querySelector('#x').value === ''")
}

// TestStyles switches what is shown, and looks at the colour of pixels.
func TestStyles(t *testing.T) {
	dir := t.TempDir()
	f := chart(192, 144) // a quarter of the clip's size: the frames are shrunk
	f.Vectors[len(f.Vectors)-2] = 0
	if err := flowfile.Write(filepath.Join(dir, "0.flo"), f); err != nil {
		t.Fatal(err)
	}
	_, url := serve(t, Sources{Paths: []string{dir}, Input: clip})
	for name, address := range map[string]string{"WebGL": url, "canvas": url + "?canvas"} {
		b := newTab(t, address, 600, 300)
		b.shows("video and flow of frame 0")
		b.set("layout", "single")
		b.set("scale", "2")
		b.shows("flow of frame 0")
		right := func() []int { return b.colour(0, 190, 72) }
		if got := right(); got[0] < 185 || got[0] > 195 || got[2] > 20 { // flow to the right, longer than full colour: dark red
			t.Errorf("%s: the right side is %v, want dark red", name, got)
		}
		b.set("scale", "100")
		if got := right(); got[0] < 250 || got[1] < 200 || got[2] < 200 {
			t.Errorf("%s: at another scale the right side is %v, want nearly white", name, got)
		}
		b.set("scale", "2")
		seen := map[string]bool{}
		for key, label := range map[string]string{"f": "flow", "o": "overlay", "r": "arrows", "v": "video"} {
			b.run(chromedp.KeyEvent(key))
			b.shows(label + " of frame 0")
			seen[fmt.Sprint(right())] = true
			b.look(name + "-" + label)
		}
		if len(seen) < 3 {
			t.Errorf("%s: four styles look like %d", name, len(seen))
		}
		b.run(chromedp.KeyEvent("c")) // the files have no confidence: nothing changes
		if got := eval[string](b, "document.querySelector('#style').value"); got == "confidence" {
			t.Errorf("%s: confidence is shown, which the files do not have", name)
		}
	}
}

// TestScrubAndPlay moves the timeline and plays.
func TestScrubAndPlay(t *testing.T) {
	dir, _ := clipFlows(t, 1, 192, 144)
	_, url := serve(t, Sources{Paths: []string{dir}, Input: clip})
	b := newTab(t, url, 820, 320)
	b.shows("video and flow of frame 0")
	b.set("position", "2")
	b.shows("video and flow of frame 2")
	if got := eval[string](b, "document.querySelector('#position').getAttribute('aria-valuetext')"); got != "frame 2 0:00.20" {
		t.Errorf("the position is called %q", got)
	}
	b.run(chromedp.KeyEvent(kb.End))
	b.shows("video and flow of frame 29")
	if got := b.text("#message"); got != "this frame has no flow" {
		t.Errorf("the last frame says %q", got)
	}
	b.run(chromedp.KeyEvent(kb.Home))
	b.shows("video and flow of frame 0")
	b.set("speed", "4")
	b.run(chromedp.KeyEvent(" "))
	b.wait("Number(document.querySelector('#number').value) >= 8 && document.querySelector('#play').textContent === 'Stop'")
	b.run(chromedp.KeyEvent(" "))
	b.wait("document.querySelector('#play').textContent === 'Play'")
	b.wait("document.querySelector('#curve').width > 100")
}
