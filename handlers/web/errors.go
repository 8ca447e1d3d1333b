package web

import (
	"context"
	"errors"
	"net/http"
	"os"

	"wavedeck/handlers/present"
	"wavedeck/handlers/runquery"
	"wavedeck/runner"
	"wavedeck/store"
	"wavedeck/store/appdb"
	"wavedeck/store/control"
	"wavedeck/store/criteria"
	"wavedeck/views"
	"wavedeck/views/legible"
)

// describeRun says what became of an action on a run, nil for errors that are
// no action's.
func describeRun(err error) *Error {
	var input *runner.InputError
	var unsupported *runner.UnsupportedError
	var conflict *runner.ConflictError
	var limit *control.LimitError
	switch {
	case errors.As(err, &input):
		return &Error{Status: http.StatusBadRequest, Text: input.Error(), Err: err}
	case errors.As(err, &unsupported):
		return &Error{Status: http.StatusConflict, Text: unsupported.Error(), Next: "Nothing was started.", Err: err}
	case errors.As(err, &conflict):
		return &Error{Status: http.StatusConflict, Text: conflict.Error(), Next: "Nothing was started.", Err: err}
	case errors.As(err, &limit):
		return &Error{
			Status: http.StatusConflict, Text: limit.Error(), Err: err,
			Next: "Nothing was started. Wait for one to end, stop one, or raise max_concurrent_workers in the manifest.",
		}
	case errors.Is(err, control.ErrBusy):
		return &Error{Status: http.StatusServiceUnavailable, Text: "the state database is locked by another process", Next: "Nothing was changed. Try again in a moment.", Err: err}
	case errors.Is(err, control.ErrEnded):
		return &Error{Status: http.StatusConflict, Text: "the run has already ended", Err: err}
	case errors.Is(err, control.ErrTaken):
		return &Error{
			Status: http.StatusConflict, Text: "this key has already started another run", Err: err,
			Next: "A key belongs to one request: use a new one for this.",
		}
	case errors.Is(err, runner.ErrUnknownPipeline):
		return &Error{Status: http.StatusNotFound, Text: "no file defines this pipeline", Next: "It may have been renamed or removed.", Err: err}
	case errors.Is(err, runner.ErrUnavailable):
		return &Error{Status: http.StatusServiceUnavailable, Text: present.Redact(present.Clip(err.Error(), MaxText)), Err: err}
	default:
		return nil
	}
}

// HandlerFunc is a route. What it returns is answered by Server.fail, once, in the
// form that the client reads.
type HandlerFunc func(w http.ResponseWriter, r *http.Request) error

// Error is an answer with its own status. Text is for whoever asked; the
// wrapped error, if any, is for the log only.
type Error struct {
	Status int
	Text   string
	Next   string // what would be right
	Err    error
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Text + ": " + e.Err.Error()
	}
	return e.Text
}

func (e *Error) Unwrap() error { return e.Err }

// StatusClientClosed is nginx's word for a client that left; nobody reads it
// but the log.
const StatusClientClosed = 499

// Describe is the text for a client about an error, in texts that are not long,
// whatever the error quotes.
func Describe(err error) *Error {
	failure := *tableOf(err)
	failure.Text, failure.Next = present.Clip(failure.Text, present.AccountShown), present.Clip(failure.Next, present.AccountShown)
	return &failure
}

// tableOf is the one table from errors to the texts for a client. An error that
// is not in it is ours to explain in the log, not to the client.
func tableOf(err error) *Error {
	var own *Error
	var input *criteria.InputError
	var tooLarge *http.MaxBytesError
	var unavailable *appdb.UnavailableError
	var word *runquery.Error
	var unwritable *control.UnwritableError
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &input):
		return &Error{
			Status: http.StatusBadRequest, Err: err,
			Text: input.Field + " " + Quoted(input.Got) + " cannot be used",
			Next: "It should be " + input.Want + ".",
		}
	case errors.As(err, &word):
		return &Error{Status: http.StatusBadRequest, Err: err, Text: word.Error(), Next: word.Hint()}
	case errors.Is(err, store.ErrNotFound):
		return &Error{Status: http.StatusNotFound, Text: "no such run", Next: "It may have been cleaned up, or belong to another project.", Err: err}
	case errors.Is(err, store.ErrUnjudged):
		return &Error{Status: http.StatusServiceUnavailable, Text: "what needs attention is unknown yet", Next: "All runs are being loaded. Try again in a moment.", Err: err}
	case errors.As(err, &unwritable):
		return &Error{Status: http.StatusServiceUnavailable, Text: "the state database cannot be changed: " + unwritable.Reason, Next: "Nothing was changed.", Err: err}
	case errors.Is(err, store.ErrLocked):
		return &Error{Status: http.StatusServiceUnavailable, Text: "the state database is locked by another process", Next: "It is read again when that process releases it. Try again in a moment.", Err: err}
	case errors.Is(err, store.ErrUnavailable):
		return &Error{Status: http.StatusServiceUnavailable, Text: "the state database cannot be read right now", Next: "It is picked up when it is back.", Err: err}
	case errors.As(err, &unavailable):
		return &Error{Status: http.StatusServiceUnavailable, Text: "the console data is not available: " + unavailable.Reason, Err: err}
	case errors.As(err, &tooLarge):
		return &Error{Status: http.StatusRequestEntityTooLarge, Text: "the request is too large", Err: err}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &Error{Status: http.StatusRequestTimeout, Text: "the request was incomplete", Next: "Send it again.", Err: err}
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Status: http.StatusServiceUnavailable, Text: "the request timed out", Next: "Narrow the filter, or try again.", Err: err}
	case errors.Is(err, context.Canceled):
		return &Error{Status: StatusClientClosed, Text: "the client left", Err: err}
	}
	if failure := describeRun(err); failure != nil {
		return failure
	}
	return &Error{Status: http.StatusInternalServerError, Text: "internal error", Next: "The log has the details under the request id.", Err: err}
}

