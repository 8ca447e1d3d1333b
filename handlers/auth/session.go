package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"wavedeck/handlers/web"
)

// How long a session lasts when nobody uses it, how long when somebody does,
// and how old it is before it is renewed.
const (
	SessionIdle  = 12 * time.Hour
	SessionWhole = 7 * 24 * time.Hour
	sessionFresh = time.Hour
)

// session is what the cookie of a browser says, signed with a key that only
// servers with the same token have. Nothing of it is kept here, so that any of
// them accepts it; only that somebody signed out is in the console's data.
type session struct {
	ID    string `json:"i"`
	Name  string `json:"n,omitempty"` // what the visitor called themselves
	Begun int64  `json:"b"`           // unix seconds
	Until int64  `json:"u"`           // unix seconds
}

// Sessions writes and reads cookies.
type Sessions struct {
	key    []byte
	Cookie string // its name: consoles on other ports of one host have others
}

// NewSessions makes the sessions of a console whose token is called name. Their key comes from the token, so
// that any server with the same token accepts them.
func NewSessions(token, name string) Sessions {
	mac := hmac.New(sha256.New, []byte(token))
	mac.Write([]byte("wavedeck session key 1"))
	return Sessions{key: mac.Sum(nil), Cookie: "wavedeck-" + name}
}

// Begin makes a session for a person who gave a name.
func (k Sessions) Begin(name string, now time.Time) *session {
	return &session{ID: rand.Text(), Name: name, Begun: now.Unix(), Until: now.Add(SessionIdle).Unix()}
}

func (k Sessions) sign(payload string) string {
	mac := hmac.New(sha256.New, k.key)
	mac.Write([]byte(payload))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Encode is the value of a session's cookie: what it holds, and a signature.
func (k Sessions) Encode(s *session) string {
	plain, err := json.Marshal(s)
	if err != nil {
		return "" // strings and numbers always encode
	}
	payload := base64.RawURLEncoding.EncodeToString(plain)
	return payload + "." + k.sign(payload)
}

// decode returns the session in a cookie's value, nil when it is none, is not
// ours or is over.
func (k Sessions) decode(value string, now time.Time) *session {
	payload, signature, ok := strings.Cut(value, ".")
	if !ok || !hmac.Equal([]byte(signature), []byte(k.sign(payload))) {
		return nil
	}
	plain, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return nil
	}
	var s session
	if json.Unmarshal(plain, &s) != nil || now.Unix() >= s.Until || s.ID == "" {
		return nil
	}
	return &s
}

type sessionKey struct{}

func withSession(r *http.Request, session *session) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), sessionKey{}, session))
}

// sessionOf is the session that the request was let in with; nil without one.
func sessionOf(r *http.Request) *session {
	session, _ := r.Context().Value(sessionKey{}).(*session)
	return session
}

// session is that of the request, nil when there is none that counts.
func (h *Handler) session(r *http.Request) *session {
	for _, cookie := range r.CookiesNamed(h.gate.Sessions.Cookie) {
		if found := h.gate.Sessions.decode(cookie.Value, h.Now()); found != nil && !h.signedOut(r.Context(), found) {
			return found
		}
	}
	return nil
}

// signedOut reports whether the session was ended before its time, here or by
// another server. While that cannot be read only sessions that began here count,
// until they are signed out here: any other may have been signed out.
func (h *Handler) signedOut(ctx context.Context, session *session) bool {
	// Who leaves at this moment must not be taken for one whose session cannot be looked up.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.Budgets.SignedOut)
	defer cancel()
	ended, err := h.Data.SessionEnded(ctx, session.ID)
	here, known := h.gate.here.state(session.ID)
	if err != nil {
		return !known || here != sessionBegun
	}
	return ended || here == sessionEnded
}

// maxHere bounds how many sessions a process remembers; the oldest are forgotten first.
const maxHere = 4096

// sessionState is what this process itself knows of a session.
type sessionState int

const (
	sessionBegun sessionState = iota + 1 // here, by signing in
	sessionEnded                         // here, by signing out
)

// ownSessions are the sessions that began or ended in this process.
type ownSessions struct {
	mu    sync.Mutex
	known map[string]sessionState
	order []string // of ids, the oldest first
}

func (o *ownSessions) set(id string, state sessionState) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.known == nil {
		o.known = map[string]sessionState{}
	}
	if _, there := o.known[id]; !there {
		o.order = append(o.order, id)
	}
	o.known[id] = state
	if len(o.order) > maxHere {
		delete(o.known, o.order[0])
		o.order = o.order[1:]
	}
}

func (o *ownSessions) state(id string) (state sessionState, known bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	state, known = o.known[id]
	return state, known
}

func (h *Handler) setSession(w http.ResponseWriter, r *http.Request, session *session) {
	cookie := h.sessionCookie(r) //nolint:gosec // it sets them all
	cookie.Value = h.gate.Sessions.Encode(session)
	cookie.MaxAge = int(session.Until - h.Now().Unix())
	http.SetCookie(w, cookie)
}

// sessionCookie is sent along by who follows a link from another site (Lax), so that
// they arrive. What else pages of others could do with it, isolated and SameOrigin refuse.
func (h *Handler) sessionCookie(r *http.Request) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure is so wherever the connection is
		Name: h.gate.Sessions.Cookie, Path: string(h.Paths) + "/",
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: h.Access.Proxies.Secure(r),
	}
}

// renew prolongs a session that is in use.
func (h *Handler) renew(w http.ResponseWriter, r *http.Request, old *session) {
	now := h.Now()
	until := min(now.Add(SessionIdle).Unix(), old.Begun+int64(SessionWhole/time.Second))
	if until-old.Until < int64(sessionFresh/time.Second) {
		return
	}
	longer := *old
	longer.Until = until
	h.setSession(w, r, &longer)
}

// sessionCheck is how often a stream asks whether its session still counts.
const sessionCheck = 10 * time.Second

// WhileSignedIn ends a stream with the session that it was opened in.
func (h *Handler) WhileSignedIn(next web.HandlerFunc) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		session := sessionOf(r)
		if session == nil {
			return next(w, r)
		}
		ctx, cancel := context.WithCancel(r.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			tick := time.NewTicker(sessionCheck)
			defer tick.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
					// A session that is used is prolonged in the browser, not here: only its whole length ends a stream.
					if h.Now().Unix() >= session.Begun+int64(SessionWhole/time.Second) || h.signedOut(ctx, session) {
						cancel()
						return
					}
				}
			}
		}()
		err := next(w, r.WithContext(ctx))
		cancel()
		<-ended
		return err
	}
}
