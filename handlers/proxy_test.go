package handlers

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"wavedeck/handlers/auth"
	"wavedeck/handlers/web"
)

// TestWhoIsBehindAProxyWakesTheWork: the work is done once, whatever prefix it
// was asked for under.
func TestWhoIsBehindAProxyWakesTheWork(t *testing.T) {
	s := New(Config{})
	behind := s.prefixServers.under("/portal", time.Now())
	behind.common.wakeWebhooks.Notify()
	behind.common.wakeBulk.Notify()
	if len(s.common.wakeWebhooks) != 1 || len(s.common.wakeBulk) != 1 {
		t.Errorf("woken: hooks %d, bulk %d", len(s.common.wakeWebhooks), len(s.common.wakeBulk))
	}
}

// TestPrefixesAreBounded: a proxy that passes on what its clients write can be made to
// send any prefix.
func TestPrefixesAreBounded(t *testing.T) {
	at := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	limits := web.Limits{Prefixes: 8, PrefixEach: time.Minute}
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
		for i := range auth.LoginBurst {
			if code := ask(fmt.Sprintf("/guess%d", i), "wrong"); code != http.StatusUnauthorized {
				t.Errorf("attempt %d: status %d", i+1, code)
			}
		}
		if code := ask("/guess0", "wrong"); code != http.StatusTooManyRequests {
			t.Errorf("status %d", code)
		}
		one, _ := s.prefixServers.kept.Get("/guess0")
		two, _ := s.prefixServers.kept.Get("/guess1")
		if one.common.elsewhere != two.common.elsewhere || one.Shared != two.Shared || one.Shared != s.Shared {
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
		if refused < 1000-limits.Prefixes || s.prefixServers.kept.Len() > limits.Prefixes {
			t.Errorf("%d refused, %d kept", refused, s.prefixServers.kept.Len())
		}
		at = at.Add(limits.PrefixEach)
		if code := ask("/new", rightToken); code != http.StatusOK {
			t.Errorf("later: status %d", code)
		}
	})
}
