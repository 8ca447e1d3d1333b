package handlers

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"wavedeck/views"
)

// proxies are the addresses whose word about a request is believed.
type proxies []netip.Prefix

func (p proxies) trust(ip string) bool {
	addr, err := netip.ParseAddr(ip)
	return err == nil && slices.ContainsFunc(p, func(known netip.Prefix) bool { return known.Contains(addr) })
}

// believed reports whether the request comes from a proxy that the operator named.
func (p proxies) believed(r *http.Request) bool { return p.trust(remoteIP(r)) }

// prefix is what a trusted proxy took off the path; empty when there is none.
func (p proxies) prefix(r *http.Request) string {
	prefix := r.Header.Get("X-Forwarded-Prefix")
	if prefix == "" || prefix == "/" || !p.believed(r) {
		return ""
	}
	return prefix
}

// client is the address of who asks. What a header says of it counts only when
// a proxy of ours has written it.
func (p proxies) client(r *http.Request) string {
	from := remoteIP(r)
	if !p.trust(from) {
		return from
	}
	// The last entry was written by the nearest proxy; those before it by whoever it heard them from.
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		addr, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			return from
		}
		from = addr.Unmap().WithZone("").String()
		if !p.trust(from) {
			return from
		}
	}
	return from
}

// secure reports whether the client speaks to us, or to a proxy of ours, over TLS.
func (p proxies) secure(r *http.Request) bool {
	return r.TLS != nil || p.believed(r) && strings.EqualFold(first(r.Header.Get("X-Forwarded-Proto")), "https")
}

// remoteIP is the address at the other end of the connection.
func remoteIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap().WithZone("").String()
	}
	return host
}

// mounts are the consoles under the prefixes that trusted proxies put in front
// of their paths (X-Forwarded-Prefix). Each is a Server of its own, so that no
// link of one can be in another; what is bounded, they share.
type mounts struct {
	config Config
	limits Limits
	news   *rate.Limiter // prefixes that were not known

	mu    sync.Mutex
	at    map[views.Paths]*Server
	order []views.Paths // asked for longest ago first
}

func newMounts(c Config) *mounts {
	l := c.Limits.withDefaults()
	return &mounts{config: c, limits: l, news: rate.NewLimiter(rate.Every(l.PrefixEach), l.Prefixes), at: map[views.Paths]*Server{}}
}

// under is the console at a prefix; nil when too many prefixes were new of late.
func (m *mounts) under(prefix views.Paths, now time.Time) *Server {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, known := m.at[prefix]
	switch {
	case known:
		m.order = slices.DeleteFunc(m.order, func(p views.Paths) bool { return p == prefix })
	case !m.news.AllowN(now, 1):
		return nil
	default:
		c := m.config
		c.BasePath = string(prefix) + c.BasePath
		s = New(c)
		m.at[prefix] = s
	}
	m.order = append(m.order, prefix)
	if len(m.order) > m.limits.Prefixes {
		delete(m.at, m.order[0])
		m.order = m.order[1:]
	}
	return s
}

// serveBehind answers as the console that stands at prefix in front of its own
// base path, where whoever asked the proxy sees it.
func (s *Server) serveBehind(w http.ResponseWriter, r *http.Request, prefix string) {
	paths, err := views.ParsePaths(prefix)
	if err != nil {
		s.refusePrefix(w, r, &httpError{
			status: http.StatusBadRequest, text: "the prefix " + quoted(clip(prefix, 64)) + " of the proxy cannot be used",
			next: "X-Forwarded-Prefix should be a plain path such as /deck.", err: err,
		})
		return
	}
	mounted := s.mounts.under(paths, s.now()) //nolint:contextcheck // each request brings its own
	if mounted == nil {
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int(s.mounts.limits.PrefixEach/time.Second))))
		s.refusePrefix(w, r, &httpError{
			status: http.StatusServiceUnavailable, text: "too many prefixes were asked for with X-Forwarded-Prefix",
			next: "The proxy should set that header itself and take away what its clients send.",
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
func (s *Server) refusePrefix(w http.ResponseWriter, r *http.Request, told *httpError) {
	s.wrapped(handler(func(http.ResponseWriter, *http.Request) error { return told }).served(s)).ServeHTTP(w, r)
}

var plainHost = regexp.MustCompile(`^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`)

// origin is where people reach the console, without its path: what the operator
// said, what a trusted proxy says, or what the request was sent to. It is empty
// when that cannot be a name.
func (s *Server) origin(r *http.Request) string {
	if s.embed.PublicOrigin != "" {
		return s.embed.PublicOrigin
	}
	scheme, host := "http", r.Host
	if r.TLS != nil {
		scheme = "https"
	}
	if s.proxies.believed(r) {
		if proto := first(r.Header.Get("X-Forwarded-Proto")); proto == "http" || proto == "https" {
			scheme = proto
		}
		if forwarded := first(r.Header.Get("X-Forwarded-Host")); forwarded != "" {
			host = forwarded
		}
	}
	if !plainHost.MatchString(host) {
		return ""
	}
	return scheme + "://" + host
}

// first is the first of a list in a header: what the proxy next to the client said.
func first(list string) string {
	one, _, _ := strings.Cut(list, ",")
	return strings.TrimSpace(one)
}

// ParseOrigin reads the origin of a site, such as "https://portal.example".
func ParseOrigin(text string) (string, error) {
	wrong := errors.New("not an origin such as https://portal.example")
	scheme, host, ok := strings.Cut(strings.ToLower(text), "://")
	if !ok || scheme != "http" && scheme != "https" || !plainHost.MatchString(host) {
		return "", wrong
	}
	if scheme == "https" {
		host = strings.TrimSuffix(host, ":443")
	} else {
		host = strings.TrimSuffix(host, ":80")
	}
	return scheme + "://" + host, nil
}
