package connlimit_test

import (
	"io"
	"net"
	"net/netip"
	"testing"

	"wavedeck/handlers/connlimit"
)

func TestConnectionsOfAnAddress(t *testing.T) {
	const limit = 3
	open := func(t *testing.T, exempt func(netip.Addr) bool) (l *connlimit.Listener, dial func() net.Conn, accepted chan net.Conn) {
		inner, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l = connlimit.New(inner, limit, exempt)
		accepted = make(chan net.Conn, 100)
		go func() {
			defer close(accepted)
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				accepted <- c
			}
		}()
		t.Cleanup(func() {
			l.Close()
			for c := range accepted {
				c.Close()
			}
		})
		return l, func() net.Conn {
			c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", inner.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { c.Close() })
			return c
		}, accepted
	}
	t.Run("those above the limit are told, more are closed, and closing one makes room", func(t *testing.T) {
		_, dial, accepted := open(t, nil)
		var all []net.Conn
		for i := range limit + connlimit.Spare {
			dial()
			c := <-accepted
			if connlimit.Over(c) != (i >= limit) {
				t.Errorf("connection %d: over is %v", i+1, connlimit.Over(c))
			}
			all = append(all, c)
		}
		more := dial()
		if _, err := more.Read(make([]byte, 1)); err == nil {
			t.Error("one more is open")
		}
		for _, c := range all[:connlimit.Spare+1] {
			c.Close()
			c.Close() // counts once
		}
		dial()
		c := <-accepted
		if connlimit.Over(c) {
			t.Error("there is no room after all")
		}
		c.Close()
	})
	t.Run("a proxy has no limit", func(t *testing.T) {
		_, dial, accepted := open(t, func(a netip.Addr) bool { return a.IsLoopback() })
		for range limit + connlimit.Spare + 5 {
			c := dial()
			_, _ = io.WriteString(c, "x")
			if connlimit.Over(<-accepted) {
				t.Fatal("it has one")
			}
		}
	})
}

func TestNetwork(t *testing.T) {
	for ip, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "::ffff:192.0.2.1", "2001:db8::7": "2001:db8::/64", "2001:db8:0:1::7": "2001:db8:0:1::/64", "x": "x",
	} {
		if got := connlimit.Network(ip); got != want {
			t.Errorf("%s is %s, want %s", ip, got, want)
		}
	}
}
