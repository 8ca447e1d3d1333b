package handlers

import (
	"net/http"
	"slices"

	"github.com/gorilla/mux"
)

// routing says how each kind of route is answered.
type routing struct {
	s    *Server
	base *mux.Router // below the base path
}

// get is for what is only read.
func (on routing) get(path string, h handler) {
	on.base.Handle(path, deadline(h).served(on.s)).Methods(http.MethodGet, http.MethodHead)
}

// stream is for answers that go on as long as the client listens.
func (on routing) stream(path string, h handler) {
	on.base.Handle(path, on.s.whileSignedIn(h).served(on.s)).Methods(http.MethodGet)
}

// post is for what changes something. Action is its name in the audit log.
func (on routing) post(path, action string, h handler) {
	if !slices.Contains(on.s.actions, action) {
		on.s.actions = append(on.s.actions, action)
	}
	on.base.Handle(path, deadline(on.s.action(action, h)).served(on.s)).Methods(http.MethodPost)
}

// ask is for a question that is too long for an address. It changes nothing.
func (on routing) ask(path string, h handler) {
	on.base.Handle(path, deadline(h).served(on.s)).Methods(http.MethodPost)
}

// embed is for what pages of others may show: as a document in a frame or as a
// fragment, to who may read the console or to who holds a token for it.
func (on routing) embed(path string, e excerptOf) {
	for _, root := range []string{embedRoot, fragmentRoot} {
		h := on.s.whileSignedIn(on.s.excerpt(e, root == embedRoot)).served(on.s)
		on.base.Handle(root+path, h).Methods(http.MethodGet, http.MethodHead)
		on.base.Handle(root+"/t/{token}"+path, h).Methods(http.MethodGet, http.MethodHead)
	}
}
