package handlers

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"wavedeck/static"
)

// isolated refuses what a page of another site asks for, by what the browser says of
// the request (Fetch Metadata): a page of any site can ask, and even when it cannot
// read the answer it learns from its size or its time. It may lead here (a link), load
// the program's own files, and what --embed-origins or the token of an embed allow.
// Programs and old browsers send no such headers; what changes something has a check
// of its own, sameOrigin.
func (s *Server) isolated(next http.Handler) http.Handler {
	refuse := handler(func(http.ResponseWriter, *http.Request) error {
		return &httpError{
			status: http.StatusForbidden, text: "a page of another site asked for this", err: errElsewhere,
			next: "Follow a link to it, or ask the operator of the console to allow that site with --embed-origins.",
		}
	}).served(s)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Sec-Fetch-Site, Sec-Fetch-Mode, Sec-Fetch-Dest")
		if (r.Method == http.MethodGet || r.Method == http.MethodHead) && fromElsewhere(r) && !s.lets(r) {
			refuse.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// fromElsewhere reports whether a page of another origin made the browser ask. Other
// ports and names of one site are others too.
func fromElsewhere(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return false
	}
	return true
}

// lets reports whether a page of another origin may ask for this.
func (s *Server) lets(r *http.Request) bool {
	mode, dest := r.Header.Get("Sec-Fetch-Mode"), r.Header.Get("Sec-Fetch-Dest")
	navigates := mode == "navigate" || mode == "nested-navigate"
	switch {
	case s.isPublicAsset(r.URL.Path), navigates && dest == "document":
		return true
	case s.below(r, embedRoot): // the policy that is sent with it says who may frame it
		return navigates && (s.hasToken(r, embedRoot) || len(s.embed.Origins) > 0)
	case s.below(r, badgeRoot):
		return s.hasToken(r, badgeRoot) || slices.Contains(s.embed.Origins, askingOrigin(r))
	case s.below(r, fragmentRoot), strings.HasPrefix(r.URL.Path, s.paths.API()):
		return mode == "cors" && slices.Contains(s.embed.readers(), r.Header.Get("Origin"))
	}
	return false
}

// isPublicAsset reports whether an address is of the program and not of the project:
// its static files, and the stylesheet of an embed's colors. Any page may load them,
// and so may a frame that is sandboxed, which has no origin that could be listed.
func (s *Server) isPublicAsset(path string) bool {
	below, ok := strings.CutPrefix(path, string(s.paths))
	return ok && (below == embedRoot+"/theme.css" || strings.HasPrefix(below, static.Dir))
}

// hasToken reports whether an address below root carries a token, right or not.
func (s *Server) hasToken(r *http.Request, root string) bool {
	return strings.HasPrefix(r.URL.Path, string(s.paths)+root+"/t/")
}

// askingOrigin is the origin of the page that asks: an image is asked for without Origin.
func askingOrigin(r *http.Request) string {
	if origin := r.Header.Get("Origin"); origin != "" {
		return origin
	}
	referer, err := url.Parse(r.Referer())
	if err != nil || referer.Host == "" {
		return ""
	}
	origin, err := ParseOrigin(referer.Scheme + "://" + referer.Host)
	if err != nil {
		return ""
	}
	return origin
}
