package viewer

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// get asks a server and returns the answer with its body.
func get(t *testing.T, url string, change func(*http.Request)) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(r)
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

func wantStatus(t *testing.T, what string, answer *http.Response, want int) {
	t.Helper()
	if answer.StatusCode != want {
		t.Errorf("%s: status %d, want %d", what, answer.StatusCode, want)
	}
}

func flows(t *testing.T) Sources {
	return Sources{Paths: []string{writeFlows(t, t.TempDir(), 2, 8, 6)}}
}

func TestToken(t *testing.T) {
	_, url := serve(t, flows(t))
	root, token, _ := strings.Cut(strings.TrimSuffix(url, "/"), "/"+filepath.Base(url))
	if token != "" || len(filepath.Base(url)) < 26 {
		t.Fatalf("the address %s has no token of 26 characters", url)
	}
	answer, _ := get(t, url+"api/session", nil)
	wantStatus(t, "with the token", answer, http.StatusOK)
	wrong := []byte(filepath.Base(url))
	wrong[0] ^= 1
	for _, path := range []string{"/", "/api/session", "/x/api/session", "/" + string(wrong) + "/", "/" + string(wrong) + "/api/session", "//" + filepath.Base(url) + "/../api/session"} {
		answer, body := get(t, root+path, nil)
		wantStatus(t, path, answer, http.StatusNotFound)
		if strings.Contains(body, "items") {
			t.Errorf("%s: %s", path, body)
		}
	}
	if a, b := newToken(), newToken(); a == b {
		t.Error("two servers have the same token")
	}
}

func TestHost(t *testing.T) {
	_, url := serve(t, flows(t))
	for host, want := range map[string]int{
		"127.0.0.1:80": http.StatusOK, "localhost:9": http.StatusOK, "[::1]:9": http.StatusOK, "LOCALHOST": http.StatusOK,
		"evil.example": http.StatusMisdirectedRequest, "evil.example:80": http.StatusMisdirectedRequest, "127.0.0.1.evil.example": http.StatusMisdirectedRequest,
		"localhost.evil.example": http.StatusMisdirectedRequest, "": http.StatusMisdirectedRequest,
	} {
		r := httptest.NewRequest(http.MethodGet, url+"api/session", nil)
		r.Host = host
		w := httptest.NewRecorder()
		newGuard(filepath.Base(url), nil, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
		wantStatus(t, "Host: "+host, w.Result(), want)
	}
	answer, _ := get(t, url+"api/session", func(r *http.Request) { r.Host = "evil.example" })
	wantStatus(t, "the server", answer, http.StatusMisdirectedRequest)
}

func TestNoCORS(t *testing.T) {
	_, url := serve(t, flows(t))
	for _, c := range []struct {
		name, value string
		want        int
	}{
		{"Origin", "https://evil.example", http.StatusForbidden},
		{"Origin", "http://127.0.0.1:1", http.StatusForbidden},
		{"Origin", "null", http.StatusForbidden},
		{"Origin", strings.TrimSuffix(url, "/"+filepath.Base(url)+"/"), http.StatusOK},
		{"Sec-Fetch-Site", "cross-site", http.StatusForbidden},
		{"Sec-Fetch-Site", "same-site", http.StatusForbidden},
		{"Sec-Fetch-Site", "same-origin", http.StatusOK},
		{"Sec-Fetch-Site", "none", http.StatusOK},
	} {
		answer, _ := get(t, url+"api/session", func(r *http.Request) { r.Header.Set(c.name, c.value) })
		wantStatus(t, c.name+": "+c.value, answer, c.want)
		for name := range answer.Header {
			if strings.HasPrefix(name, "Access-Control") {
				t.Errorf("%s: %s allows other sites", c.value, name)
			}
		}
	}
	answer, _ := get(t, url, func(r *http.Request) {
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Sec-Fetch-Mode", "navigate")
		r.Header.Set("Sec-Fetch-Dest", "document")
	})
	wantStatus(t, "a link on another site", answer, http.StatusOK)
}

func TestLimits(t *testing.T) {
	_, url := serve(t, flows(t))
	answer, _ := get(t, url+"api/session", func(r *http.Request) { r.Method = http.MethodPost })
	wantStatus(t, "POST", answer, http.StatusMethodNotAllowed)
	answer, _ = get(t, url+"api/session", func(r *http.Request) {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader("body")), 4
	})
	wantStatus(t, "a body", answer, http.StatusRequestEntityTooLarge)
	answer, _ = get(t, url+"api/session", func(r *http.Request) { r.Header.Set("X", strings.Repeat("x", 2*maxHeader)) })
	wantStatus(t, "a long header", answer, http.StatusRequestHeaderFieldsTooLarge)
	answer, _ = get(t, url+"api/field?item=0&result=0&number=99999999999999999999", nil)
	wantStatus(t, "a large number", answer, http.StatusBadRequest)
	for _, query := range []string{"item=1&result=0&number=0", "item=0&result=1&number=0", "item=-1&result=0&number=0", "item=0&result=0&number=x", ""} {
		answer, _ := get(t, url+"api/field?"+query, nil)
		wantStatus(t, query, answer, http.StatusBadRequest)
	}
	limited := 0
	for range 2 * maxBurst {
		if answer, _ := get(t, url+"style.css", nil); answer.StatusCode == http.StatusTooManyRequests {
			limited++
		}
	}
	if limited == 0 {
		t.Errorf("none of %d requests is refused", 2*maxBurst)
	}
}

