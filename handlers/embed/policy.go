package embed

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"wavedeck/handlers/grant"
	"wavedeck/handlers/web"
)

// bearer is who came with a token.
type bearer struct{ grant.Grant }

// until is when the token ends; zero for who came without one.
func (h *bearer) until() time.Time {
	if h == nil {
		return time.Time{}
	}
	return h.Until()
}

// framedBy are the origins of pages that may frame what a holder reads: those
// that the operator listed, and of them only those of the token.
func (h *Handler) framedBy(bearer *bearer) []string {
	if bearer == nil {
		return h.Access.Embed.Origins
	}
	var both []string
	for _, origin := range bearer.Origins {
		if slices.Contains(h.Access.Embed.Origins, origin) {
			both = append(both, origin)
		}
	}
	return both
}

// allowFraming replaces the headers that keep ordinary pages out of frames.
// Pages that are isolated from others (COEP) can show it too.
func (h *Handler) allowFraming(w http.ResponseWriter, bearer *bearer) {
	ancestors := h.framedBy(bearer)
	if bearer == nil {
		ancestors = append([]string{"'self'"}, ancestors...)
	}
	if len(ancestors) == 0 {
		ancestors = []string{"'none'"}
	}
	header := w.Header()
	header.Set("Content-Security-Policy", web.EmbedPolicy+strings.Join(ancestors, " "))
	header.Set("Cross-Origin-Resource-Policy", "cross-origin")
	header.Set("Cross-Origin-Embedder-Policy", "require-corp")
	header.Del("Cross-Origin-Opener-Policy")
}

// Headers of cross-origin requests that are allowed: those of htmx, of streams
// and of conditional requests.
const (
	corsMethods = "GET, HEAD"
	corsHeaders = "Accept, Authorization, If-None-Match, Last-Event-ID, HX-Request, HX-Request-Type, HX-Source, HX-Target, " +
		"HX-Current-URL, HX-Boosted, HX-Trigger, HX-Trigger-Name, HX-Prompt, HX-PTag"
	corsExposed = "ETag, X-Request-ID"
)

// AllowOrigins lets pages of the listed origins read fragments and JSON. They read
// only, and what a browser knows of its user (cookies) does not count for them.
func (h *Handler) AllowOrigins(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		switch {
		case h.IsPublicAsset(r.URL.Path): // a sandboxed frame has no origin that could be named
			header.Set("Cross-Origin-Resource-Policy", "cross-origin")
			header.Set("Access-Control-Allow-Origin", "*")
			next.ServeHTTP(w, r)
			return
		case !h.Below(r, web.FragmentRoot) && !strings.HasPrefix(r.URL.Path, h.Paths.API()):
			next.ServeHTTP(w, r)
			return
		}
		header.Add("Vary", "Origin")
		origin := r.Header.Get("Origin")
		allowed := slices.Contains(h.Access.Embed.Readers(), origin) && !isPrivatePath(r.URL.Path)
		if allowed {
			header.Set("Access-Control-Allow-Origin", origin)
			header.Set("Access-Control-Expose-Headers", corsExposed)
		}
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			if !allowed {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			header.Set("Access-Control-Allow-Methods", corsMethods)
			header.Set("Access-Control-Allow-Headers", corsHeaders)
			header.Set("Access-Control-Max-Age", "600")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isPrivatePath reports whether an answer is not for pages of others, listed or not:
// an artifact may be had as it is, with its secrets, and the address of a webhook
// often is one.
func isPrivatePath(path string) bool {
	return strings.Contains(path, "/artifacts/") || strings.HasSuffix(path, "/hook")
}

// authorise decides who may read the requested fragment, and instructs the browser
// which pages may frame it. With a token in the address that is its holder.
func (h *Handler) authorise(w http.ResponseWriter, r *http.Request) (*bearer, error) {
	h.allowFraming(w, nil)
	token := web.RouteVar(r, "token")
	if token == "" {
		return nil, nil
	}
	w.Header().Del("Cross-Origin-Opener-Policy")
	keys, err := h.embedKeys(r.Context())
	if err != nil { // who asks may be anybody, and the reason names local folders
		return nil, &web.Error{Status: http.StatusServiceUnavailable, Text: "the address cannot be checked right now", Err: err}
	}
	g, err := grant.Open(keys, token, h.Now())
	bearer := &bearer{g}
	if err != nil {
		return nil, refusedToken(err)
	}
	h.allowFraming(w, bearer)
	if origin := r.Header.Get("Origin"); origin != "" && !slices.Contains(h.framedBy(bearer), origin) {
		w.Header().Del("Access-Control-Allow-Origin")
	}
	if segments, narrow := h.resourceOf(r); !bearer.Covers(segments, narrow) {
		return nil, &web.Error{
			Status: http.StatusForbidden, Text: "the token of this address is for something else",
			Next: "Ask for a token whose resource is this one.",
		}
	}
	return bearer, nil
}

// refusedToken is the answer to a token that opens nothing.
func refusedToken(err error) *web.Error {
	if err == grant.ErrExpired { //nolint:errorlint // returned as it is
		return &web.Error{
			Status: http.StatusGone, Text: "this embed has expired",
			Next: "Load the page around it again.", Err: err,
		}
	}
	return &web.Error{
		Status: http.StatusForbidden, Text: "this address is not valid here",
		Next: "Load the page around it again; if that does not help, its token comes from another console.", Err: err,
	}
}

// resourceOf is the part of the console that a fragment's address names, and
// what narrows it.
func (h *Handler) resourceOf(r *http.Request) (segments []string, narrow url.Values) {
	_, path, _ := strings.Cut(r.URL.EscapedPath(), "/t/"+web.RouteVar(r, "token")+"/")
	if h.Below(r, web.BadgeRoot) {
		path = path[:strings.LastIndexByte(path, '.')] // .svg or .json
	}
	segments, _, err := grant.ParseResource(path)
	if err != nil {
		return nil, nil
	}
	return segments, narrowing(r.URL.Query())
}

// narrowing are the parameters that say what a fragment shows, not how.
func narrowing(q url.Values) url.Values {
	narrow := url.Values{}
	for key, values := range q {
		switch {
		case key == "theme", key == "density", key == "live", key == "tz", key == "limit", strings.HasPrefix(key, "--"):
		default:
			narrow[key] = values
		}
	}
	return narrow
}
