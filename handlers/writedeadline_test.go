package handlers_test

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wavedeck/handlers"
	"wavedeck/store/storetest"
)

// TestWhoDoesNotReadIsDisconnected: connections that ask and never read are not held
// for ever, whatever they ask for.
func TestWhoDoesNotReadIsDisconnected(t *testing.T) {
	root := emptyProject(t)
	state := newState(t, root)
	run := state.Run(storetest.Run{ID: "big", Status: "completed"})
	state.Artifact(run, storetest.Artifact{Step: "build", Name: "big", Path: "big.bin"})
	big := filepath.Join(root, "big.bin")
	if err := os.WriteFile(big, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(big, 64<<20); err != nil {
		t.Fatal(err)
	}
	var log lines
	s := openSite(t, root, func(c *handlers.Config) {
		c.Budgets.Write = 200 * time.Millisecond
		c.Log = slog.New(slog.NewTextHandler(&log, nil))
	}).ready()
	for name, c := range map[string]struct {
		path  string
		times int // asked on one connection
	}{
		"a large file":             {"/api/runs/big/artifacts/build/big?raw=1", 1},
		"static files, one by one": {"/static/app.css", 2000},
		"pages, one by one":        {"/runs", 2000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.URL, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err := conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
				t.Fatal(err)
			}
			_ = conn.SetWriteDeadline(time.Now().Add(30 * time.Second))
			// The server stops taking requests when it is stuck with an answer, and ends the
			// connection when it gives up: then writing fails.
			request := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: x\r\n\r\n", c.path)
			for range c.times {
				if _, err = io.WriteString(conn, request); err != nil {
					break
				}
			}
			for err == nil {
				<-time.After(20 * time.Millisecond)
				_, err = io.WriteString(conn, "\r\n")
			}
			if os.IsTimeout(err) {
				t.Error("it is held")
			}
		})
	}
}