// Quoted puts a name in quotation marks, with invisible characters marked.
func Quoted(s string) string { return "“" + legible.Name(s) + "”" }

// Served answers with what h returns.
func (h HandlerFunc) Served(k *Kit) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			k.Fail(w, r, err)
		}
	})
}

// Sentence is what is wrong and what would be right.
func (e *Error) Sentence() string {
	if e.Next == "" {
		return e.Text
	}
	return e.Text + ". " + e.Next
}

// Fail answers with an error: JSON for the API, a fragment for htmx, else a page
// or the form that was asked for. Once an answer has begun nothing is added to it:
// the log has the error, and the connection of an answer that has an end is cut, so
// that half of it is not taken for the whole. A stream of events just ends, and its
// reader comes back.
func (k *Kit) Fail(w http.ResponseWriter, r *http.Request, err error) {
	failure := Describe(err)
	id := RequestID(r.Context())
	if begun(w) {
		if failure.Status == StatusClientClosed {
			return
		}
		k.Log.ErrorContext(r.Context(), "failed to send the rest of a response", "request", id, "path", k.loggedPath(r), "err", err)
		if w.Header().Get("Content-Type") != TypeEventStream {
			panic(http.ErrAbortHandler)
		}
		return
	}
	switch {
	case failure.Status >= http.StatusInternalServerError && failure.Err != nil:
		k.Log.ErrorContext(r.Context(), "request failed", "request", id, "path", k.loggedPath(r), "err", err)
	case failure.Status == StatusClientClosed:
		return
	case failure.Status == http.StatusRequestTimeout: // whose context ended with the body, and who can still be answered
		r = r.WithContext(context.WithoutCancel(r.Context()))
	}
	if failure.Status == http.StatusServiceUnavailable && w.Header().Get("Retry-After") == "" {
		w.Header().Set("Retry-After", "1")
	}
	w.Header().Set("Cache-Control", "no-store")
	if k.Below(r, EmbedRoot) || k.Below(r, FragmentRoot) {
		k.Frame.FailFragment(w, r, failure)
		return
	}
	if problem := k.Store.Health().Problem; problem != "" && errors.Is(err, store.ErrUnavailable) && !errors.Is(err, store.ErrLocked) && (!k.Frame.Gated || Admitted(r)) {
		failure.Text += ": " + problem // which names the file
	}
	switch f := k.errorFormat(r); f {
	case FormatHTML:
	case FormatJSON:
		answer := present.ErrorResponse{Error: failure.Sentence()}
		if word, ok := errors.AsType[*runquery.Error](err); ok {
			answer.Word, answer.Position = word.Word(), word.Position()
		}
		k.WriteJSON(w, r, failure.Status, answer)
		return
	default:
		k.writeError(w, r, f, failure)
		return
	}
	if k.Frame.Gated && !Admitted(r) { // what surrounds a page names the project
		k.WriteHTML(w, r, failure.Status, views.BareError(views.ErrorView{
			Layout: views.Layout{Paths: k.Paths}, Status: failure.Status, Heading: http.StatusText(failure.Status),
			Text: failure.Text, Next: failure.Next, RequestID: id,
		}))
		return
	}
	view := views.ErrorView{
		Layout: k.Layout(r, "", http.StatusText(failure.Status), ""),
		Status: failure.Status, Heading: http.StatusText(failure.Status),
		Text: failure.Text, Next: failure.Next, RequestID: id,
	}
	component := views.ErrorPage(view)
	if IsFragment(r) {
		component = views.ErrorPanel(view)
	}
	k.WriteHTML(w, r, failure.Status, component)
}
