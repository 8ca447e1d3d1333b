package auth

import (
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

	"wavedeck/handlers/audit"
	"wavedeck/handlers/web"
	"wavedeck/store/appdb"
)

// Authenticator decides who may ask. Without a token everybody may: the console is then
// bound to loopback, and other sites are kept out by Host and origin.
type Authenticator struct {
	hash     [sha256.Size]byte // of the token
	Name     string            // label of the token where its value must stay secret
	On       bool
	Sessions Sessions
	here     ownSessions
	guesses  loginLimit
	noted    *rate.Limiter // entries in the audit log about wrong tokens, from all addresses
	unnoted  atomic.Uint64 // wrong tokens since the last of them
}

// NewAuthenticator makes an Authenticator for a token; without one everybody is let in.
func NewAuthenticator(token string, l web.Limits) *Authenticator {
	g := &Authenticator{guesses: newLoginLimit(), noted: rate.NewLimiter(rate.Every(l.NotedEvery), l.NotedBurst)}
	if token == "" {
		return g
	}
	g.On, g.hash = true, sha256.Sum256([]byte(token))
	// The token may be short, so its fingerprint is a separate hash.
	public := sha256.Sum256([]byte("wavedeck token name\x00" + token))
	g.Name = hex.EncodeToString(public[:3])
	g.Sessions = NewSessions(token, g.Name)
	return g
}

// right compares in a time that says nothing about where they differ.
func (g *Authenticator) right(token string) bool {
	hash := sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(hash[:], g.hash[:]) == 1
}

// open are the paths that are answered to everybody: those that check
// themselves who asks, and what belongs to the program and not to the project.
// A frame in a page of others has no cookie, so what it loads is among them.
func (h *Handler) open(path string) bool {
	below, ok := strings.CutPrefix(path, string(h.Paths))
	if !ok {
		return false
	}
	if below == "/login" || h.IsPublicAsset(path) {
		return true
	}
	return slices.ContainsFunc([]string{web.EmbedRoot, web.FragmentRoot, web.BadgeRoot}, func(root string) bool { return strings.HasPrefix(below, root+"/t/") })
}

// Authenticate lets in who may ask, and says of everybody else what to do.
func (h *Handler) Authenticate(next http.Handler) http.Handler {
	refuse := web.HandlerFunc(h.askToSignIn).Served(h.Kit)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from := h.Access.Proxies.Client(r)
		if !h.gate.On {
			next.ServeHTTP(w, web.WithVisitor(r, web.Visitor{Who: "local", From: from}))
			return
		}
		stranger := web.WithVisitor(r, web.Visitor{Who: "nobody", From: from})
		// Other schemes are between the client and a proxy.
		if scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") {
			if h.gate.right(strings.TrimSpace(token)) {
				next.ServeHTTP(w, web.WithVisitor(r, web.Visitor{Who: "token:" + h.gate.Name, From: from}))
				return
			}
			wait := h.gate.guesses.wrong(from, h.Now())
			h.auditWrongToken(stranger, ActionBearer, wait)
			if wait > 0 {
				web.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) error { return tooMany(w, wait) }).Served(h.Kit).ServeHTTP(w, stranger)
				return
			}
			refuse.ServeHTTP(w, stranger)
			return
		}
		if session := h.session(r); session != nil {
			h.renew(w, r, session)
			next.ServeHTTP(w, withSession(web.WithVisitor(r, web.Visitor{Who: "token:" + h.gate.Name, Says: session.Name, From: from}), session))
			return
		}
		if h.open(r.URL.Path) {
			next.ServeHTTP(w, stranger)
			return
		}
		refuse.ServeHTTP(w, stranger)
	})
}

// ActionBearer is what the audit log calls a request with a wrong token.
const ActionBearer = "token"

// auditWrongToken notes a wrong token in the audit log with the address that it
// came from. Each address has as many entries as it may be wrong, and all of them
// together no more than that either: the next entry says how many had none.
func (h *Handler) auditWrongToken(r *http.Request, action string, wait time.Duration) {
	if wait > 0 || !h.gate.noted.AllowN(h.Now(), 1) {
		h.gate.unnoted.Add(1)
		return
	}
	noted := &audit.Record{Entry: appdb.Entry{Who: "nobody"}}
	if n := h.gate.unnoted.Swap(0); n > 0 {
		noted.Note(strconv.FormatUint(n, 10) + " more wrong tokens were not recorded since the entry before")
	}
	h.Append(r, action, noted, &web.Error{Status: http.StatusUnauthorized, Text: "wrong token"})
}

// askToSignIn answers who was not let in: a browser is led to the sign-in page,
// a program gets the header to send.
func (h *Handler) askToSignIn(w http.ResponseWriter, r *http.Request) error {
	header := w.Header()
	header.Set("WWW-Authenticate", `Bearer realm="wavedeck"`)
	header.Set("Cache-Control", "no-store")
	login := h.Paths.Login("")
	switch {
	case r.Header.Get("HX-Request") == "true": //nolint:canonicalheader // as htmx spells it
		login = h.Paths.Login(h.pathOf(r.Header.Get("HX-Current-URL"))) //nolint:canonicalheader // as htmx spells it
		header.Set("HX-Redirect", login)                                //nolint:canonicalheader // as htmx reads it
	case (r.Method == http.MethodGet || r.Method == http.MethodHead) && strings.Contains(r.Header.Get("Accept"), "text/html") &&
		!strings.HasPrefix(r.URL.Path, h.Paths.API()) && !h.Below(r, web.EmbedRoot) && !h.Below(r, web.FragmentRoot): // where a sign-in page could not be shown
		header.Del("WWW-Authenticate")
		http.Redirect(w, r, h.Paths.Login(h.pathOf(r.URL.RequestURI())), http.StatusSeeOther) //nolint:gosec // our own page
		return nil
	}
	return &web.Error{
		Status: http.StatusUnauthorized, Text: "authentication required",
		Next: "Send Authorization: Bearer TOKEN, or sign in at " + login + ".",
	}
}

func tooMany(w http.ResponseWriter, wait time.Duration) error {
	seconds := int64((wait + time.Second - 1) / time.Second)
	w.Header().Set("Retry-After", strconv.FormatInt(seconds, 10))
	return &web.Error{
		Status: http.StatusTooManyRequests, Text: "too many failed sign-ins from this address",
		Next: "Wait " + strconv.FormatInt(seconds, 10) + " seconds.",
	}
}

// pathOf is the path in the address of a page of this program, to go back to.
func (h *Handler) pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return h.inside(u.RequestURI())
}

// inside returns target when a redirect to it stays in this console, else
// nothing. A browser reads "//host" and "/\host" as other sites, and drops tabs
// and line ends before it looks.
func (h *Handler) inside(target string) string {
	if len(target) > 2000 || !strings.HasPrefix(target, string(h.Paths)+"/") || strings.HasPrefix(target, "//") || strings.Contains(target, "\\") {
		return ""
	}
	if strings.ContainsFunc(target, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return ""
	}
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Path == h.Paths.Login("") ||
		strings.Contains(u.Path, "//") || slices.Contains(strings.Split(u.Path, "/"), "..") {
		return ""
	}
	return target
}
