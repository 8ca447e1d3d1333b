package handlers

import (
	"net/http"
	"slices"

	"github.com/gorilla/mux"
)

// routing says how each kind of route is answered.
type routing struct {
	s        *Server
	base     *mux.Router                          // below the base path
	signedIn func(handler) handler                // ends what goes on with the session that it began in
	action   func(name string, h handler) handler // guards what changes something, and notes it in the audit log
	actions  *[]string                            // their names
}

// get is for what is only read.
func (on routing) get(path string, h handler) {
	on.base.Handle(path, on.s.deadline(h).served(on.s)).Methods(http.MethodGet, http.MethodHead)
}

// json is for what is said in several forms, where programs ask for it.
func (on routing) json(path string, h handler) {
	on.get(path, func(w http.ResponseWriter, r *http.Request) error { return h(w, inForm(r, formJSON)) })
}

// forms is for what is said in several forms: at its own address in the one that
// Accept asks for, else in the one that the address ends with.
func (on routing) forms(path string, among []format, h handler) {
	on.formsOf(path, among, "", nil, h)
}

// formsOf is forms for what has a name in its path, as the variable name. A name
// may itself end as a form does: what there is of that very name comes first.
func (on routing) formsOf(path string, among []format, name string, there func(*http.Request, string) bool, h handler) {
	serve := func(w http.ResponseWriter, r *http.Request, f format) {
		inner := on.s.deadline(h)
		if f.goesOn() {
			inner = on.signedIn(h)
		}
		inner.served(on.s).ServeHTTP(w, inForm(r, f))
	}
	choose := func(w http.ResponseWriter, r *http.Request) {
		f, ok := formHTML, true
		if !isFragment(r) {
			w.Header().Add("Vary", "Accept")
			f, ok = accepted(r.Header.Get("Accept"), among)
		}
		if !ok {
			on.s.fail(w, inForm(r, formText), notAcceptable(r.Header.Get("Accept"), among))
			return
		}
		serve(w, r, f)
	}
	on.base.HandleFunc(path+".{form:[A-Za-z0-9]+}", func(w http.ResponseWriter, r *http.Request) {
		f := format(muxVar(r, "form"))
		known := slices.Contains(among, f)
		if name != "" {
			whole := muxVar(r, name) + "." + muxVar(r, "form")
			if there(r, whole) {
				choose(w, mux.SetURLVars(r, map[string]string{name: whole}))
				return
			}
		}
		if !known {
			on.s.fail(w, r, noSuchForm(r, string(f), among))
			return
		}
		serve(w, r, f)
	}).Methods(http.MethodGet, http.MethodHead)
	on.base.HandleFunc(path, choose).Methods(http.MethodGet, http.MethodHead)
}

// stream is for answers that go on as long as the client listens.
func (on routing) stream(path string, h handler) {
	on.base.Handle(path, on.signedIn(on.s.counted(h)).served(on.s)).Methods(http.MethodGet)
}

// counted counts the streams that are open, and refuses one that would take what
// pages and the database need.
func (s *Server) counted(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := s.roomForStream(w); err != nil {
			return err
		}
		s.streams.Add(1)
		defer s.streams.Add(-1)
		return h(w, r)
	}
}

func (s *Server) roomForStream(w http.ResponseWriter) error {
	used, most := s.openFiles()
	if most <= 0 || float64(used) < fullShare*float64(most) {
		return nil
	}
	w.Header().Set("Connection", "close") // or those who are refused take what is left
	w.Header().Set("Retry-After", "5")
	return &httpError{
		status: http.StatusServiceUnavailable, text: "no more live streams can be opened: the console has nearly as many files and connections as it may",
		next: "Close pages that are not needed; or raise the limit of open files (ulimit -n) and start the console again.",
	}
}

// file is for what is kept as a file: it takes as long as its reader.
func (on routing) file(path string, h handler) {
	on.base.Handle(path, on.signedIn(h).served(on.s)).Methods(http.MethodGet, http.MethodHead)
}

// post is for what changes something. Action is its name in the audit log.
func (on routing) post(path, action string, h handler) {
	if !slices.Contains(*on.actions, action) {
		*on.actions = append(*on.actions, action)
	}
	on.base.Handle(path, on.s.deadline(on.action(action, h)).served(on.s)).Methods(http.MethodPost)
}

// ask is for a question that is too long for an address. It changes nothing, and still
// no page of another site may ask it: its answer costs work.
func (on routing) ask(path string, h handler) {
	on.base.Handle(path, on.s.deadline(on.s.sameOrigin(h)).served(on.s)).Methods(http.MethodPost)
}