// TestConcurrency asks for more at once than the server answers.
func TestConcurrency(t *testing.T) {
	release := make(chan struct{})
	entered := make(chan struct{}, 2*maxConcurrent)
	g := newGuard("t", nil, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { entered <- struct{}{}; <-release }))
	ask := func() *http.Response {
		w := httptest.NewRecorder()
		g.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost/t/", nil))
		return w.Result()
	}
	done := make(chan struct{})
	for range maxConcurrent {
		go func() { ask(); done <- struct{}{} }()
		<-entered
	}
	more := make(chan *http.Response, 1)
	go func() { more <- ask() }()
	select {
	case answer := <-more:
		wantStatus(t, "one more", answer, http.StatusServiceUnavailable)
	case <-time.After(5 * time.Second):
		t.Error("one more waits")
	}
	close(release)
	for range maxConcurrent {
		<-done
	}
	wantStatus(t, "afterwards", ask(), http.StatusOK)
}

// TestSlowClient connects and sends nothing.
func TestSlowClient(t *testing.T) {
	v := newViewer(t, flows(t))
	server, err := v.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server.http.ReadHeaderTimeout = 50 * time.Millisecond
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- server.Serve(ctx) }()
	defer func() { cancel(); <-done }()
	c, err := net.Dial("tcp", server.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.ReadAll(c); err != nil {
		t.Errorf("the connection stays open: %v", err)
	}
}

// TestPolicy looks at the policy, and for what it would block in the page.
func TestPolicy(t *testing.T) {
	_, url := serve(t, flows(t))
	for _, path := range []string{"", "main.js", "api/session", "missing"} {
		answer, _ := get(t, url+path, nil)
		p := answer.Header.Get("Content-Security-Policy")
		if !strings.Contains(p, "default-src 'none'") || !strings.Contains(p, "script-src 'self';") || strings.Contains(p, "unsafe") {
			t.Errorf("/%s: policy %q", path, p)
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"} {
			if got := answer.Header.Get(name); got != want {
				t.Errorf("/%s: %s is %q, want %q", path, name, got, want)
			}
		}
	}
	outside := regexp.MustCompile(`https?://[^\s"']+`)
	err := fs.WalkDir(assets, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		code, err := fs.ReadFile(assets, path)
		for _, address := range outside.FindAll(code, -1) {
			if string(address) != "http://www.w3.org/2000/svg" { // a name, not an address
				t.Errorf("%s names %s", path, address)
			}
		}
		if filepath.Ext(path) == ".html" && regexp.MustCompile(`(?i)<script>|<style| style=| on\w+=`).Match(code) {
			t.Errorf("%s has inline code or styles", path)
		}
		if regexp.MustCompile(`innerHTML|\beval\(|document\.write|new Function`).Match(code) {
			t.Errorf("%s makes markup or code of text", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestRoots looks for ways out of the folders that were given.
func TestRoots(t *testing.T) {
	base := t.TempDir()
	inside, outside := filepath.Join(base, "inside"), filepath.Join(base, "inside-not")
	for _, dir := range []string{inside, outside} {
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		writeFlows(t, dir, 2, 8, 6)
	}
	secret := filepath.Join(outside, "000000.flo")
	if err := os.Remove(filepath.Join(inside, "000001.flo")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, filepath.Join(inside, "000001.flo")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("000000.flo", filepath.Join(inside, "000002.flo")); err != nil {
		t.Fatal(err)
	}
	v, url := serve(t, Sources{Paths: []string{inside}})
	for number, want := range map[string]int{"0": http.StatusOK, "1": http.StatusUnprocessableEntity, "2": http.StatusOK} {
		answer, body := get(t, url+"api/field?item=0&result=0&number="+number, nil)
		wantStatus(t, "file "+number, answer, want)
		if want != http.StatusOK && !strings.Contains(body, ErrOutside.Error()) {
			t.Errorf("file %s: %s", number, body)
		}
	}
	for _, path := range []string{secret, outside, base, "/etc/passwd", inside + "/../inside-not/000000.flo"} {
		wantError(t, v.roots.check(path), ErrOutside)
	}
	// A link that is changed after the viewer has started leads nowhere either.
	if err := os.Rename(inside, inside+"2"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, inside); err != nil {
		t.Fatal(err)
	}
	answer, body := get(t, url+"api/field?item=0&result=0&number=0", nil)
	wantStatus(t, "a changed folder", answer, http.StatusUnprocessableEntity)
	if !strings.Contains(body, ErrOutside.Error()) {
		t.Error(body)
	}
	for _, path := range []string{"../../etc/passwd", "..%2f..%2fetc%2fpasswd", "assets/../../guard.go", "api/../../../etc/passwd"} {
		answer, body := get(t, url+path, func(r *http.Request) { r.URL.Opaque = r.URL.Path })
		if answer.StatusCode == http.StatusOK || strings.Contains(body, "root:") {
			t.Errorf("%s: status %d", path, answer.StatusCode)
		}
	}
}

// TestPicturesStayInside has a folder of pictures with a link to another one.
func TestPicturesStayInside(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, "pictures")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	f := chart(16, 16)
	p := newPacket(f, 0, 1)
	data, err := asJPEG(pictureOf(p))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(dir, "0.jpg"), filepath.Join(base, "secret.jpg")} {
		if err := os.WriteFile(path, data.body, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	ask := func() string {
		_, url := serve(t, Sources{Paths: []string{writeFlows(t, t.TempDir(), 1, 16, 16)}, Input: dir})
		_, body := get(t, url+"api/frame?item=0&number=0", nil)
		return body
	}
	if !bytes.HasPrefix([]byte(ask()), []byte{0xff, 0xd8}) {
		t.Error("the picture is not shown")
	}
	if err := os.Symlink("../secret.jpg", filepath.Join(dir, "1.jpg")); err != nil {
		t.Fatal(err)
	}
	if body := ask(); !strings.Contains(body, ErrOutside.Error()) {
		t.Errorf("a link to a picture outside: %.80q", body)
	}
}
