package viewer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/frame"
)

// smallClip returns a folder of n small pictures of a pattern that moves by (2, 1) pixels from one to the next.
func smallClip(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	for k := range n {
		f := frame.New(64, 48)
		for i := range 64 * 48 {
			x, y := i%64-2*k, i/64-k
			f.Pix[3*i], f.Pix[3*i+1], f.Pix[3*i+2] = uint8(x*x+3*y), uint8(5*x+y*y), uint8(x*y)
		}
		var b bytes.Buffer
		if err := png.Encode(&b, f.Image()); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%03d.png", k)), b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// estimateOf returns the opened estimate of the only video.
func estimateOf(t *testing.T, v *Viewer) *estimate {
	t.Helper()
	if err := v.items[0].open(v); err != nil {
		t.Fatal(err)
	}
	return v.items[0].results[0].fields.(*estimate)
}

// TestEstimate compares what is estimated on demand with the network's flow of the same frames, in any order of frames.
func TestEstimate(t *testing.T) {
	open, clip := fakeNetwork(t), smallClip(t, 15)
	v := newViewer(t, Sources{Paths: []string{clip}, Open: open})
	e := estimateOf(t, v)
	if got := e.numbers(); len(got) != 14 || got[0] != 0 || got[13] != 13 {
		t.Fatalf("the numbers are %v", got)
	}
	model, err := open()
	if err != nil {
		t.Fatal(err)
	}
	defer model.Close()
	list := framesOf(t, clip)
	for _, n := range []int{7, 8, 12, 3, 13} {
		got, err := e.packet(t.Context(), n, 1)
		if err != nil {
			t.Fatal(err)
		}
		f, err := model.Flow(t.Context(), list[n], list[n+1])
		if err != nil {
			t.Fatal(err)
		}
		if want := newPacket(f, n, 1); got.header != want.header || !slices.Equal(got.payload, want.payload) {
			t.Errorf("frame %d: the field is not the network's: %+v, want %+v", n, got.header, want.header)
		}
	}
	if got := e.ready(); !slices.Equal(got, []int{3, 7, 8, 12, 13}) {
		t.Errorf("the cache has %v", got)
	}
	if _, err := e.packet(t.Context(), 14, 1); err == nil {
		t.Error("the last frame has flow")
	}
}

// framesOf reads the frames of a video in order.
func framesOf(t *testing.T, path string) (list []*frame.Frame) {
	t.Helper()
	r, err := decode.Open(t.Context(), path, decode.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		f, err := r.Read()
		if err != nil {
			return list
		}
		list = append(list, f)
	}
}

// TestFrames asks for frames in an order that seeks forward and backward, and compares them with those that are read in order.
func TestFrames(t *testing.T) {
	list := framesOf(t, clip)
	v := newViewer(t, Sources{Paths: []string{writeFlows(t, t.TempDir(), 1, 8, 6)}, Input: clip})
	f, err := openFrames(t.Context(), clip, v.roots)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.count() != len(list) {
		t.Fatalf("%d frames, want %d", f.count(), len(list))
	}
	for _, n := range []int{0, 1, 29, 28, 13, 14, 2, 29, 0, 5} {
		if n == 13 || n == 2 { // without what is remembered
			clear(f.recent)
			f.order = nil
			f.close()
		}
		got, err := f.frame(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		if got.PTS != list[n].PTS || !slices.Equal(got.Pix, list[n].Pix) {
			t.Errorf("frame %d has time %d, want %d, or other pixels", n, got.PTS, list[n].PTS)
		}
	}
	for _, n := range []int{-1, 30} {
		if _, err := f.frame(t.Context(), n); err == nil {
			t.Errorf("there is a frame %d", n)
		}
	}
}

// TestCacheIsWhole damages a file of the cache, and finds the field estimated again.
func TestCacheIsWhole(t *testing.T) {
	opened := 0
	open := fakeNetwork(t)
	dir := t.TempDir()
	s := Sources{Paths: []string{smallClip(t, 14)}, CacheDir: dir, CacheBytes: 1 << 30, Open: func() (*flow.Model, error) { opened++; return open() }}
	ask := func() *packet {
		v := newViewer(t, s)
		p, err := estimateOf(t, v).packet(t.Context(), 4, 1)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	first := ask()
	found, _ := filepath.Glob(filepath.Join(dir, "*", "4.wwflow"))
	if len(found) != 1 {
		t.Fatalf("the cache has %v", found)
	}
	if ask(); opened != 1 {
		t.Fatalf("a field in the cache is estimated again")
	}
	data, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(found[0], data[:len(data)/2], 0o666); err != nil {
		t.Fatal(err)
	}
	if again := ask(); opened != 2 || again.header != first.header || !slices.Equal(again.payload, first.payload) {
		t.Errorf("a damaged file is not estimated again (%d)", opened)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*", ".*")); len(left) > 0 {
		t.Errorf("temporary files are left: %v", left)
	}
}

// TestCacheLimit fills the cache, and finds the fields that were used last.
func TestCacheLimit(t *testing.T) {
	p := newPacket(chart(64, 48), 0, 1)
	data, err := p.encode(true)
	if err != nil {
		t.Fatal(err)
	}
	c := newCache(t.TempDir(), 5*int64(len(data))+10)
	for n := range 8 {
		if err := c.put("key", n, p); err != nil {
			t.Fatal(err)
		}
		old := time.Now().Add(time.Duration(n-100) * time.Second)
		if err := os.Chtimes(c.path("key", n), old, old); err != nil {
			t.Fatal(err)
		}
		if n > 0 && c.get("key", 0) == nil { // it is in use
			t.Fatalf("field 0 is gone after %d", n)
		}
	}
	got := c.numbers("key")
	if len(got) > 5 || !slices.Contains(got, 0) || !slices.Contains(got, 7) || slices.Contains(got, 1) {
		t.Errorf("the cache has %v", got)
	}
}

// TestEstimateIsGivenUp cancels the only request for a field.
func TestEstimateIsGivenUp(t *testing.T) {
	open := fakeNetwork(t)
	opening, closed := make(chan struct{}), make(chan struct{})
	v := newViewer(t, Sources{Paths: []string{smallClip(t, 14)}, Open: func() (*flow.Model, error) { close(opening); <-closed; return open() }})
	e := estimateOf(t, v)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { _, err := e.packet(ctx, 0, 1); done <- err }()
	<-opening
	go func() { _, err := e.packet(ctx, 9, 1); done <- err }() // waits for its turn
	cancel()
	for range 2 {
		wantError(t, <-done, context.Canceled)
	}
	close(closed)
	e.mu.Lock()
	left := len(e.running)
	e.mu.Unlock()
	if left != 0 {
		t.Errorf("%d estimates go on", left)
	}
	if got, err := e.packet(t.Context(), 1, 1); err != nil || got.header.Number != 1 {
		t.Errorf("afterwards: %v", err)
	}
}

// TestEstimateFails has a network that does not open: the page says why.
func TestEstimateFails(t *testing.T) {
	_, url := serve(t, Sources{Paths: []string{smallClip(t, 14)}, Open: func() (*flow.Model, error) { return nil, errors.New("no network today") }})
	answer, body := get(t, url+"api/field?item=0&result=0&number=3", nil)
	wantStatus(t, "a field", answer, http.StatusUnprocessableEntity)
	if strings.TrimSpace(body) != "no network today" {
		t.Errorf("the answer is %q", body)
	}
	answer, _ = get(t, url+"api/frame?item=0&number=3", nil)
	wantStatus(t, "its frame", answer, http.StatusOK)
}

// TestEstimateInThePage scrubs through a video without flow files.
func TestEstimateInThePage(t *testing.T) {
	v, url := serve(t, Sources{Paths: []string{smallClip(t, 14)}, Open: fakeNetwork(t)})
	b := newTab(t, url, 500, 400)
	b.shows("video and flow of frame 0")
	b.set("position", "12")
	b.shows("video and flow of frame 12")
	b.wait("document.querySelector('#message').textContent === ''")
	b.set("style", "confidence")
	b.shows("video and confidence of frame 12")
	b.set("x", "30")
	b.set("y", "20")
	p, err := estimateOf(t, v).packet(t.Context(), 12, 1)
	if err != nil {
		t.Fatal(err)
	}
	f := p.field()
	u, w := f.At(30, 20)
	if got := b.row("u, v"); !near(got, float64(u), float64(w)) {
		t.Errorf("the page shows %s, the network says %.2f, %.2f", got, u, w)
	}
	if got := b.row("confidence"); !near(got, float64(f.Confidence[20*64+30])) {
		t.Errorf("the page shows confidence %s, the network says %.2f", got, f.Confidence[20*64+30])
	}
}
