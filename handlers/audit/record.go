package audit

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"sync"

	"wavedeck/handlers/present"
	"wavedeck/handlers/web"
	"wavedeck/store/appdb"
)

// Bounds of what one audit entry holds.
const (
	MaxText     = 400 // bytes of one text
	maxParams   = 40
	maxRunNames = 1000
)

// Action guards a handler that changes something: it is asked by a page of
// ours or by a program, not on a console that only reads, and what became of it
// is written to the audit log under name.
func (t *Trail) Action(name string, h web.HandlerFunc) web.HandlerFunc {
	if name != ActionEmbedToken { // which lets read only
		h = t.unlessReadOnly(h)
	}
	return t.Audited(name, t.SameOrigin(h))
}

func (t *Trail) unlessReadOnly(h web.HandlerFunc) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		if t.ReadOnly {
			return ErrReadOnly()
		}
		return h(w, r)
	}
}

// Audited writes to the audit log what became of each request, before it is answered. A page of another
// site may ask as often as it likes, and fills the log no faster than who guesses.
func (t *Trail) Audited(name string, h web.HandlerFunc) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) (err error) {
		noted := &Record{}
		rec := &web.Recorder{ResponseWriter: w, Begins: func(status int) {
			t.Append(r, name, noted, &web.Error{Status: status, Text: noted.said()})
		}}
		failure := &web.Error{Status: http.StatusInternalServerError, Text: "internal error"} // a panic
		defer func() {
			elsewhere := errors.Is(err, web.ErrElsewhere) && !t.Elsewhere.AllowN(t.Now(), 1)
			if rec.Status == 0 && !elsewhere {
				t.Append(r, name, noted, failure)
			}
		}()
		err = h(rec, r.WithContext(context.WithValue(r.Context(), recordKey{}, noted)))
		if err != nil {
			failure = web.Describe(err)
		} else {
			failure = &web.Error{Status: http.StatusOK, Text: noted.said()}
		}
		return err
	}
}

// ErrReadOnly is the answer to an action on a console that only reads.
func ErrReadOnly() error {
	return &web.Error{
		Status: http.StatusForbidden, Text: "this console is read-only: it was started with --read-only",
		Next: "Ask its operator for one without --read-only.",
	}
}

type recordKey struct{}

// Record is what an action says of itself for the audit log. Its texts are
// redacted and bounded when they are written.
type Record struct {
	mu    sync.Mutex
	Entry appdb.Entry
	text  string // the answer to the client, when the answer is a form that says it
}

// RecordOf is the act of the request being answered. Outside an action it goes nowhere.
func RecordOf(ctx context.Context) *Record {
	if a, ok := ctx.Value(recordKey{}).(*Record); ok {
		return a
	}
	return &Record{}
}

// About says which run and pipeline the action is about; either may be empty.
func (a *Record) About(run, pipeline string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.Entry.Run, a.Entry.Pipeline = run, pipeline
}

// AboutRuns says which runs an action on many is about.
func (a *Record) AboutRuns(runs []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.Entry.Runs = slices.Clone(runs[:min(len(runs), maxRunNames)])
}

// Param notes a parameter.
func (a *Record) Param(name, value string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.Entry.Params == nil {
		a.Entry.Params = map[string]string{}
	}
	if len(a.Entry.Params) < maxParams {
		a.Entry.Params[name] = value
	}
}

// Note says what was done, in a few words.
func (a *Record) Note(text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.Entry.Note = text
}

// Refused says why a form was answered with the form again.
func (a *Record) Refused(text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.text = text
}

func (a *Record) said() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.text
}

// Append writes the entry of an action and of its answer. An entry
// that cannot be kept is in the log on stderr: stopping a run on a full disk
// must go on being possible.
func (t *Trail) Append(r *http.Request, action string, noted *Record, failure *web.Error) {
	noted.mu.Lock()
	e := noted.Entry
	e.Params = maps.Clone(e.Params)
	noted.mu.Unlock()
	visitor := web.VisitorOf(r)
	e.At, e.Action, e.Request = t.Now().UTC(), action, web.RequestID(r.Context())
	e.Who, e.Says, e.From = visitor.Who, auditText(visitor.Says), visitor.From
	e.Run, e.Pipeline, e.Note = auditText(e.Run), auditText(e.Pipeline), auditText(e.Note)
	e.Status, e.Error = failure.Status, auditText(failure.Text)
	for i, run := range e.Runs {
		e.Runs[i] = auditText(run)
	}
	for name, value := range e.Params {
		e.Params[name] = auditText(value)
	}
	switch {
	case failure.Status >= http.StatusInternalServerError:
		e.Result = appdb.Failed
	case failure.Status >= http.StatusBadRequest:
		e.Result = appdb.Refused
	default:
		e.Result = appdb.Done
	}
	if err := t.Data.Append(e); err != nil {
		t.Log.ErrorContext(r.Context(), "failed to write audit entry", "entry", e, "err", err)
	}
}

func auditText(text string) string {
	return present.Clip(present.Redact(present.Clip(text, present.MaxRead)), MaxText)
}

// ActionEmbedToken is what the audit log calls the making of a token.
const ActionEmbedToken = "embed-token"
