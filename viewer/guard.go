package viewer

import (
	"crypto/rand"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// Limits of a server. A page makes a few dozen requests a second while it plays.
const (
	maxHeader     = 8 << 10 // bytes of a request's headers, its address included
	maxRate       = 200     // requests a second
	maxBurst      = 400
	maxConcurrent = 32
	headerTimeout = 5 * time.Second
	writeTimeout  = time.Minute // for sending one answer
)

// policy is the Content-Security-Policy of the page: everything comes from this server, and no script is inline.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// guard answers only requests of the page that this server has sent. It protects against other web sites in the same
// browser, other users of this machine, and names that lead to this machine (DNS rebinding).
type guard struct {
	token string          // the first part of every path
	hosts map[string]bool // names by which the server may be called; addresses are always allowed
	next  http.Handler    // gets paths without the token
	rate  *rate.Limiter
	slots chan struct{}
}

// newToken returns 26 random letters and digits, 130 bits.
func newToken() string { return strings.ToLower(rand.Text()) }

func newGuard(token string, names []string, next http.Handler) *guard {
	g := &guard{token: token, hosts: map[string]bool{"localhost": true}, next: next,
		rate: rate.NewLimiter(maxRate, maxBurst), slots: make(chan struct{}, maxConcurrent)}
	for _, name := range names {
		g.hosts[strings.ToLower(name)] = true
	}
	return g
}

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer") // the address has the token
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if status, reason := g.refuse(r); status != 0 {
		http.Error(w, reason, status)
		return
	}
	select {
	case g.slots <- struct{}{}:
		defer func() { <-g.slots }()
	default:
		http.Error(w, "too many requests at the same time", http.StatusServiceUnavailable)
		return
	}
	stripped := r.Clone(r.Context())
	stripped.URL.Path = "/" + strings.TrimPrefix(r.URL.Path, "/"+g.token+"/")
	g.next.ServeHTTP(w, stripped)
}

// refuse returns the status and the reason for a request that is not answered, or 0.
func (g *guard) refuse(r *http.Request) (status int, reason string) {
	switch {
	case !g.knowsHost(r.Host):
		return http.StatusMisdirectedRequest, "this server is not called " + r.Host
	case !sameOrigin(r):
		return http.StatusForbidden, "requests from other sites are refused"
	case !g.rate.Allow():
		return http.StatusTooManyRequests, "too many requests"
	case !g.knowsToken(r.URL.Path):
		return http.StatusNotFound, "use the address that wwflow view has printed"
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return http.StatusMethodNotAllowed, "only GET and HEAD are allowed"
	case r.ContentLength != 0:
		return http.StatusRequestEntityTooLarge, "requests have no body here"
	}
	return 0, ""
}

// knowsHost reports whether the Host header is an address or a known name. A name that somebody else has made lead to
// this machine is neither.
func (g *guard) knowsHost(host string) bool {
	name := host
	if without, _, err := net.SplitHostPort(host); err == nil {
		name = without
	}
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return true
	}
	return g.hosts[strings.ToLower(name)]
}

// sameOrigin refuses requests that scripts, pictures or forms of other sites make. A link to the page may be anywhere.
func sameOrigin(r *http.Request) bool {
	if origin := r.Header.Get("Origin"); origin != "" {
		u, err := url.Parse(origin)
		return err == nil && u.Host == r.Host && u.Host != ""
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return true
	}
	return r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
}

func (g *guard) knowsToken(path string) bool {
	first, _, found := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return found && subtle.ConstantTimeCompare([]byte(first), []byte(g.token)) == 1
}
