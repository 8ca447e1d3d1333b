package handlers

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"wavedeck/handlers/grant"
)

// embedPolicy is contentPolicy for a part that stands in a page of others: it
// sends no form, whoever asks, and opens nothing but a tab of its own.
const embedPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'none'; base-uri 'none'; " +
	"sandbox allow-scripts allow-same-origin allow-popups allow-popups-to-escape-sandbox; frame-ancestors "

// holder is who came with a token.
type holder struct{ grant.Grant }

// until is when the token ends; zero for who came without one.
func (h *holder) until() time.Time {
	if h == nil {
		return time.Time{}
	}
	return h.Until()
}

// framedBy are the origins of pages that may frame what a holder reads: those
// that the operator listed, and of them only those of the token.
func (s *Server) framedBy(h *holder) []string {
	if h == nil {
		return s.embed.Origins
	}
	var both []string
	for _, origin := range h.Origins {
		if slices.Contains(s.embed.Origins, origin) {
			both = append(both, origin)
		}
	}
	return both
}

// allowFraming replaces the headers that keep ordinary pages out of frames.
// Pages that are isolated from others (COEP) can show it too.
func (s *Server) allowFraming(w http.ResponseWriter, h *holder) {
	ancestors := s.framedBy(h)
	if h == nil {
		ancestors = append([]string{"'self'"}, ancestors...)
	}
	if len(ancestors) == 0 {
		ancestors = []string{"'none'"}
	}
	header := w.Header()
	header.Set("Content-Security-Policy", embedPolicy+strings.Join(ancestors, " "))
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

// shared lets pages of the listed origins read fragments and JSON. They read
// only, and what a browser knows of its user (cookies) does not count for them.
func (s *Server) shared(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		switch {
		case s.isPublicAsset(r.URL.Path): // a sandboxed frame has no origin that could be named
			header.Set("Cross-Origin-Resource-Policy", "cross-origin")
			header.Set("Access-Control-Allow-Origin", "*")
			next.ServeHTTP(w, r)
			return
		case !s.below(r, fragmentRoot) && !strings.HasPrefix(r.URL.Path, s.paths.API()):
			next.ServeHTTP(w, r)
			return
		}
		header.Add("Vary", "Origin")
		origin := r.Header.Get("Origin")
		allowed := slices.Contains(s.embed.readers(), origin) && !secretive(r.URL.Path)
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

// secretive reports whether an answer is not for pages of others, listed or not:
// an artifact may be had as it is, with its secrets, and the address of a webhook
// often is one.
func secretive(path string) bool {
	return strings.Contains(path, "/artifacts/") || strings.HasSuffix(path, "/hook")
}

// EmbedConfig says which other sites may show parts of the console.
type EmbedConfig struct {
	Origins      []string // may frame embeds, and read fragments and JSON; exact, such as "https://portal.example"
	CORSOrigins  []string // may read fragments and JSON instead; empty: Origins
	Keys         []string // sign tokens: the first signs, all are accepted; empty: the console's own, kept on the desk
	PublicOrigin string   // where people reach the console, such as "https://wave.example"; empty: what each request says
}

func (c EmbedConfig) readers() []string {
	if len(c.CORSOrigins) > 0 {
		return c.CORSOrigins
	}
	return c.Origins
}

// admitted is who may read the excerpt that is asked for, and tells the browser
// which pages may frame it. With a token in the address that is its holder.
func (s *Server) admitted(w http.ResponseWriter, r *http.Request) (*holder, error) {
	s.allowFraming(w, nil)
	token := muxVar(r, "token")
	if token == "" {
		return nil, nil
	}
	w.Header().Del("Cross-Origin-Opener-Policy")
	keys, err := s.embedKeys(r.Context())
	if err != nil { // who asks may be anybody, and why names folders of ours
		return nil, &httpError{status: http.StatusServiceUnavailable, text: "this console cannot tell right now whether the address is valid", err: err}
	}
	g, err := grant.Open(keys, token, s.now())
	h := &holder{g}
	if err != nil {
		return nil, refusedToken(err)
	}
	s.allowFraming(w, h)
	if origin := r.Header.Get("Origin"); origin != "" && !slices.Contains(s.framedBy(h), origin) {
		w.Header().Del("Access-Control-Allow-Origin")
	}
	if segments, narrow := s.resourceOf(r); !h.Covers(segments, narrow) {
		return nil, &httpError{
			status: http.StatusForbidden, text: "the token of this address is for something else",
			next: "Ask for a token whose resource is this one.",
		}
	}
	return h, nil
}

// refusedToken is what is told about a token that opens nothing.
func refusedToken(err error) *httpError {
	if err == grant.ErrExpired { //nolint:errorlint // returned as it is
		return &httpError{
			status: http.StatusGone, text: "this view has expired",
			next: "Load the page around it again.", err: err,
		}
	}
	return &httpError{
		status: http.StatusForbidden, text: "this address is not valid here",
		next: "Load the page around it again; if that does not help, its token comes from another console.", err: err,
	}
}

// resourceOf is the part of the console that an excerpt's address names, and
// what narrows it.
func (s *Server) resourceOf(r *http.Request) (segments []string, narrow url.Values) {
	_, path, _ := strings.Cut(r.URL.EscapedPath(), "/t/"+muxVar(r, "token")+"/")
	if s.below(r, badgeRoot) {
		path = path[:strings.LastIndexByte(path, '.')] // .svg or .json
	}
	segments, _, err := grant.ParseResource(path)
	if err != nil {
		return nil, nil
	}
	return segments, narrowing(r.URL.Query())
}

// narrowing are the parameters that say what an excerpt shows, not how.
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
