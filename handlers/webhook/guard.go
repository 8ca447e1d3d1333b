package webhook

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"code.dny.dev/ssrf"
)

// Guard says which addresses may be reached: those of the public internet, and
// what an operator allows besides.
type Guard struct {
	safe  *ssrf.Guardian
	hosts map[string]bool // names at which any address may be reached
}

// maxURL is how long an address may be, in bytes.
const maxURL = 2048

var plainName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`)

// IsHostName reports whether a text can be the name of a host.
func IsHostName(text string) bool { return plainName.MatchString(text) }

// NewGuard allows the networks (10.1.0.0/16), addresses and names given besides
// the public internet. The error names the one that is none of these.
func NewGuard(allow ...string) (*Guard, error) {
	g := &Guard{hosts: map[string]bool{}}
	var v4, v6 []netip.Prefix
	for _, text := range allow {
		prefix, err := netip.ParsePrefix(text)
		if addr, addrErr := netip.ParseAddr(strings.Trim(text, "[]")); addrErr == nil {
			addr = addr.Unmap().WithZone("")
			prefix, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		switch {
		case err != nil && IsHostName(text):
			g.hosts[strings.ToLower(text)] = true
		case err != nil:
			return nil, fmt.Errorf("%q is neither a network such as 10.1.0.0/16 nor a name such as hooks.internal", text)
		case prefix.Addr().Is4():
			v4 = append(v4, prefix.Masked())
		default:
			v6 = append(v6, prefix.Masked())
		}
	}
	g.safe = ssrf.New(ssrf.WithAnyPort(), ssrf.WithAllowedV4Prefixes(v4...), ssrf.WithAllowedV6Prefixes(v6...))
	return g, nil
}

// refusedError is an address that may not be reached.
type refusedError struct{ address string }

func (e *refusedError) Error() string {
	return e.address + " is not an address of the public internet; allow it with --webhook-allow"
}

// check refuses an address, "ip:port", that may not be reached under a name.
func (g *Guard) check(name, network, address string) error {
	if g.hosts[strings.ToLower(strings.TrimSuffix(name, "."))] {
		return nil
	}
	if err := g.safe.Safe(network, address, nil); err != nil {
		return &refusedError{address}
	}
	return nil
}

// dial resolves and connects. What the name resolved to is checked right before
// each connection, so that a name that is resolved to something else the second
// time is refused as well.
func (g *Guard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	name, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	dialer := net.Dialer{Timeout: dialWithin, Control: func(network, address string, _ syscallConn) error {
		return g.check(name, network, address)
	}}
	return dialer.DialContext(ctx, network, address)
}

// ParseURL parses the address of a webhook. The error says what would be right and
// does not repeat the address, which may hold a secret. A name is not resolved
// yet; an address that may not be reached is refused at once.
func (g *Guard) ParseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case len(text) > maxURL:
		return nil, fmt.Errorf("at most %d bytes", maxURL)
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Opaque != "":
		return nil, errors.New("an address such as https://hooks.example/wave")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("an address that begins with https:// or http://")
	case u.User != nil:
		return nil, errors.New("an address without a name and password: the signature says who sends")
	case u.Fragment != "":
		return nil, errors.New("an address without #")
	}
	if addr, err := netip.ParseAddr(u.Hostname()); err == nil {
		network := "tcp6"
		if addr.Unmap().Is4() {
			network = "tcp4"
		}
		if g.check(u.Hostname(), network, netip.AddrPortFrom(addr.Unmap(), 443).String()) != nil {
			return nil, errors.New("an address of the public internet, or one that the console was started with --webhook-allow for")
		}
	}
	return u, nil
}

// dialWithin is how long a connection may take to be made.
const dialWithin = 5 * time.Second
