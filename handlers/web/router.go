package web

import (
	"net/http"
	"slices"

	"github.com/gorilla/mux"
)

// FullShare is the share of the files this process may open at which no more streams are opened.
const FullShare = 0.8 // of the files that this process may open

// Router says how each kind of route is answered.
type Router struct {
	Kit      *Kit
	Base     *mux.Router                                  // below the base path
	SignedIn func(HandlerFunc) HandlerFunc                // ends what goes on with the session that it began in
	Action   func(name string, h HandlerFunc) HandlerFunc // guards what changes something, and notes it in the audit log
	Actions  *[]string                                    // their names
}

// Get is for what is only read.
func (on Router) Get(path string, h HandlerFunc) {
	on.Base.Handle(path, on.Kit.Deadline(h).Served(on.Kit)).Methods(http.MethodGet, http.MethodHead)
}

// JSON is for what is said in several forms, where programs ask for it.
func (on Router) JSON(path string, h HandlerFunc) {
	on.Get(path, func(w http.ResponseWriter, r *http.Request) error { return h(w, WithFormat(r, FormatJSON)) })
}

// Negotiated is for what is said in several forms: at its own address in the one that
// Accept asks for, else in the one that the address ends with.
func (on Router) Negotiated(path string, among []Format, h HandlerFunc) {
	on.NegotiatedNamed(path, among, "", nil, h)
}

// NegotiatedNamed is forms for what has a name in its path, as the variable name. A name
// may itself end as a form does: what there is of that very name comes first.
func (on Router) NegotiatedNamed(path string, among []Format, name string, there func(*http.Request, string) bool, h HandlerFunc) {
	serve := func(w http.ResponseWriter, r *http.Request, f Format) {
		inner := on.Kit.Deadline(h)
		if f.GoesOn() {
			inner = on.SignedIn(h)
		}
		inner.Served(on.Kit).ServeHTTP(w, WithFormat(r, f))
	}
	choose := func(w http.ResponseWriter, r *http.Request) {
		f, ok := FormatHTML, true
		if !IsFragment(r) {
			w.Header().Add("Vary", "Accept")
			f, ok = accepted(r.Header.Get("Accept"), among)
		}
		if !ok {
			on.Kit.Fail(w, WithFormat(r, FormatText), notAcceptable(r.Header.Get("Accept"), among))
			return
		}
		serve(w, r, f)
	}
	on.Base.HandleFunc(path+".{form:[A-Za-z0-9]+}", func(w http.ResponseWriter, r *http.Request) {
		f := Format(RouteVar(r, "form"))
		known := slices.Contains(among, f)
		if name != "" {
			whole := RouteVar(r, name) + "." + RouteVar(r, "form")
			if there(r, whole) {
				choose(w, mux.SetURLVars(r, map[string]string{name: whole}))
				return
			}
		}
		if !known {
			on.Kit.Fail(w, r, noSuchFormat(r, string(f), among))
			return
		}
		serve(w, r, f)
	}).Methods(http.MethodGet, http.MethodHead)
	on.Base.HandleFunc(path, choose).Methods(http.MethodGet, http.MethodHead)
}

// Stream is for answers that go on as long as the client listens.
func (on Router) Stream(path string, h HandlerFunc) {
	on.Base.Handle(path, on.SignedIn(on.Kit.Counted(h)).Served(on.Kit)).Methods(http.MethodGet)
}

// Counted counts the streams that are open, and refuses one that would take what
// pages and the database need.
func (k *Kit) Counted(h HandlerFunc) HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := k.RoomForStream(w); err != nil {
			return err
		}
		k.Shared.Streams.Add(1)
		defer k.Shared.Streams.Add(-1)
		return h(w, r)
	}
}

// RoomForStream refuses a stream when it would take what pages and the database need.
func (k *Kit) RoomForStream(w http.ResponseWriter) error {
	used, most := k.Shared.OpenFiles()
	if most <= 0 || float64(used) < FullShare*float64(most) {
		return nil
	}
	w.Header().Set("Connection", "close") // or those who are refused take what is left
	w.Header().Set("Retry-After", "5")
	return &Error{
		Status: http.StatusServiceUnavailable, Text: "no more live streams can be opened: the console is close to its limit of open files",
		Next: "Close pages that are not needed; or raise the limit of open files (ulimit -n) and start the console again.",
	}
}

// File is for what is kept as a file: it takes as long as its reader.
func (on Router) File(path string, h HandlerFunc) {
	on.Base.Handle(path, on.SignedIn(h).Served(on.Kit)).Methods(http.MethodGet, http.MethodHead)
}

// Post is for what changes something. Action is its name in the audit log.
func (on Router) Post(path, action string, h HandlerFunc) {
	if !slices.Contains(*on.Actions, action) {
		*on.Actions = append(*on.Actions, action)
	}
	on.Base.Handle(path, on.Kit.Deadline(on.Action(action, h)).Served(on.Kit)).Methods(http.MethodPost)
}

// PostSafe is for a question that is too long for an address. It changes nothing, and still
// no page of another site may ask it: its answer costs work.
func (on Router) PostSafe(path string, h HandlerFunc) {
	on.Base.Handle(path, on.Kit.Deadline(on.Kit.SameOrigin(h)).Served(on.Kit)).Methods(http.MethodPost)
}
