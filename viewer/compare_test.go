package viewer

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/wwflow/wwflow/field"
)

// TestCompare shows two results and the ground truth, and compares the shown errors with those of package field.
func TestCompare(t *testing.T) {
	a, fieldsA := clipFlows(t, 1, 384, 288)
	c, fieldsC := clipFlows(t, 1.5, 384, 288)
	truth, fieldsT := clipFlows(t, 1.1, 384, 288)
	_, url := serve(t, Sources{Paths: []string{a, c}, Truth: truth})
	b := newTab(t, url, 820, 320)
	b.shows("flow of frame 0")
	want := func(f, truth *field.Field) string {
		e, err := field.Measure(f, truth)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("EPE %.3f px, 1px %.1f %%, Fl %.1f %%", e.EPE(), e.Percent(e.Over1), e.Fl())
	}
	b.run(chromedp.KeyEvent(kb.End))
	b.shows("flow of frame 3")
	text := b.text("#compare")
	for name, f := range map[string]*field.Field{"error of A": fieldsA[3], "error of B": fieldsC[3]} {
		if !strings.Contains(text, name+want(f, fieldsT[3])) {
			t.Errorf("the page shows %q, want %s %s", text, name, want(f, fieldsT[3]))
		}
	}
	var mean, n float64
	for i := 0; i < len(fieldsA[3].Vectors); i += 2 {
		if d := math.Hypot(float64(fieldsA[3].Vectors[i]-fieldsC[3].Vectors[i]), float64(fieldsA[3].Vectors[i+1]-fieldsC[3].Vectors[i+1])); d == d {
			mean, n = mean+d, n+1
		}
	}
	if at := strings.Index(text, "A − Bmean "); at < 0 {
		t.Errorf("the page shows no difference: %q", text)
	} else if !near(text[at+len("A − Bmean "):], mean/n) {
		t.Errorf("the page shows %q, want a mean difference of %.3f", text[at:], mean/n)
	}
	// The keys 1 and 2 flip between the results.
	b.set("x", "350")
	b.set("y", "150")
	for i, f := range []*field.Field{fieldsC[3], fieldsA[3]} {
		b.run(chromedp.KeyEvent([]string{"2", "1"}[i]))
		u, v := f.At(350, 150)
		b.wait(fmt.Sprintf("document.querySelector('#pixel tr td').textContent === '%.2f, %.2f'", u, v))
	}
	// Difference and error are painted with the ramp: the difference is 10 pixels at the right edge, and 0 in the middle.
	b.run(chromedp.KeyEvent("d"))
	b.shows("difference A − B of frame 3")
	b.set("range", "10")
	edge, middle := b.colour(0, 380, 144), b.colour(0, 192, 144)
	if edge[0] < 200 || edge[1] < 200 || middle[0] > 60 || middle[1] > 60 {
		t.Errorf("the difference is %v at the edge and %v in the middle, want yellow and dark violet", edge, middle)
	}
	b.run(chromedp.KeyEvent("e"))
	b.shows("ground truth error of frame 3")
	b.look("error")
	b.set("layout", "split")
	b.set("style", "flow")
	b.set("split", "0.25")
	b.wait("document.querySelector('#split-label').hidden === false")
	b.look("split")
}

// TestPageInOneFile writes a page and opens it without a server.
func TestPageInOneFile(t *testing.T) {
	dir, fields := clipFlows(t, 1, 768, 576)
	v := newViewer(t, Sources{Paths: []string{dir}, Input: clip})
	path := filepath.Join(t.TempDir(), "page.html")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	if err := v.WritePage(t.Context(), file, 3, func(done, all int) {
		if calls++; all != 3 || done != calls {
			t.Errorf("progress says %d of %d", done, all)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	b := newTab(t, "file://"+path, 820, 320)
	b.shows("video and flow of frame 0")
	b.run(chromedp.KeyEvent(kb.End))
	b.shows("video and flow of frame 2")
	b.set("x", "700")
	b.set("y", "300")
	u, v2 := fields[2].At(700, 300)
	b.wait("document.querySelectorAll('#pixel tr').length > 3")
	if got := b.row("u, v"); !near(got, float64(u), float64(v2)) {
		t.Errorf("the page shows %s, the file has %.2f, %.2f", got, u, v2)
	}
	b.set("style", "overlay")
	b.shows("video and overlay of frame 2")
	b.look("page")
}

// TestTrack follows a point through fields whose flow is known.
func TestTrack(t *testing.T) {
	dir := writeFlows(t, t.TempDir(), 5, 32, 24)
	_, url := serve(t, Sources{Paths: []string{dir}})
	b := newTab(t, url, 500, 400)
	b.shows("flow of frame 0")
	b.set("x", "10")
	b.set("y", "12")
	b.run(chromedp.KeyEvent("t"))
	// (0, 0) + (1, -0.5) + (2, -1) + (3, -1.5) + (4, -2)
	b.wait("document.querySelector('#track-text').textContent === '5 frames, to frame 5: 20.0, 7.0'")
	b.set("track-count", "2")
	b.run(chromedp.KeyEvent("t"))
	b.wait("document.querySelector('#track-text').textContent === '2 frames, to frame 2: 11.0, 11.5'")
	b.run(chromedp.KeyEvent(kb.End))
	b.shows("flow of frame 4")
	b.set("x", "30")
	b.run(chromedp.KeyEvent("t")) // leaves the picture
	b.wait("document.querySelector('#track-text').textContent === '0 frames, to frame 4: 30.0, 12.0'")
}
