package viewer

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"time"
)

// Server serves a Viewer on one address.
type Server struct {
	URL string // of the page, with the token

	http     *http.Server
	listener net.Listener
}

// Listen opens an address such as "127.0.0.1:0", where port 0 is any free port. Serve then answers requests.
func (v *Viewer) Listen(address string) (*Server, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	token := newToken()
	host, port, _ := net.SplitHostPort(l.Addr().String())
	var names []string
	if asked, _, err := net.SplitHostPort(address); err == nil && asked != "" {
		names = append(names, asked)
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "127.0.0.1"
		if name, err := os.Hostname(); err == nil { // others call the machine by its name
			names, host = append(names, name), name
		}
	}
	return &Server{
		URL:      "http://" + net.JoinHostPort(host, port) + "/" + token + "/",
		listener: l,
		http: &http.Server{
			Handler:           newGuard(token, names, v.handler()),
			ReadHeaderTimeout: headerTimeout,
			ReadTimeout:       2 * headerTimeout,
			IdleTimeout:       2 * time.Minute,
			MaxHeaderBytes:    maxHeader,
		},
	}, nil
}

// Loopback reports whether only this machine reaches the server.
func (s *Server) Loopback() bool {
	a, ok := s.listener.Addr().(*net.TCPAddr)
	return ok && a.IP.IsLoopback()
}

// Serve answers requests until ctx is done, and then returns nil.
func (s *Server) Serve(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = s.http.Close() }) // an answer in progress is of no use to anybody
	defer stop()
	if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
