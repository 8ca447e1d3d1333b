package auth

import (
	"net/http"
	"strings"
	"time"
	"unicode"

	"wavedeck/handlers/audit"
	"wavedeck/handlers/present"
	"wavedeck/handlers/web"
	"wavedeck/store/appdb"
	"wavedeck/views"
)

// maxCalled is how long a name may be that somebody gives themselves.
const maxCalled = 60

// showLogin is the sign-in page. Who is in already goes on.
func (h *Handler) showLogin(w http.ResponseWriter, r *http.Request) error {
	next := h.inside(r.URL.Query().Get("next"))
	if web.Admitted(r) {
		http.Redirect(w, r, orRuns(h, next), http.StatusSeeOther) //nolint:gosec // checked by inside
		return nil
	}
	h.writeLogin(w, r, http.StatusOK, views.LoginView{Next: next})
	return nil
}

func orRuns(h *Handler, next string) string {
	if next == "" {
		return h.Paths.Runs(nil)
	}
	return next
}

func (h *Handler) writeLogin(w http.ResponseWriter, r *http.Request, status int, v views.LoginView) {
	v.Paths = h.Paths
	w.Header().Set("Cache-Control", "no-store")
	h.WriteHTML(w, r, status, views.LoginPage(v))
}

// signIn takes the token out of the form and gives a session for it.
func (h *Handler) signIn(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); web.CutOff(err) {
		return err
	} else if err != nil {
		return &web.Error{Status: http.StatusBadRequest, Text: "the form cannot be read", Next: "Send it as the sign-in page does.", Err: err}
	}
	v := views.LoginView{Next: h.inside(r.PostForm.Get("next")), Name: called(r.PostForm.Get("name"))}
	if !h.gate.On {
		http.Redirect(w, r, orRuns(h, v.Next), http.StatusSeeOther)
		return nil
	}
	from := web.VisitorOf(r).From
	if !h.gate.right(strings.TrimSpace(r.PostForm.Get("token"))) {
		wait := h.gate.guesses.wrong(from, h.Now())
		h.auditWrongToken(web.WithVisitor(r, web.Visitor{Who: "nobody", Says: v.Name, From: from}), "sign-in", wait)
		failure := &web.Error{Status: http.StatusUnauthorized, Text: "Wrong token."}
		if wait > 0 {
			failure = web.Describe(tooMany(w, wait))
		} else {
			w.Header().Set("WWW-Authenticate", `Bearer realm="wavedeck"`)
		}
		v.Problem = failure.Sentence()
		h.writeLogin(w, r, failure.Status, v)
		return nil
	}
	session := h.gate.Sessions.Begin(v.Name, h.Now())
	h.gate.here.set(session.ID, sessionBegun)
	h.setSession(w, r, session)
	noted := &audit.Record{Entry: appdb.Entry{Who: "nobody"}}
	h.Append(web.WithVisitor(r, web.Visitor{Who: "token:" + h.gate.Name, Says: v.Name, From: from}), "sign-in", noted, &web.Error{Status: http.StatusSeeOther})
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, orRuns(h, v.Next), http.StatusSeeOther)
	return nil
}

// called is a name as somebody gave it, in one line and not too long.
func called(name string) string {
	name = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(name, ""), func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsGraphic(r) }), " ")
	return present.Clip(name, maxCalled)
}

// signOut ends the session, for every server with these data, and takes what the
// browser kept of the pages.
func (h *Handler) signOut(w http.ResponseWriter, r *http.Request) error {
	if session := sessionOf(r); session != nil {
		h.gate.here.set(session.ID, sessionEnded)
		until := time.Unix(session.Begun, 0).Add(SessionWhole)
		if err := h.Data.EndSession(r.Context(), session.ID, until, h.Now()); err != nil {
			h.Log.WarnContext(r.Context(), "failed to record a sign-out: another console on this folder accepts its cookie", "err", err)
		}
		cookie := h.sessionCookie(r) //nolint:gosec // it sets them all
		cookie.MaxAge = -1
		http.SetCookie(w, cookie)
	}
	if h.Access.Proxies.Secure(r) || web.Loopback(web.HostName(r.Host)) { // elsewhere browsers complain about it
		w.Header().Set("Clear-Site-Data", `"cache"`)
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, h.Paths.Login(""), http.StatusSeeOther)
	return nil
}
