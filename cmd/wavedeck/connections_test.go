package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"wavedeck/store/storetest"
)

// TestConnectionsOfOneAddress: who holds all that an address may is told, and the rest
// of the world goes on.
func TestConnectionsOfOneAddress(t *testing.T) {
	t.Parallel()
	p := start(t, "serve", "--project", storetest.Project(t), "--port", "0", "--connections", "20")
	at, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	dial := func() net.Conn {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", at.Host)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	ask := func(c net.Conn, path, accept string) (*http.Response, string) {
		_, _ = io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: "+at.Host+"\r\nAccept: "+accept+"\r\n\r\n")
		_ = c.SetReadDeadline(time.Now().Add(patience))
		r, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return r, string(body)
	}
	var held []net.Conn
	for range 20 {
		c := dial()
		if r, _ := ask(c, "/healthz", "*/*"); r.StatusCode != http.StatusOK {
			t.Fatalf("connection %d: %s", len(held)+1, r.Status)
		}
		held = append(held, c)
	}
	for path, accept := range map[string]string{"/runs": "text/html", "/api/runs": "application/json"} {
		r, body := ask(dial(), path, accept)
		if r.StatusCode != http.StatusServiceUnavailable || !r.Close || r.Header.Get("Retry-After") == "" || !strings.Contains(body, "too many connections are open from this address") {
			t.Errorf("%s: %s, %v: %s", path, r.Status, r.Header, body)
		}
	}
	if r, _ := ask(held[0], "/healthz", "*/*"); r.StatusCode != http.StatusOK {
		t.Errorf("one that is held: %s", r.Status)
	}
	for _, c := range held[:10] {
		c.Close()
	}
	eventually(t, "there is room again", func() bool {
		c := dial()
		defer c.Close()
		r, _ := ask(c, "/healthz", "*/*")
		return r.StatusCode == http.StatusOK
	})
}
