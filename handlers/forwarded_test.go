package handlers

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// TestWhoIsBehindAProxyWakesTheWork: the work is done once, whatever prefix it
// was asked for under.
func TestWhoIsBehindAProxyWakesTheWork(t *testing.T) {
	s := New(Config{})
	behind := s.mounts.under("/portal", time.Now())
	behind.hookWake.up()
	behind.wake.up()
	if len(s.hookWake) != 1 || len(s.wake) != 1 {
		t.Errorf("woken: hooks %d, bulk %d", len(s.hookWake), len(s.wake))
	}
}

// TestPrefixesAreBounded: a proxy that passes on what its clients write can be made to
// send any prefix.
func TestPrefixesAreBounded(t *testing.T) {
	at := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	limits := Limits{Prefixes: 8, PrefixEach: time.Minute}
	s := guardedServer(t, func(c *Config) {
		c.Proxies, c.Now, c.Limits = []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}, func() time.Time { return at }, limits
	})
	ask := func(prefix, token string) int {
		r := asked("GET", "/api/audit", "X-Forwarded-Prefix", prefix, "Authorization", "Bearer "+token, "X-Forwarded-For", "203.0.113.9")
		r.RemoteAddr = "192.0.2.1:1"
		w := answer1(s, r)
		if w.Code == http.StatusServiceUnavailable && (!strings.Contains(w.Body.String(), "X-Forwarded-Prefix") || w.Header().Get("Retry-After") == "") {
			t.Errorf("a refusal does not say why: %s", w.Body.String())
		}
		return w.Code
	}
	if code := ask("/deck", rightToken); code != http.StatusOK {
		t.Fatalf("status %d", code)
	}
	t.Run("another prefix is no other limit", func(t *testing.T) {
		for i := range guessBurst {
			if code := ask(fmt.Sprintf("/guess%d", i), "wrong"); code != http.StatusUnauthorized {
				t.Errorf("attempt %d: status %d", i+1, code)
			}
		}
		if code := ask("/guess0", "wrong"); code != http.StatusTooManyRequests {
			t.Errorf("status %d", code)
		}
		one, two := s.mounts.at["/guess0"], s.mounts.at["/guess1"]
		if one.elsewhere != two.elsewhere || one.answers != two.answers || one.streams != s.streams {
			t.Error("they have limits of their own")
		}
	})
	t.Run("new ones are refused after some, and the one that is in use goes on", func(t *testing.T) {
		refused := 0
		for i := range 1000 {
			if ask(fmt.Sprintf("/x%d", i), rightToken) == http.StatusServiceUnavailable {
				refused++
			}
			if code := ask("/deck", rightToken); code != http.StatusOK {
				t.Fatalf("after %d others: status %d", i, code)
			}
		}
		if refused < 1000-limits.Prefixes || len(s.mounts.at) > limits.Prefixes || len(s.mounts.order) != len(s.mounts.at) {
			t.Errorf("%d refused, %d kept", refused, len(s.mounts.at))
		}
		at = at.Add(limits.PrefixEach)
		if code := ask("/new", rightToken); code != http.StatusOK {
			t.Errorf("later: status %d", code)
		}
	})
}
