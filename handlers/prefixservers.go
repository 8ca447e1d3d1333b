package handlers

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"

	"wavedeck/handlers/present"
	"wavedeck/handlers/web"
	"wavedeck/views"
)

// prefixServers are the consoles under the prefixes that trusted proxies put in front
// of their paths (X-Forwarded-Prefix). Each is a Server of its own, so that no
// link of one can be in another; what is bounded, they share.
type prefixServers struct {
	config Config
	limits web.Limits
	news   *rate.Limiter // prefixes that were not known

	mu   sync.Mutex
	kept *simplelru.LRU[views.Paths, *Server]
}

func newPrefixServers(c Config) *prefixServers {
	l := c.Limits.WithDefaults()
	kept, _ := simplelru.NewLRU[views.Paths, *Server](l.Prefixes, nil) // its error is that of a size below 1
	return &prefixServers{config: c, limits: l, news: rate.NewLimiter(rate.Every(l.PrefixEach), l.Prefixes), kept: kept}
}

// under is the console at a prefix; nil when too many prefixes were new of late.
func (m *prefixServers) under(prefix views.Paths, now time.Time) *Server {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, known := m.kept.Get(prefix)
	if !known && m.news.AllowN(now, 1) {
		c := m.config
		c.BasePath = string(prefix) + c.BasePath
		s = New(c)
		m.kept.Add(prefix, s)
	}
	return s
}

// serveBehind answers as the console that is at prefix in front of its own
// base path, where whoever asked the proxy sees it.
func (s *Server) serveBehind(w http.ResponseWriter, r *http.Request, prefix string) {
	paths, err := views.ParsePaths(prefix)
	if err != nil {
		s.refusePrefix(w, r, &web.Error{
			Status: http.StatusBadRequest, Text: "the prefix " + web.Quoted(present.Clip(prefix, 64)) + " of the proxy cannot be used",
			Next: "X-Forwarded-Prefix should be a plain path such as /deck.", Err: err,
		})
		return
	}
	mounted := s.prefixServers.under(paths, s.Now()) //nolint:contextcheck // each request brings its own
	if mounted == nil {
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int(s.prefixServers.limits.PrefixEach/time.Second))))
		s.refusePrefix(w, r, &web.Error{
			Status: http.StatusServiceUnavailable, Text: "too many prefixes were asked for with X-Forwarded-Prefix",
			Next: "The proxy should set that header itself and take away what its clients send.",
		})
		return
	}
	behind := r.Clone(r.Context())
	behind.URL.Path = string(paths) + behind.URL.Path
	if behind.URL.RawPath != "" {
		behind.URL.RawPath = string(paths) + behind.URL.RawPath
	}
	mounted.handler.ServeHTTP(w, behind)
}

// refusePrefix answers as every other refusal is.
func (s *Server) refusePrefix(w http.ResponseWriter, r *http.Request, failure *web.Error) {
	s.wrapped(web.HandlerFunc(func(http.ResponseWriter, *http.Request) error { return failure }).Served(s.Kit)).ServeHTTP(w, r)
}
