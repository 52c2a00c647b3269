package viewer

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/wwflow/wwflow/internal/testutil"
)

// browser is one headless Chromium for the tests that need it. TestMain closes it.
var browser struct {
	sync.Once
	ctx    context.Context
	cancel context.CancelFunc
	err    error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if browser.cancel != nil {
		_ = chromedp.Cancel(browser.ctx)
		browser.cancel()
	}
	os.Exit(code)
}

// tab is an open page. Anything that its console or its policy reports fails the test.
type tab struct {
	t   testing.TB
	ctx context.Context

	mu       sync.Mutex
	problems []string
}

// newTab opens a page at an address.
func newTab(t testing.TB, address string, width, height int64) *tab {
	t.Helper()
	if _, err := exec.LookPath("chromium"); err != nil {
		testutil.Skip(t, "the package chromium is missing: %v", err)
	}
	browser.Do(func() {
		options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath("chromium"), chromedp.NoSandbox,
			chromedp.Flag("use-angle", "swiftshader"), chromedp.Flag("enable-unsafe-swiftshader", true), chromedp.Flag("force-color-profile", "srgb"))
		allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
		browser.ctx, _ = chromedp.NewContext(allocator)
		browser.cancel = cancel
		browser.err = chromedp.Do(browser.ctx)
	})
	if browser.err != nil {
		t.Fatalf("chromium does not start: %v", browser.err)
	}
	b := &tab{t: t}
	ctx, cancel := chromedp.NewContext(browser.ctx, chromedp.WithListener(b.listen))
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // the tab lives as long as the context of the first call
		t.Fatal(err)
	}
	limit := time.Minute
	if _, ok := t.(*testing.B); ok {
		limit = 2 * time.Hour
	}
	ctx, stop := context.WithTimeout(ctx, limit)
	t.Cleanup(stop)
	b.ctx = ctx
	b.run(chromedp.EmulateViewport(width, height), chromedp.Navigate(address))
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, p := range b.problems {
			t.Errorf("the browser reports: %s", p)
		}
	})
	return b
}

func (b *tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.problems = append(b.problems, (&chromedp.ExceptionError{ExceptionDetails: e.ExceptionDetails}).Error())
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			b.problems = append(b.problems, fmt.Sprintf("%s %s", e.Entry.Text, e.Entry.URL))
		}
	}
}

func (b *tab) run(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// eval runs an expression, which may be a promise, and returns its value.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// do runs statements.
func (b *tab) do(statements string) {
	b.t.Helper()
	eval[bool](b, "(() => {"+statements+"; return true})()")
}

// text returns the text of an element.
func (b *tab) text(selector string) string {
	b.t.Helper()
	return eval[string](b, fmt.Sprintf("document.querySelector(%q).textContent", selector))
}

// wait waits until an expression is true.
func (b *tab) wait(expression string) {
	b.t.Helper()
	_, err := chromedp.Run(b.ctx, chromedp.Poll[bool](expression, chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(20*time.Second)))
	if err != nil {
		b.t.Fatalf("%s does not become true: %v; the page shows %s, %s", expression, err,
			eval[string](b, "document.querySelector('#picture').getAttribute('aria-label')"), b.text("#message"))
	}
}

// settle waits until what has changed is drawn.
func (b *tab) settle() {
	b.t.Helper()
	eval[bool](b, "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")
}

// set gives a control a value, as a user does.
func (b *tab) set(id, value string) {
	b.t.Helper()
	b.do(fmt.Sprintf("const e = document.getElementById(%q); e.value = %q; for (const n of ['input', 'change']) e.dispatchEvent(new Event(n))", id, value))
	b.settle()
}

// shows waits until the picture has a label and the values of its pixels are there.
func (b *tab) shows(label string) {
	b.t.Helper()
	b.wait(fmt.Sprintf("document.querySelector('#picture')?.getAttribute('aria-label') === %q && document.querySelector('#panel').ariaBusy === 'false'", label))
}

// look writes a screenshot into the folder that WWFLOW_SCREENSHOTS names, for people.
func (b *tab) look(name string) {
	dir := os.Getenv("WWFLOW_SCREENSHOTS")
	if dir == "" {
		return
	}
	b.t.Helper()
	b.run(chromedp.Sleep(300 * time.Millisecond))
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o666); err != nil {
		b.t.Fatal(err)
	}
}

// dark chooses the colours of the system.
func (b *tab) dark(yes bool) {
	b.t.Helper()
	value := "light"
	if yes {
		value = "dark"
	}
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: value}}})
	if err != nil {
		b.t.Fatal(err)
	}
}
