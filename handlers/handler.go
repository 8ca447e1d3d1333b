// Package handlers answers HTTP requests: it reads a request, asks the store
// and the manifest, turns rows into view models and renders them.
package handlers

import (
	"context"
	"errors"
	"net/http"
	"os"

	"wavedeck/handlers/runquery"
	"wavedeck/store"
	"wavedeck/store/appdb"
	"wavedeck/store/criteria"
	"wavedeck/views"
	"wavedeck/views/legible"
)

// handler is a route. What it returns is answered by Server.fail, once, in the
// form that the client reads.
type handler func(w http.ResponseWriter, r *http.Request) error

// httpError is an answer with its own status. Text is for whoever asked; the
// wrapped error, if any, is for the log only.
type httpError struct {
	status int
	text   string
	next   string // what would be right
	err    error
}

func (e *httpError) Error() string {
	if e.err != nil {
		return e.text + ": " + e.err.Error()
	}
	return e.text
}

func (e *httpError) Unwrap() error { return e.err }

// statusClientClosed is nginx's word for a client that left; nobody reads it
// but the log.
const statusClientClosed = 499

// describe is what a client is told of an error, in texts that are not long,
// whatever the error quotes.
func describe(err error) *httpError {
	told := *tableOf(err)
	told.text, told.next = clip(told.text, accountShown), clip(told.next, accountShown)
	return &told
}

// tableOf is the one table from errors to what a client is told. An error that
// is not in it is ours to explain in the log, not to the client.
func tableOf(err error) *httpError {
	var own *httpError
	var input *criteria.InputError
	var tooLarge *http.MaxBytesError
	var noDesk *appdb.UnavailableError
	var word *runquery.Error
	var unwritable *store.UnwritableError
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &input):
		return &httpError{
			status: http.StatusBadRequest, err: err,
			text: input.Field + " " + quoted(input.Got) + " cannot be used",
			next: "It should be " + input.Want + ".",
		}
	case errors.As(err, &word):
		return &httpError{status: http.StatusBadRequest, err: err, text: word.Error(), next: word.Hint()}
	case errors.Is(err, store.ErrNotFound):
		return &httpError{status: http.StatusNotFound, text: "there is no such run", next: "It may have been cleaned up, or belong to another project.", err: err}
	case errors.Is(err, store.ErrUnjudged):
		return &httpError{status: http.StatusServiceUnavailable, text: "what needs attention is not known yet", next: "All runs are being read; ask again in a moment.", err: err}
	case errors.As(err, &unwritable):
		return &httpError{status: http.StatusServiceUnavailable, text: "the state database cannot be changed: " + unwritable.Reason, next: "Nothing was changed.", err: err}
	case errors.Is(err, store.ErrLocked):
		return &httpError{status: http.StatusServiceUnavailable, text: "the state database is locked: another process holds it and lets nobody read", next: "It is read again as soon as that process lets go; ask again in a moment.", err: err}
	case errors.Is(err, store.ErrUnavailable):
		return &httpError{status: http.StatusServiceUnavailable, text: "the state database cannot be read right now", next: "It is picked up again as soon as it is back.", err: err}
	case errors.As(err, &noDesk):
		return &httpError{status: http.StatusServiceUnavailable, text: "the console cannot keep anything right now: " + noDesk.Reason, err: err}
	case errors.As(err, &tooLarge):
		return &httpError{status: http.StatusRequestEntityTooLarge, text: "the request is too large", err: err}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &httpError{status: http.StatusRequestTimeout, text: "the rest of the request did not come", next: "Send it again.", err: err}
	case errors.Is(err, context.DeadlineExceeded):
		return &httpError{status: http.StatusServiceUnavailable, text: "this took too long and was given up", next: "Narrow the filter, or try again.", err: err}
	case errors.Is(err, context.Canceled):
		return &httpError{status: statusClientClosed, text: "the client left", err: err}
	}
	if told := describeRun(err); told != nil {
		return told
	}
	return &httpError{status: http.StatusInternalServerError, text: "something went wrong here", next: "The log has it under the request's id.", err: err}
}

func quoted(s string) string { return "“" + legible.Name(s) + "”" }

func (h handler) served(s *Server) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			s.fail(w, r, err)
		}
	})
}

// sentence is what is wrong and what would be right.
func (e *httpError) sentence() string {
	if e.next == "" {
		return e.text
	}
	return e.text + ". " + e.next
}

// fail answers with an error: JSON for the API, a fragment for htmx, else a page
// or the form that was asked for. Once an answer has begun nothing is added to it:
// the log has the error, and the connection of an answer that has an end is cut, so
// that half of it is not taken for the whole. A stream of events just ends, and its
// reader comes back.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	told := describe(err)
	id := requestID(r.Context())
	if begun(w) {
		if told.status == statusClientClosed {
			return
		}
		s.log.ErrorContext(r.Context(), "answer broke off", "request", id, "path", s.loggedPath(r), "error", err)
		if w.Header().Get("Content-Type") != typeEventStream {
			panic(http.ErrAbortHandler)
		}
		return
	}
	switch {
	case told.status >= http.StatusInternalServerError && told.err != nil:
		s.log.ErrorContext(r.Context(), "request failed", "request", id, "path", s.loggedPath(r), "error", err)
	case told.status == statusClientClosed:
		return
	case told.status == http.StatusRequestTimeout: // whose context ended with the body, and who may still be told
		r = r.WithContext(context.WithoutCancel(r.Context()))
	}
	if told.status == http.StatusServiceUnavailable && w.Header().Get("Retry-After") == "" {
		w.Header().Set("Retry-After", "1")
	}
	w.Header().Set("Cache-Control", "no-store")
	if s.below(r, embedRoot) || s.below(r, fragmentRoot) {
		s.peers.failExcerpt(w, r, told)
		return
	}
	if problem := s.store.Health().Problem; problem != "" && errors.Is(err, store.ErrUnavailable) && !errors.Is(err, store.ErrLocked) && (!s.gate.on || known(r)) {
		told.text += ": " + problem // which names the file
	}
	switch f := s.errorForm(r); f {
	case formHTML:
	case formJSON:
		answer := apiError{Error: told.sentence()}
		if word, ok := errors.AsType[*runquery.Error](err); ok {
			answer.Word, answer.Position = word.Word(), word.Position()
		}
		s.writeJSON(w, r, told.status, answer)
		return
	default:
		s.writeError(w, r, f, told)
		return
	}
	if s.gate.on && !known(r) { // what surrounds a page names the project
		s.writeHTML(w, r, told.status, views.BareError(views.ErrorView{
			Chrome: views.Chrome{Paths: s.paths}, Status: told.status, Heading: http.StatusText(told.status),
			Text: told.text, Next: told.next, RequestID: id,
		}))
		return
	}
	view := views.ErrorView{
		Chrome: s.chrome(r, "", http.StatusText(told.status), ""),
		Status: told.status, Heading: http.StatusText(told.status),
		Text: told.text, Next: told.next, RequestID: id,
	}
	component := views.ErrorPage(view)
	if isFragment(r) {
		component = views.ErrorPanel(view)
	}
	s.writeHTML(w, r, told.status, component)
}
