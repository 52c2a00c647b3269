package viewer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/wwflow/wwflow/internal/testutil"
)

// TestAccessible lets axe-core look for faults in the page: with everything shown, in dark and light, large and small.
func TestAccessible(t *testing.T) {
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	found, _ := filepath.Glob(filepath.Join(cache, "wwflow", "axe-core-*.js"))
	if len(found) == 0 {
		testutil.Skip(t, "axe-core is missing: scripts/axe.sh fetches it")
	}
	axe, err := os.ReadFile(found[len(found)-1])
	if err != nil {
		t.Fatal(err)
	}
	one, other, truth := writeFlows(t, t.TempDir(), 3, 32, 24), writeFlows(t, t.TempDir(), 3, 32, 24), writeFlows(t, t.TempDir(), 3, 32, 24)
	_, url := serve(t, Sources{Paths: []string{one, other}, Input: clip, Truth: truth})
	b := newTab(t, url, 850, 450)
	b.shows("video and flow of frame 0")
	b.do(string(axe))
	check := func(what string) {
		t.Helper()
		faults := eval[[]string](b, `axe.run(document, {resultTypes: ['violations']}).then((r) => r.violations.map((v) => v.id + ': ' + v.help + ': ' + v.nodes.map((n) => n.html).join(' ')))`)
		for _, f := range faults {
			t.Errorf("%s: %s", what, f)
		}
	}
	b.set("style", "error")
	b.set("x", "3")
	b.do("document.querySelector('#track').click()")
	check("light")
	b.dark(true)
	b.set("layout", "split")
	check("dark")
	b.look("split-error")
	b.run(chromedp.EmulateViewport(360, 640))
	check("small")
	b.look("small-dark")
	b.do("document.querySelector('#help-button').click()")
	check("with the list of keys")
	b.run(chromedp.KeyEvent(kb.Escape))
}

// TestKeyboard reaches every control with the Tab key, and each has a name.
func TestKeyboard(t *testing.T) {
	one, other := writeFlows(t, t.TempDir(), 3, 32, 24), writeFlows(t, t.TempDir(), 3, 32, 24)
	_, url := serve(t, Sources{Paths: []string{one, other}, Input: clip, Truth: one})
	b := newTab(t, url, 640, 480)
	b.shows("video and flow of frame 0")
	b.set("x", "3")
	want := eval[[]string](b, `[...document.querySelectorAll('button, select, input')].filter((e) => !e.disabled && e.checkVisibility()).map((e) => e.id)`)
	if len(want) < 15 {
		t.Fatalf("only %d controls are visible: %v", len(want), want)
	}
	reached := map[string]bool{}
	for range len(want) + 3 {
		b.run(chromedp.KeyEvent(kb.Tab))
		reached[eval[string](b, "document.activeElement.id")] = true
	}
	for _, id := range want {
		if !reached[id] {
			t.Errorf("the Tab key does not reach %s", id)
		}
	}
	for _, id := range want {
		name := eval[string](b, "(() => { const e = document.getElementById('"+id+"'); return e.getAttribute('aria-label') ?? e.labels?.[0]?.textContent ?? e.textContent })()")
		if strings.TrimSpace(name) == "" {
			t.Errorf("%s has no name", id)
		}
	}
	// A key does what it does everywhere, except in a field that takes it.
	b.do("document.querySelector('#number').focus()")
	b.run(chromedp.KeyEvent("d"))
	if got := eval[string](b, "document.querySelector('#style').value"); got != "flow" {
		t.Errorf("a letter in a number field changes the style to %s", got)
	}
	b.do("document.activeElement.blur()")
	b.run(chromedp.KeyEvent("?"))
	b.wait("document.querySelector('#help').open")
	b.run(chromedp.KeyEvent(kb.Escape))
	b.wait("!document.querySelector('#help').open")
}
