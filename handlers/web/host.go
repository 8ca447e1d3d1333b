package web

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"wavedeck/handlers/present"
)

// CheckHost refuses names that are not ours: a page of another site could make
// its own name resolve to this address and read the answers (DNS rebinding).
func (k *Kit) CheckHost(next http.Handler) http.Handler {
	if k.Access.Hosts == nil {
		return next
	}
	refuse := HandlerFunc(func(_ http.ResponseWriter, r *http.Request) error {
		return &Error{
			Status: http.StatusMisdirectedRequest, Text: "unknown host name " + Quoted(present.Clip(r.Host, 80)),
			Next: "Use its address, or start it with --host NAME if the name is correct.",
		}
	}).Served(k)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := HostName(r.Host)
		if _, err := netip.ParseAddr(host); !k.Access.Hosts[host] && (err != nil || !k.Access.AnyIP) {
			refuse.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// HostName is the name or address in a Host header.
func HostName(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
}

// Loopback reports whether a host is this machine itself.
func Loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
