package handlers

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"wavedeck/static"
)

// routes lists everything that is answered. Names with slashes or dots in them
// are one path segment each, so paths are matched as they were sent.
func (s *Server) routes() *mux.Router {
	router := mux.NewRouter().UseEncodedPath().SkipClean(true)
	router.NotFoundHandler = handler(s.notFound).served(s)
	router.MethodNotAllowedHandler = s.methodNotAllowed(router).served(s)
	on := routing{s: s, base: router, signedIn: s.whileSignedIn, action: s.action, actions: &s.actions}
	if s.paths != "" {
		on.base = router.PathPrefix(string(s.paths)).Subrouter()
		on.base.NotFoundHandler, on.base.MethodNotAllowedHandler = router.NotFoundHandler, router.MethodNotAllowedHandler
	}
	s.actions = []string{"sign-in", "sign-out"}
	if s.gate.on {
		s.actions = append(s.actions, actionBearer)
	}
	s.routeOwn(on)
	s.routeRuns(on)
	s.routeRunDetail(on)
	s.routeLogs(on)
	s.routeActions(on)
	s.routeAttention(on)
	s.routeCatalog(on)
	s.routeCompare(on)
	s.routeSearch(on)
	s.routePalette(on)
	s.routeSavedViews(on)
	s.routeWebhooks(on)
	s.routeEmbeds(on)
	s.routeAudit(on)
	s.routeAuth(on)
	s.routeHealth(on)
	slices.Sort(s.actions)
	return router
}

// Addresses are the templates of all that answers GET, such as /runs/{run}: what
// there is to be looked at, for whoever must miss none of it.
func (s *Server) Addresses() (templates []string, err error) {
	err = s.routes().Walk(func(route *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		methods, err := route.GetMethods()
		if err != nil || !slices.Contains(methods, http.MethodGet) {
			return nil //nolint:nilerr // a prefix of others has no methods
		}
		template, err := route.GetPathTemplate()
		templates = append(templates, template)
		return err
	})
	return templates, err
}

// routeOwn are the addresses of no feature.
func (s *Server) routeOwn(on routing) {
	on.get("/", s.home)
	on.get("", s.home)
	on.stream("/events", s.streamChanges)
	on.get("/favicon.ico", s.favicon) // asked for beside what is no page
	on.base.PathPrefix("/static/").Handler(static.Handler(string(s.paths))).Methods(http.MethodGet, http.MethodHead)
}

func (s *Server) home(w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, s.paths.Runs(nil), http.StatusFound)
	return nil
}

func (s *Server) favicon(w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, static.URL(string(s.paths), "icon.svg"), http.StatusFound)
	return nil
}

func (s *Server) notFound(http.ResponseWriter, *http.Request) error {
	return &httpError{
		status: http.StatusNotFound, text: "there is no such page",
		next: "The runs are at " + s.paths.Runs(nil) + ".",
	}
}

// methods are those that some address answers.
//
//nolint:gochecknoglobals // a list cannot be a constant
var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// methodNotAllowed names the methods that the router knows for the address.
func (s *Server) methodNotAllowed(router *mux.Router) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		var allowed []string
		for _, method := range methods {
			other := r.Clone(r.Context())
			other.Method = method
			var match mux.RouteMatch
			if router.Match(other, &match) && match.MatchErr == nil {
				allowed = append(allowed, method)
			}
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		return &httpError{
			status: http.StatusMethodNotAllowed, text: r.Method + " is not possible here",
			next: "This address answers " + strings.Join(allowed, " and ") + ".",
		}
	}
}
