package handlers_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"wavedeck/handlers"
)

// TestBodyThatDoesNotCome asks with a body of which only the beginning is sent.
func TestBodyThatDoesNotCome(t *testing.T) {
	s := openSample(t, withData(t, t.TempDir()), func(c *handlers.Config) { c.Token, c.Budgets.Body = "the-right-token", 50*time.Millisecond }).ready()
	for _, c := range []struct{ path, kind string }{
		{"/login", "application/x-www-form-urlencoded"}, // which everybody may
		{"/views", "application/x-www-form-urlencoded"}, {"/views", "multipart/form-data; boundary=x"}, {"/api/views", "application/json"},
		{"/api/v1/embed-tokens", "application/json"},
	} {
		t.Run(c.path+" "+c.kind, func(t *testing.T) {
			conn, err := net.Dial("tcp", s.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer the-right-token\r\nContent-Type: %s\r\nContent-Length: 1000\r\n\r\n{", c.path, c.kind)
			answer, err := io.ReadAll(conn)
			if err != nil {
				t.Fatalf("the connection stays: %v", err)
			}
			if text := string(answer); !strings.HasPrefix(text, "HTTP/1.1 408 ") || strings.Contains(text, "tcp") {
				t.Errorf("%s", clip(text))
			}
		})
	}
}
