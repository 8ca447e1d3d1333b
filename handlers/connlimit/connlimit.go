// Package connlimit bounds how many connections one address may hold: who opens
// them and does nothing would else take the descriptors of everybody.
package connlimit

import (
	"net"
	"net/netip"
	"sync"
)

// Spare is how many connections of an address above its limit are accepted, only to be
// refused. Any more are closed at once.
const Spare = 16

// Listener accepts connections and counts those that are open by their address. It is
// safe for concurrent use.
type Listener struct {
	net.Listener
	limit  int
	exempt func(netip.Addr) bool

	mu   sync.Mutex
	open map[string]int // by Network
}

// New limits each address to limit connections of inner, which is more than 0. Exempt
// are addresses that many stand behind, such as those of proxies; nil: none.
func New(inner net.Listener, limit int, exempt func(netip.Addr) bool) *Listener {
	return &Listener{Listener: inner, limit: limit, exempt: exempt, open: map[string]int{}}
}

// Accept waits for a connection whose address may have another. Errors are the inner
// listener's.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		inner, err := l.Listener.Accept()
		if err != nil {
			return nil, err //nolint:wrapcheck // net/http looks at it
		}
		addr, known := inner.RemoteAddr().(*net.TCPAddr)
		if !known || l.exempt != nil && l.exempt(addr.AddrPort().Addr().Unmap()) {
			return inner, nil
		}
		network := Network(addr.IP.String())
		n := l.add(network, 1)
		if n > l.limit+Spare {
			l.add(network, -1)
			_ = inner.Close()
			continue
		}
		return &conn{Conn: inner, left: sync.OnceFunc(func() { l.add(network, -1) }), over: n > l.limit}, nil
	}
}

func (l *Listener) add(network string, n int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open[network] += n
	count := l.open[network]
	if count == 0 {
		delete(l.open, network)
	}
	return count
}

// conn is one that is counted until it is closed.
type conn struct {
	net.Conn
	left func()
	over bool
}

func (c *conn) Close() error {
	c.left()
	return c.Conn.Close() //nolint:wrapcheck // as it is
}

// Over reports whether a connection is above the limit of its address, also within TLS:
// all that it should get is an answer that says so.
func Over(c net.Conn) bool {
	if outer, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = outer.NetConn()
	}
	counted, ok := c.(*conn)
	return ok && counted.over
}

// Network is what stands for an address where something is counted: a machine has a
// whole /64 of IPv6. A text that is no address stands for itself.
func Network(ip string) string {
	addr, err := netip.ParseAddr(ip)
	if err != nil || addr.Unmap().Is4() {
		return ip
	}
	prefix, _ := addr.Prefix(64)
	return prefix.String()
}
