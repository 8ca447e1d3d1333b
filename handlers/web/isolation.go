package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"wavedeck/static"
)

// Isolate refuses what a page of another site asks for, by what the browser says of
// the request (Fetch Metadata): a page of any site can ask, and even when it cannot
// read the answer it learns from its size or its time. It may lead here (a link), load
// the program's own files, and what --embed-origins or the token of an embed allow.
// Programs and old browsers send no such headers; what changes something has a check
// of its own, SameOrigin.
func (k *Kit) Isolate(next http.Handler) http.Handler {
	refuse := HandlerFunc(func(http.ResponseWriter, *http.Request) error {
		return &Error{
			Status: http.StatusForbidden, Text: "the request came from a page of another site", Err: ErrElsewhere,
			Next: "Follow a link to it, or ask the operator of the console to allow that site with --embed-origins.",
		}
	}).Served(k)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Sec-Fetch-Site, Sec-Fetch-Mode, Sec-Fetch-Dest")
		if (r.Method == http.MethodGet || r.Method == http.MethodHead) && fromElsewhere(r) && !k.lets(r) {
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
func (k *Kit) lets(r *http.Request) bool {
	mode, dest := r.Header.Get("Sec-Fetch-Mode"), r.Header.Get("Sec-Fetch-Dest")
	navigates := mode == "navigate" || mode == "nested-navigate"
	switch {
	case k.IsPublicAsset(r.URL.Path), navigates && dest == "document":
		return true
	case k.Below(r, EmbedRoot): // the policy that is sent with it says who may frame it
		return navigates && (k.hasToken(r, EmbedRoot) || len(k.Access.Embed.Origins) > 0)
	case k.Below(r, BadgeRoot):
		return k.hasToken(r, BadgeRoot) || slices.Contains(k.Access.Embed.Origins, askingOrigin(r))
	case k.Below(r, FragmentRoot), strings.HasPrefix(r.URL.Path, k.Paths.API()):
		return mode == "cors" && slices.Contains(k.Access.Embed.Readers(), r.Header.Get("Origin"))
	}
	return false
}

// IsPublicAsset reports whether an address is of the program and not of the project:
// its static files, and the stylesheet of an embed's colors. Any page may load them,
// and so may a frame that is sandboxed, which has no origin that could be listed.
func (k *Kit) IsPublicAsset(path string) bool {
	below, ok := strings.CutPrefix(path, string(k.Paths))
	return ok && (below == EmbedRoot+"/theme.css" || strings.HasPrefix(below, static.Dir))
}

// hasToken reports whether an address below root carries a token, right or not.
func (k *Kit) hasToken(r *http.Request, root string) bool {
	return strings.HasPrefix(r.URL.Path, string(k.Paths)+root+"/t/")
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
