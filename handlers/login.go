package handlers

import (
	"net/http"
	"strings"
	"time"
	"unicode"

	"wavedeck/store/appdb"
	"wavedeck/views"
)

// maxCalled is how long a name may be that somebody gives themselves.
const maxCalled = 60

// showLogin is the sign-in page. Who is in already goes on.
func (s *Server) showLogin(w http.ResponseWriter, r *http.Request) error {
	next := s.inside(r.URL.Query().Get("next"))
	if known(r) {
		http.Redirect(w, r, orRuns(s, next), http.StatusSeeOther) //nolint:gosec // inside has looked at it
		return nil
	}
	s.writeLogin(w, r, http.StatusOK, views.LoginView{Next: next})
	return nil
}

func orRuns(s *Server, next string) string {
	if next == "" {
		return s.paths.Runs(nil)
	}
	return next
}

func (s *Server) writeLogin(w http.ResponseWriter, r *http.Request, status int, v views.LoginView) {
	v.Paths = s.paths
	w.Header().Set("Cache-Control", "no-store")
	s.writeHTML(w, r, status, views.LoginPage(v))
}

// signIn takes the token out of the form and gives a session for it.
func (s *Server) signIn(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); cutOff(err) {
		return err
	} else if err != nil {
		return &httpError{status: http.StatusBadRequest, text: "the form cannot be read", next: "Send it as the sign-in page does.", err: err}
	}
	v := views.LoginView{Next: s.inside(r.PostForm.Get("next")), Name: called(r.PostForm.Get("name"))}
	if !s.gate.on {
		http.Redirect(w, r, orRuns(s, v.Next), http.StatusSeeOther)
		return nil
	}
	from := visitorOf(r).from
	if !s.gate.right(strings.TrimSpace(r.PostForm.Get("token"))) {
		wait := s.gate.guesses.wrong(from, s.now())
		s.auditWrongToken(withVisitor(r, visitor{who: "nobody", says: v.Name, from: from}), "sign-in", wait)
		told := &httpError{status: http.StatusUnauthorized, text: "This is not the token."}
		if wait > 0 {
			told = describe(tooMany(w, wait))
		} else {
			w.Header().Set("WWW-Authenticate", `Bearer realm="wavedeck"`)
		}
		v.Problem = told.sentence()
		s.writeLogin(w, r, told.status, v)
		return nil
	}
	session := s.gate.sessions.begin(v.Name, s.now())
	s.gate.here.set(session.ID, sessionBegun)
	s.setSession(w, r, session)
	noted := &act{entry: appdb.Entry{Who: "nobody"}}
	s.audit(withVisitor(r, visitor{who: "token:" + s.gate.name, says: v.Name, from: from}), "sign-in", noted, &httpError{status: http.StatusSeeOther})
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, orRuns(s, v.Next), http.StatusSeeOther)
	return nil
}

// called is a name as somebody gave it, in one line and not too long.
func called(name string) string {
	name = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(name, ""), func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsGraphic(r) }), " ")
	return clip(name, maxCalled)
}

// signOut ends the session, for every server on this desk, and takes what the
// browser kept of the pages.
func (s *Server) signOut(w http.ResponseWriter, r *http.Request) error {
	if session := visitorOf(r).session; session != nil {
		s.gate.here.set(session.ID, sessionEnded)
		until := time.Unix(session.Begun, 0).Add(sessionWhole)
		if err := s.desk.EndSession(r.Context(), session.ID, until, s.now()); err != nil {
			s.log.WarnContext(r.Context(), "that a session was signed out is not kept: another console on this folder accepts its cookie", "error", err)
		}
		cookie := s.sessionCookie(r) //nolint:gosec // it sets them all
		cookie.MaxAge = -1
		http.SetCookie(w, cookie)
	}
	if s.proxies.secure(r) || loopback(hostName(r.Host)) { // elsewhere browsers complain about it
		w.Header().Set("Clear-Site-Data", `"cache"`)
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, s.paths.Login(""), http.StatusSeeOther)
	return nil
}
