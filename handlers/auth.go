package handlers

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"wavedeck/store/appdb"
)

// gate decides who may ask. Without a token everybody may: the console is then
// bound to loopback, and other sites are kept out by Host and origin.
type gate struct {
	hash     [sha256.Size]byte // of the token
	name     string            // what the token is called where it must not be told
	on       bool
	sessions sessions
	here     ownSessions
	guesses  guesses
	noted    *rate.Limiter // entries in the audit log about wrong tokens, from all addresses
	unnoted  atomic.Uint64 // wrong tokens since the last of them
}

func newGate(token string, l Limits) *gate {
	g := &gate{guesses: newGuesses(), noted: rate.NewLimiter(rate.Every(l.NotedEvery), l.NotedBurst)}
	if token == "" {
		return g
	}
	g.on, g.hash = true, sha256.Sum256([]byte(token))
	// The token may be short, so what is told of it comes from a hash of its own.
	public := sha256.Sum256([]byte("wavedeck token name\x00" + token))
	g.name = hex.EncodeToString(public[:3])
	g.sessions = newSessions(token, g.name)
	return g
}

// right compares in a time that says nothing about where they differ.
func (g *gate) right(token string) bool {
	hash := sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(hash[:], g.hash[:]) == 1
}

type visitorKey struct{}

// visitor is who asks, as far as it is known.
type visitor struct {
	who     string // "local", or "token:" and the token's name
	says    string // the name they gave, which nobody checked
	from    string // address
	session *session
}

// visitorOf is who asks. Of a request that was not let in only the address is known.
func visitorOf(r *http.Request) visitor {
	if v, ok := r.Context().Value(visitorKey{}).(visitor); ok {
		return v
	}
	return visitor{who: "nobody", from: remoteIP(r)}
}

// known reports whether the request was let in, so that an answer may tell
// where things are.
func known(r *http.Request) bool { return visitorOf(r).who != "nobody" }

// open are the paths that are answered to everybody: those that check
// themselves who asks, and what belongs to the program and not to the project.
// A frame in a page of others has no cookie, so what it loads is among them.
func (s *Server) open(path string) bool {
	below, ok := strings.CutPrefix(path, string(s.paths))
	if !ok {
		return false
	}
	if below == "/login" || s.isPublicAsset(path) {
		return true
	}
	return slices.ContainsFunc([]string{embedRoot, fragmentRoot, badgeRoot}, func(root string) bool { return strings.HasPrefix(below, root+"/t/") })
}

// guarded lets in who may ask, and says of everybody else what to do.
func (s *Server) guarded(next http.Handler) http.Handler {
	refuse := handler(s.askToSignIn).served(s)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from := s.proxies.client(r)
		if !s.gate.on {
			next.ServeHTTP(w, withVisitor(r, visitor{who: "local", from: from}))
			return
		}
		stranger := withVisitor(r, visitor{who: "nobody", from: from})
		// Other schemes are between the client and a proxy.
		if scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") {
			if s.gate.right(strings.TrimSpace(token)) {
				next.ServeHTTP(w, withVisitor(r, visitor{who: "token:" + s.gate.name, from: from}))
				return
			}
			wait := s.gate.guesses.wrong(from, s.now())
			s.auditWrongToken(stranger, actionBearer, wait)
			if wait > 0 {
				handler(func(w http.ResponseWriter, _ *http.Request) error { return tooMany(w, wait) }).served(s).ServeHTTP(w, stranger)
				return
			}
			refuse.ServeHTTP(w, stranger)
			return
		}
		if session := s.session(r); session != nil {
			s.renew(w, r, session)
			next.ServeHTTP(w, withVisitor(r, visitor{who: "token:" + s.gate.name, says: session.Name, from: from, session: session}))
			return
		}
		if s.open(r.URL.Path) {
			next.ServeHTTP(w, stranger)
			return
		}
		refuse.ServeHTTP(w, stranger)
	})
}

// actionBearer is what the audit log calls a request with a wrong token.
const actionBearer = "token"

// auditWrongToken notes a wrong token in the audit log with the address that it
// came from. Each address has as many entries as it may be wrong, and all of them
// together no more than that either: the next entry says how many had none.
func (s *Server) auditWrongToken(r *http.Request, action string, wait time.Duration) {
	if wait > 0 || !s.gate.noted.AllowN(s.now(), 1) {
		s.gate.unnoted.Add(1)
		return
	}
	noted := &act{entry: appdb.Entry{Who: "nobody"}}
	if n := s.gate.unnoted.Swap(0); n > 0 {
		noted.note(strconv.FormatUint(n, 10) + " more wrong tokens were not recorded since the entry before")
	}
	s.audit(r, action, noted, &httpError{status: http.StatusUnauthorized, text: "wrong token"})
}

func withVisitor(r *http.Request, v visitor) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), visitorKey{}, v))
}

// askToSignIn answers who was not let in: a browser is led to the sign-in page,
// a program is told how to say who it is.
func (s *Server) askToSignIn(w http.ResponseWriter, r *http.Request) error {
	header := w.Header()
	header.Set("WWW-Authenticate", `Bearer realm="wavedeck"`)
	header.Set("Cache-Control", "no-store")
	login := s.paths.Login("")
	switch {
	case r.Header.Get("HX-Request") == "true": //nolint:canonicalheader // as htmx spells it
		login = s.paths.Login(s.pathOf(r.Header.Get("HX-Current-URL"))) //nolint:canonicalheader // as htmx spells it
		header.Set("HX-Redirect", login)                                //nolint:canonicalheader // as htmx reads it
	case (r.Method == http.MethodGet || r.Method == http.MethodHead) && strings.Contains(r.Header.Get("Accept"), "text/html") &&
		!strings.HasPrefix(r.URL.Path, s.paths.API()) && !s.below(r, embedRoot) && !s.below(r, fragmentRoot): // where a sign-in page could not be shown
		header.Del("WWW-Authenticate")
		http.Redirect(w, r, s.paths.Login(s.pathOf(r.URL.RequestURI())), http.StatusSeeOther) //nolint:gosec // our own page
		return nil
	}
	return &httpError{
		status: http.StatusUnauthorized, text: "this console asks for a token",
		next: "A program sends it as Authorization: Bearer TOKEN, a person signs in at " + login + ".",
	}
}

func tooMany(w http.ResponseWriter, wait time.Duration) error {
	seconds := int64((wait + time.Second - 1) / time.Second)
	w.Header().Set("Retry-After", strconv.FormatInt(seconds, 10))
	return &httpError{
		status: http.StatusTooManyRequests, text: "too many wrong tokens came from this address",
		next: "Wait " + strconv.FormatInt(seconds, 10) + " seconds.",
	}
}

// pathOf is the path in the address of a page of ours, to go back to.
func (s *Server) pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return s.inside(u.RequestURI())
}

// inside returns target when a redirect to it stays in this console, else
// nothing. A browser reads "//host" and "/\host" as other sites, and drops tabs
// and line ends before it looks.
func (s *Server) inside(target string) string {
	if len(target) > 2000 || !strings.HasPrefix(target, string(s.paths)+"/") || strings.HasPrefix(target, "//") || strings.Contains(target, "\\") {
		return ""
	}
	if strings.ContainsFunc(target, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return ""
	}
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Path == s.paths.Login("") ||
		strings.Contains(u.Path, "//") || slices.Contains(strings.Split(u.Path, "/"), "..") {
		return ""
	}
	return target
}
