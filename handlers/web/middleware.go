package web

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"wavedeck/handlers/present"
)

// maxBody bounds what a request may carry.
const maxBody = 1 << 20

// ContentPolicy lets a page use our own files and nothing else.
const ContentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// permissionsPolicy switches off what the console never asks a browser for.
const permissionsPolicy = "accelerometer=(), autoplay=(), browsing-topics=(), camera=(), display-capture=(), encrypted-media=(), " +
	"geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), publickey-credentials-get=(), " +
	"screen-wake-lock=(), serial=(), usb=(), xr-spatial-tracking=()"

type requestIDKey struct{}

// RequestID is the name of this request in the log.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// NameRequests gives each request an id, for the log and for whoever asked.
func NameRequests(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := rand.Text()[:10]
		w.Header().Set("X-Request-ID", id)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id)))
	})
}

// SetHeaders sets the headers of every answer, and bounds what a request may carry.
func (k *Kit) SetHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", ContentPolicy)
		header.Set("X-Content-Type-Options", "nosniff")
		// Not no-referrer: forms would then say that they come from nowhere, and be refused.
		header.Set("Referrer-Policy", "same-origin")
		header.Set("Permissions-Policy", permissionsPolicy)
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		if r.TLS != nil && !Loopback(HostName(r.Host)) {
			header.Set("Strict-Transport-Security", "max-age=2592000")
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		if r.ContentLength != 0 { // anyone may send a body, if only to sign in, and holds a connection no longer than this
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(k.Budgets.Body)) // a writer of a test has none
		}
		next.ServeHTTP(w, r)
	})
}

// CheckHost refuses names that are not ours: a page of another site could make
// its own name resolve to this address and read the answers (DNS rebinding).
func (k *Kit) CheckHost(next http.Handler) http.Handler {
	if k.Access.Hosts == nil {
		return next
	}
	refuse := HandlerFunc(func(_ http.ResponseWriter, r *http.Request) error {
		return &Error{
			Status: http.StatusMisdirectedRequest, Text: "this server does not answer to the name " + Quoted(present.Clip(r.Host, 80)),
			Next: "Open it by its address, or start it with --host NAME when the name is its own.",
		}
	}).Served(k)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := HostName(r.Host)
		if _, err := netip.ParseAddr(host); !k.Access.Hosts[host] && (err != nil || !k.Access.AnyIP) {
			refuse.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// HostName is the name or address in a Host header.
func HostName(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
}

// Loopback reports whether a host is this machine itself.
func Loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// Recover turns a panic into an error answer of its own request.
func (k *Kit) Recover(next http.Handler) http.Handler {
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
			k.Log.ErrorContext(ctx, "panic", "request", RequestID(ctx), "value", caught, "stack", string(debug.Stack()))
			if rec, ok := w.(*Recorder); ok && rec.Status != 0 {
				panic(http.ErrAbortHandler) // half an answer is out: cut the connection rather than pretend
			}
			k.Fail(w, r, fmt.Errorf("panic: %v", caught))
		}()
		next.ServeHTTP(w, r)
	})
}

// Recorder remembers what was answered.
type Recorder struct {
	http.ResponseWriter
	Begins   func(status int) // called before anything is written; or nil
	patience *writeDeadline   // with who reads; nil: another writer has it
	Status   int
	bytes    int64
}

func (w *Recorder) begin(status int) {
	if w.Status != 0 {
		return
	}
	w.Status = status
	w.patience.start()
	if w.Begins != nil {
		w.Begins(status)
	}
}

// WriteHeader notes the status and passes it on.
func (w *Recorder) WriteHeader(status int) {
	w.begin(status)
	w.ResponseWriter.WriteHeader(status)
}

// Write counts the bytes and passes them on, piece by piece.
func (w *Recorder) Write(b []byte) (int, error) {
	w.begin(http.StatusOK)
	n, err := w.patience.write(w.ResponseWriter, b)
	w.bytes += int64(n)
	return n, err
}

// begun reports whether anything of an answer was written.
func begun(w http.ResponseWriter) bool {
	for {
		switch under := w.(type) {
		case *Recorder:
			return under.Status != 0
		case interface{ Unwrap() http.ResponseWriter }:
			w = under.Unwrap()
		default:
			return false
		}
	}
}

// Unwrap lets http.ResponseController reach the connection.
func (w *Recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// LogRequests writes one line per request. The query is left out: it may hold what
// an operator searched for.
func (k *Kit) LogRequests(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, start := r.Context(), time.Now()
		rec := &Recorder{ResponseWriter: w, patience: k.writeDeadline(w, r)}
		rec.patience.start()
		defer func() {
			rec.patience.start() // for what is still in a buffer
			k.Log.InfoContext(ctx, "request",
				"request", RequestID(ctx), "from", k.Access.Proxies.Client(r), "method", r.Method, "path", k.loggedPath(r),
				"status", rec.Status, "bytes", rec.bytes, "took", time.Since(start).Round(time.Microsecond))
		}()
		next.ServeHTTP(rec, r)
	})
}

// loggedPath is the path of a request as the log has it: of a token only its
// name, when it is one of ours.
func (k *Kit) loggedPath(r *http.Request) string {
	path := r.URL.Path
	for _, root := range []string{EmbedRoot, FragmentRoot, BadgeRoot} {
		if before, after, found := strings.Cut(path, root+"/t/"); found {
			token, rest, _ := strings.Cut(after, "/")
			return before + root + "/t/" + cmp.Or(k.Frame.TokenName(token), "…") + "/" + rest
		}
	}
	return path
}
