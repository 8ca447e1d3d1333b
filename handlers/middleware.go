package handlers

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"
)

// maxBody bounds what a request may carry.
const maxBody = 1 << 20

// contentPolicy lets a page use our own files and nothing else.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// permissionsPolicy switches off what the console never asks a browser for.
const permissionsPolicy = "accelerometer=(), autoplay=(), browsing-topics=(), camera=(), display-capture=(), encrypted-media=(), " +
	"geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), publickey-credentials-get=(), " +
	"screen-wake-lock=(), serial=(), usb=(), xr-spatial-tracking=()"

// wrapped puts around the router what every answer needs, 404 and 405 included:
// the router's own middleware would not run for those.
func (s *Server) wrapped(router http.Handler) http.Handler {
	return identified(s.logged(s.contained(s.secured(s.uncrowded(s.checkHost(s.shared(s.isolated(s.guarded(s.placed(router))))))))))
}

type requestIDKey struct{}

// requestID is the name of this request in the log.
func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

func identified(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := rand.Text()[:10]
		w.Header().Set("X-Request-ID", id)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id)))
	})
}

func (s *Server) secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", contentPolicy)
		header.Set("X-Content-Type-Options", "nosniff")
		// Not no-referrer: forms would then say that they come from nowhere, and be refused.
		header.Set("Referrer-Policy", "same-origin")
		header.Set("Permissions-Policy", permissionsPolicy)
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		if r.TLS != nil && !loopback(hostName(r.Host)) {
			header.Set("Strict-Transport-Security", "max-age=2592000")
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		if r.ContentLength != 0 { // anyone may send a body, if only to sign in, and holds a connection no longer than this
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(s.budgets.Body)) // a writer of a test has none
		}
		next.ServeHTTP(w, r)
	})
}

// checkHost refuses names that are not ours: a page of another site could make
// its own name resolve to this address and read the answers (DNS rebinding).
func (s *Server) checkHost(next http.Handler) http.Handler {
	if s.hosts == nil {
		return next
	}
	refuse := handler(func(_ http.ResponseWriter, r *http.Request) error {
		return &httpError{
			status: http.StatusMisdirectedRequest, text: "this server does not answer to the name " + quoted(clip(r.Host, 80)),
			next: "Open it by its address, or start it with --host NAME when the name is its own.",
		}
	}).served(s)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := hostName(r.Host)
		if _, err := netip.ParseAddr(host); !s.hosts[host] && (err != nil || !s.anyIP) {
			refuse.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostName is the name or address in a Host header.
func hostName(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// contained turns a panic into an error answer of its own request.
func (s *Server) contained(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		defer func() {
			caught := recover()
			if caught == nil {
				return
			}
			if err, ok := caught.(error); ok && err == http.ErrAbortHandler { //nolint:errorlint // the documented sentinel is compared as it is
				panic(caught)
			}
			s.log.ErrorContext(ctx, "panic", "request", requestID(ctx), "value", caught, "stack", string(debug.Stack()))
			if rec, ok := w.(*recorder); ok && rec.status != 0 {
				panic(http.ErrAbortHandler) // half an answer is out: cut the connection rather than pretend
			}
			s.fail(w, r, fmt.Errorf("panic: %v", caught))
		}()
		next.ServeHTTP(w, r)
	})
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	begins   func(status int) // called before anything is written; or nil
	patience *patience        // with who reads; nil: another writer has it
	status   int
	bytes    int64
}

func (w *recorder) begin(status int) {
	if w.status != 0 {
		return
	}
	w.status = status
	w.patience.start()
	if w.begins != nil {
		w.begins(status)
	}
}

func (w *recorder) WriteHeader(status int) {
	w.begin(status)
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	w.begin(http.StatusOK)
	n, err := w.patience.write(w.ResponseWriter, b)
	w.bytes += int64(n)
	return n, err
}

// begun reports whether anything of an answer was written.
func begun(w http.ResponseWriter) bool {
	for {
		switch under := w.(type) {
		case *recorder:
			return under.status != 0
		case interface{ Unwrap() http.ResponseWriter }:
			w = under.Unwrap()
		default:
			return false
		}
	}
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// logged writes one line per request. The query is left out: it may hold what
// an operator searched for.
func (s *Server) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, start := r.Context(), time.Now()
		rec := &recorder{ResponseWriter: w, patience: s.patience(w, r)}
		rec.patience.start()
		defer func() {
			rec.patience.start() // for what is still in a buffer
			s.log.InfoContext(ctx, "request",
				"request", requestID(ctx), "from", s.proxies.client(r), "method", r.Method, "path", s.loggedPath(r),
				"status", rec.status, "bytes", rec.bytes, "took", time.Since(start).Round(time.Microsecond))
		}()
		next.ServeHTTP(rec, r)
	})
}
