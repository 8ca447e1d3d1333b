package handlers

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"wavedeck/handlers/auth"
	"wavedeck/handlers/web"
	"wavedeck/static"
)

// routes lists everything that is answered. Names with slashes or dots in them
// are one path segment each, so paths are matched as they were sent.
func (s *Server) routes() *mux.Router {
	router := mux.NewRouter().UseEncodedPath().SkipClean(true)
	router.NotFoundHandler = web.HandlerFunc(s.notFound).Served(s.Kit)
	router.MethodNotAllowedHandler = s.methodNotAllowed(router).Served(s.Kit)
	on := web.Router{Kit: s.Kit, Base: router, SignedIn: s.auth.WhileSignedIn, Action: s.auth.Action, Actions: &s.auth.Actions}
	if s.Paths != "" {
		on.Base = router.PathPrefix(string(s.Paths)).Subrouter()
		on.Base.NotFoundHandler, on.Base.MethodNotAllowedHandler = router.NotFoundHandler, router.MethodNotAllowedHandler
	}
	s.auth.Actions = []string{"sign-in", "sign-out"}
	if s.common.authenticator.On {
		s.auth.Actions = append(s.auth.Actions, auth.ActionBearer)
	}
	s.routeOwn(on)
	for _, feature := range s.all {
		feature.Routes(on)
	}
	slices.Sort(s.auth.Actions)
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
func (s *Server) routeOwn(on web.Router) {
	on.Get("/", s.home)
	on.Get("", s.home)
	on.Stream("/events", s.StreamChanges)
	on.Get("/favicon.ico", s.favicon) // asked for beside what is no page
	on.Base.PathPrefix("/static/").Handler(static.Handler(string(s.Paths))).Methods(http.MethodGet, http.MethodHead)
}

func (s *Server) home(w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, s.Paths.Runs(nil), http.StatusFound)
	return nil
}

func (s *Server) favicon(w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, static.URL(string(s.Paths), "icon.svg"), http.StatusFound)
	return nil
}

func (s *Server) notFound(http.ResponseWriter, *http.Request) error {
	return &web.Error{
		Status: http.StatusNotFound, Text: "page not found",
		Next: "The runs are at " + s.Paths.Runs(nil) + ".",
	}
}

// methods are those that some address answers.
//
//nolint:gochecknoglobals // a list cannot be a constant
var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// methodNotAllowed names the methods that the router knows for the address.
func (s *Server) methodNotAllowed(router *mux.Router) web.HandlerFunc {
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
		return &web.Error{
			Status: http.StatusMethodNotAllowed, Text: r.Method + " is not possible here",
			Next: "This address answers " + strings.Join(allowed, " and ") + ".",
		}
	}
}
