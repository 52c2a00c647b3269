package viewer

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flowfile"
)

// clipFlows writes flow files for the first frames of the sample clip: a chart whose vectors are multiplied by factor and
// grow with the frame.
func clipFlows(t *testing.T, factor float32) (dir string, fields []*field.Field) {
	t.Helper()
	dir = t.TempDir()
	for k := range 4 {
		f := chart(768, 576)
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

// point moves the pointer to the middle of a pixel in a pane, and returns where that is on the screen.
func (b *tab) point(pane, x, y int) (px, py float64) {
	b.t.Helper()
	place := eval[[]float64](b, fmt.Sprintf(`(async () => {
		const { View } = await import('./view.js');
		const stage = document.querySelector('#stage').getBoundingClientRect();
		const view = Object.assign(new View(), { size: [768, 576], canvas: [stage.width, stage.height], layout: document.querySelector('#layout').value });
		const [x, y] = view.place(view.cells()[%d], %d, %d);
		return [stage.left + x, stage.top + y];
	})()`, pane, x, y))
	b.run(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, place[0], place[1]))
	return place[0], place[1]
}

// readout waits until the table of the pixel shows a position, and returns its rows.
func (b *tab) row(name string) string {
	b.t.Helper()
	return eval[string](b, fmt.Sprintf("[...document.querySelectorAll('#pixel tr')].find((r) => r.cells[0].textContent === %q)?.cells[1].textContent ?? ''", name))
}

// TestReadOut opens the page of a real clip, points at pixels, and compares the shown vectors with the flow file.
func TestReadOut(t *testing.T) {
	dir, fields := clipFlows(t, 1)
	_, url := serve(t, Sources{Paths: []string{dir}, Input: clip})
	b := newTab(t, url, 1280, 760)
	b.shows("video and flow of frame 0")
	for n, f := range fields {
		if n > 0 {
			b.run(chromedp.KeyEvent(kb.ArrowRight))
			b.shows(fmt.Sprintf("video and flow of frame %d", n))
		}
		for _, p := range [][3]int{{0, 400, 300}, {1, 400, 300}, {1, 767, 10}, {1, 5, 575}, {0, 700, 100}} {
			b.point(p[0], p[1], p[2])
			b.wait(fmt.Sprintf("document.querySelector('#pixel td')?.textContent === '%d, %d'", p[1], p[2]))
			u, v := f.At(p[1], p[2])
			if got, want := b.row("u, v"), fmt.Sprintf("%.2f, %.2f", u, v); !near(got, float64(u), float64(v)) {
				t.Errorf("frame %d, pixel %d, %d: the page shows %s, the file has %s", n, p[1], p[2], got, want)
			}
			if got, want := b.row("length"), math.Hypot(float64(u), float64(v)); !near(got, want) {
				t.Errorf("frame %d, pixel %d, %d: the page shows length %s, want %.2f", n, p[1], p[2], got, want)
			}
		}
	}
	b.point(1, 10, 10)
	b.wait("document.querySelector('#pixel td')?.textContent === '10, 10'")
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
	dir, fields := clipFlows(t, 1)
	_, url := serve(t, Sources{Paths: []string{dir}, Input: clip})
	b := newTab(t, url, 1280, 760)
	b.shows("video and flow of frame 0")
	x, y := b.point(1, 300, 200)
	b.run(chromedp.MouseClickXY(x, y))
	b.wait("document.querySelector('#x').value === '300' && document.querySelector('#y').value === '200'")
	b.point(1, 500, 500) // the pinned pixel stays in the table
	if u, v := fields[0].At(300, 200); !near(b.row("u, v"), float64(u), float64(v)) {
		t.Errorf("the pinned pixel shows %s, want %.2f, %.2f", b.row("u, v"), u, v)
	}
	fromX, fromY := b.point(1, 400, 100)
	toX, toY := b.point(1, 499, 149)
	b.run(chromedp.DragAndDropXY(fromX, fromY, toX, toY, 4))
	b.wait("!document.querySelector('#box-section').hidden")
	var u, v, length float64
	for y := 100; y < 150; y++ {
		for x := 400; x < 500; x++ {
			a, b := fields[0].At(x, y)
			u, v, length = u+float64(a)/5000, v+float64(b)/5000, length+math.Hypot(float64(a), float64(b))/5000
		}
	}
	want := fmt.Sprintf("100 × 50 pixels at 400, 100: mean u, v %.2f, %.2f; mean length %.2f px; ", u, v, length)
	if got := b.text("#box-text"); len(got) < len(want) || got[:len(want)] != want {
		t.Errorf("the box shows %q, want %q", got, want)
	}
	b.look("box")
	b.run(chromedp.KeyEvent(kb.Escape))
	b.wait("document.querySelector('#box-section').hidden && document.querySelector('#x').value === ''")
}

// TestStyles switches what is shown, and looks at the colour of pixels.
func TestStyles(t *testing.T) {
	dir, _ := clipFlows(t, 1)
	_, url := serve(t, Sources{Paths: []string{dir}, Input: clip})
	for name, address := range map[string]string{"WebGL": url, "canvas": url + "?canvas"} {
		b := newTab(t, address, 1280, 760)
		b.shows("video and flow of frame 0")
		b.set("layout", "single")
		b.set("scale", "2")
		b.shows("flow of frame 0")
		middle := func() []int {
			return eval[[]int](b, `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
				const c = document.createElement('canvas');
				const p = document.querySelector('#picture');
				c.width = p.width; c.height = p.height;
				c.getContext('2d').drawImage(p, 0, 0);
				done([...c.getContext('2d').getImageData(p.width - 100, p.height / 2, 1, 1).data]);
			})))`)
		}
		if got := middle(); got[0] < 185 || got[0] > 195 || got[2] > 20 { // flow to the right, longer than full colour: dark red
			t.Errorf("%s: the right side is %v, want dark red", name, got)
		}
		b.set("scale", "100")
		if got := middle(); got[0] < 250 || got[1] < 200 || got[2] < 200 {
			t.Errorf("%s: at another scale the right side is %v, want nearly white", name, got)
		}
		b.set("scale", "2")
		seen := map[string]bool{}
		for key, label := range map[string]string{"f": "flow", "o": "overlay", "r": "arrows", "v": "video"} {
			b.run(chromedp.KeyEvent(key))
			b.shows(label + " of frame 0")
			seen[fmt.Sprint(middle())] = true
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
	dir, _ := clipFlows(t, 1)
	_, url := serve(t, Sources{Paths: []string{dir}, Input: clip})
	b := newTab(t, url, 900, 600)
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
