package handlers

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"sync"

	"wavedeck/store/appdb"
)

// Bounds of what one audit entry holds.
const (
	maxNoted    = 400 // bytes of one text
	maxParams   = 40
	maxRunNames = 1000
)

// action guards a handler that changes something: it is asked by a page of
// ours or by a program, not on a console that only reads, and what became of it
// is written to the audit log under name.
func (s *Server) action(name string, h handler) handler {
	if name != actionEmbedToken { // which lets read only
		h = s.unlessReadOnly(h)
	}
	return s.audited(name, s.sameOrigin(h))
}

var errElsewhere = errors.New("asked by a page of another site")

// sameOrigin refuses what a page of another site asks for.
// Where a proxy changes the Host header, its other headers tell what is the same.
func (s *Server) sameOrigin(h handler) handler {
	protection := http.NewCrossOriginProtection()
	return func(w http.ResponseWriter, r *http.Request) error {
		ours := r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == s.origin(r)
		if err := protection.Check(r); err != nil && !ours {
			return &httpError{
				status: http.StatusForbidden, text: "this was asked by a page of another site", err: errElsewhere,
				next: "Open the console itself and do it there.",
			}
		}
		return h(w, r)
	}
}

func (s *Server) unlessReadOnly(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if s.readOnly {
			return errReadOnly()
		}
		return h(w, r)
	}
}

// audited writes to the audit log what became of each request, before it is answered. A page of another
// site may ask as often as it likes, and fills the log no faster than who guesses.
func (s *Server) audited(name string, h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) (err error) {
		noted := &act{}
		rec := &recorder{ResponseWriter: w, begins: func(status int) {
			s.audit(r, name, noted, &httpError{status: status, text: noted.said()})
		}}
		told := &httpError{status: http.StatusInternalServerError, text: "something went wrong here"} // a panic
		defer func() {
			elsewhere := errors.Is(err, errElsewhere) && !s.elsewhere.AllowN(s.now(), 1)
			if rec.status == 0 && !elsewhere {
				s.audit(r, name, noted, told)
			}
		}()
		err = h(rec, r.WithContext(context.WithValue(r.Context(), actKey{}, noted)))
		if err != nil {
			told = describe(err)
		} else {
			told = &httpError{status: http.StatusOK, text: noted.said()}
		}
		return err
	}
}

func errReadOnly() error {
	return &httpError{
		status: http.StatusForbidden, text: "this console only reads: it was started with --read-only",
		next: "Ask whoever runs it for one that acts.",
	}
}

type actKey struct{}

// act is what an action says of itself for the audit log. Its texts are
// redacted and bounded when they are written.
type act struct {
	mu    sync.Mutex
	entry appdb.Entry
	text  string // what the client was told, when the answer is a form that says it
}

// acting is the act of the request being answered. Outside an action it goes nowhere.
func acting(ctx context.Context) *act {
	if a, ok := ctx.Value(actKey{}).(*act); ok {
		return a
	}
	return &act{}
}

// on says which run and pipeline the action is about; either may be empty.
func (a *act) on(run, pipeline string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.entry.Run, a.entry.Pipeline = run, pipeline
}

// onRuns says which runs an action on many is about.
func (a *act) onRuns(runs []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.entry.Runs = slices.Clone(runs[:min(len(runs), maxRunNames)])
}

// with notes a parameter.
func (a *act) with(name, value string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.entry.Params == nil {
		a.entry.Params = map[string]string{}
	}
	if len(a.entry.Params) < maxParams {
		a.entry.Params[name] = value
	}
}

// note says what was done, in a few words.
func (a *act) note(text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.entry.Note = text
}

// refused says why a form was answered with the form again.
func (a *act) refused(text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.text = text
}

func (a *act) said() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.text
}

// audit writes the entry of an action that was answered with told. An entry
// that cannot be kept is in the log on stderr: stopping a run on a full disk
// must go on being possible.
func (s *Server) audit(r *http.Request, action string, noted *act, told *httpError) {
	noted.mu.Lock()
	e := noted.entry
	e.Params = maps.Clone(e.Params)
	noted.mu.Unlock()
	visitor := visitorOf(r)
	e.At, e.Action, e.Request = s.now().UTC(), action, requestID(r.Context())
	e.Who, e.Says, e.From = visitor.who, auditText(visitor.says), visitor.from
	e.Run, e.Pipeline, e.Note = auditText(e.Run), auditText(e.Pipeline), auditText(e.Note)
	e.Status, e.Error = told.status, auditText(told.text)
	for i, run := range e.Runs {
		e.Runs[i] = auditText(run)
	}
	for name, value := range e.Params {
		e.Params[name] = auditText(value)
	}
	switch {
	case told.status >= http.StatusInternalServerError:
		e.Result = appdb.Failed
	case told.status >= http.StatusBadRequest:
		e.Result = appdb.Refused
	default:
		e.Result = appdb.Done
	}
	if err := s.desk.Append(e); err != nil {
		s.log.ErrorContext(r.Context(), "audit entry not kept", "entry", e, "error", err)
	}
}

func auditText(text string) string { return clip(shown(clip(text, maxRead)), maxNoted) }
