package web

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// Proxies are the addresses whose word about a request is believed.
type Proxies []netip.Prefix

func (p Proxies) trust(ip string) bool {
	addr, err := netip.ParseAddr(ip)
	return err == nil && slices.ContainsFunc(p, func(known netip.Prefix) bool { return known.Contains(addr) })
}

// believed reports whether the request comes from a proxy that the operator named.
func (p Proxies) believed(r *http.Request) bool { return p.trust(remoteIP(r)) }

// Prefix is what a trusted proxy took off the path; empty when there is none.
func (p Proxies) Prefix(r *http.Request) string {
	prefix := r.Header.Get("X-Forwarded-Prefix")
	if prefix == "" || prefix == "/" || !p.believed(r) {
		return ""
	}
	return prefix
}

// Client is the address of who asks. What a header says of it counts only when
// a trusted proxy has written it.
func (p Proxies) Client(r *http.Request) string {
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

// Secure reports whether the client speaks to us, or to a trusted proxy, over TLS.
func (p Proxies) Secure(r *http.Request) bool {
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

var plainHost = regexp.MustCompile(`^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`)

// Origin is where people reach the console, without its path: what the operator
// said, what a trusted proxy says, or what the request was sent to. It is empty
// when that cannot be a name.
func (k *Kit) Origin(r *http.Request) string {
	if k.Access.Embed.PublicOrigin != "" {
		return k.Access.Embed.PublicOrigin
	}
	scheme, host := "http", r.Host
	if r.TLS != nil {
		scheme = "https"
	}
	if k.Access.Proxies.believed(r) {
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
