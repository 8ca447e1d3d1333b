package handlers

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/gorilla/mux"

	"wavedeck/handlers/auth"
	"wavedeck/handlers/web"
	"wavedeck/store/appdb"
)

const rightToken = "correct-horse-battery-staple"

func guardedServer(t *testing.T, change ...func(*Config)) *Server {
	t.Helper()
	return benchServer(t, append([]func(*Config){func(c *Config) { c.Token = rightToken }}, change...)...)
}

// asked is a request from an address of its own, so that no limit of another counts.
func asked(method, target string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func answer1(s *Server, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// form is a request that posts values.
func form(target string, values url.Values, headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

// SignedIn is the cookie of a browser that has signed in.
func signedIn(t *testing.T, s *Server, name string) *http.Cookie {
	t.Helper()
	w := answer1(s, form(s.Paths.Login(""), url.Values{"token": {rightToken}, "name": {name}}))
	cookies := w.Result().Cookies()
	if w.Code != http.StatusSeeOther || len(cookies) != 1 {
		t.Fatalf("status %d, cookies %v", w.Code, cookies)
	}
	return cookies[0]
}

var pathVariable = regexp.MustCompile(`\{[^}]*\}`)

// everyRoute walks the router: each path with a word for each variable, and its methods.
func everyRoute(t *testing.T, s *Server) (routes [][2]string) {
	t.Helper()
	err := s.routes().Walk(func(route *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		path, err := route.GetPathTemplate()
		methods, _ := route.GetMethods()
		if err != nil || methods == nil {
			return nil //nolint:nilerr // a prefix that holds others
		}
		path = strings.ReplaceAll(path, "{part:head|steps|outcomes|events|artifacts|family}", "head")
		path = pathVariable.ReplaceAllString(path, "x")
		if path == "" || strings.HasSuffix(path, "/static/") {
			path += "/x.css"
		}
		for _, method := range methods {
			routes = append(routes, [2]string{method, path})
		}
		return nil
	})
	if err != nil || len(routes) < 40 {
		t.Fatalf("%d routes, %v", len(routes), err)
	}
	return routes
}

func TestEveryRouteAsksForTheToken(t *testing.T) {
	s := guardedServer(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel() // streams end at once
	for i, route := range everyRoute(t, s) {
		method, path := route[0], route[1]
		if path == "/login" {
			continue // has tests of its own
		}
		open := strings.HasPrefix(path, "/static/") || strings.Contains(path, "/t/") || path == "/embed/v1/theme.css"
		cookie := &http.Cookie{Name: s.common.authenticator.Sessions.Cookie, Value: s.common.authenticator.Sessions.Encode(s.common.authenticator.Sessions.Begin("", time.Now()))}
		for name, c := range map[string]struct {
			header []string
			in     bool
		}{
			"without a token":                                 {nil, false},
			"with a wrong token":                              {[]string{"Authorization", "Bearer wrong"}, false},
			"with half the token":                             {[]string{"Authorization", "Bearer " + rightToken[:10]}, false},
			"with the token as a password":                    {[]string{"Authorization", "Basic " + rightToken}, false},
			"with a wrong cookie":                             {[]string{"Cookie", cookie.Name + "=" + cookie.Value + "x"}, false},
			"with the token as a cookie":                      {[]string{"Cookie", cookie.Name + "=" + rightToken}, false},
			"with the token in the query":                     {nil, false},
			"with the token":                                  {[]string{"Authorization", "Bearer " + rightToken}, true},
			"with the cookie":                                 {[]string{"Cookie", cookie.Name + "=" + cookie.Value}, true},
			"with the cookie of before the token was changed": {[]string{"Cookie", cookieOfOther(cookie)}, false},
		} {
			t.Run(method+" "+path+" "+name, func(t *testing.T) {
				target := path
				if strings.HasSuffix(name, "query") {
					target += "?token=" + rightToken + "&access_token=" + rightToken
				}
				r := asked(method, target, c.header...)
				if c.in && strings.HasSuffix(path, "/events") {
					r = r.WithContext(ended)
				}
				r.RemoteAddr = fmt.Sprintf("10.1.%d.%d:99", i, len(name))
				w := answer1(s, r)
				if in := w.Code != http.StatusUnauthorized; in != (c.in || open && !strings.HasPrefix(strings.Join(c.header, " "), "Authorization Bearer")) {
					t.Errorf("status %d", w.Code)
				}
				if body := w.Body.String(); !c.in && !open && (strings.Contains(body, "notice") || strings.Contains(body, s.Manifest.Current().Project.Root)) {
					t.Errorf("a stranger is told of the project: %s", body)
				}
			})
		}
	}
}

// cookieOfOther is one that a server with another token has written, under our name.
func cookieOfOther(ours *http.Cookie) string {
	other := auth.NewSessions("another token", "x")
	return ours.Name + "=" + other.Encode(other.Begin("", time.Now()))
}

func TestStrangersAreLedToTheSignInPage(t *testing.T) {
	s := guardedServer(t, func(c *Config) { c.BasePath = "/deck" })
	t.Run("a browser goes there and comes back to where it wanted", func(t *testing.T) {
		w := answer1(s, asked("GET", "/deck/runs?state=failed&q=a+b", "Accept", "text/html"))
		if to := w.Header().Get("Location"); w.Code != http.StatusSeeOther || to != "/deck/login?next=%2Fdeck%2Fruns%3Fstate%3Dfailed%26q%3Da%2Bb" {
			t.Errorf("status %d to %s", w.Code, to)
		}
	})
	t.Run("a live page goes there with all of it", func(t *testing.T) {
		w := answer1(s, asked("GET", "/deck/runs", "HX-Request", "true", "HX-Request-Type", "partial", "HX-Current-URL", "http://example.com/deck/runs?state=failed"))
		if to := w.Header().Get("Hx-Redirect"); w.Code != http.StatusUnauthorized || to != "/deck/login?next=%2Fdeck%2Fruns%3Fstate%3Dfailed" {
			t.Errorf("status %d to %s", w.Code, to)
		}
	})
	t.Run("a program is told how to say who it is", func(t *testing.T) {
		w := answer1(s, asked("GET", "/deck/api/runs"))
		if w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") == "" || !strings.Contains(w.Body.String(), `"error":"authentication required`) {
			t.Errorf("status %d, %v: %s", w.Code, w.Header(), w.Body)
		}
	})
	t.Run("the page names nothing and loads only what it may", func(t *testing.T) {
		w := answer1(s, asked("GET", "/deck/login"))
		doc, _ := goquery.NewDocumentFromReader(strings.NewReader(w.Body.String()))
		if w.Code != http.StatusOK || doc.Find("form input[name=token]").Length() != 1 || strings.Contains(w.Body.String(), s.Manifest.Current().Project.Root) {
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
		for _, node := range doc.Find("link[href], script[src]").EachIter() {
			address := node.AttrOr("href", node.AttrOr("src", ""))
			if w := answer1(s, asked("GET", address)); w.Code != http.StatusOK {
				t.Errorf("%s answers %d", address, w.Code)
			}
		}
	})
	t.Run("beside the base path there is nothing", func(t *testing.T) {
		for _, path := range []string{"/login", "/runs", "/decklogin", "/deck/login/", "/deck//login", "/deck/x/../login"} {
			if w := answer1(s, asked("GET", path)); w.Code != http.StatusUnauthorized {
				t.Errorf("%s: status %d", path, w.Code)
			}
		}
	})
}

func TestSignIn(t *testing.T) {
	t.Run("the cookie is for this console only", func(t *testing.T) {
		s := guardedServer(t, func(c *Config) {
			c.BasePath = "/deck"
			c.Proxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
		})
		plain := answer1(s, form("/deck/login", url.Values{"token": {rightToken}}))
		for _, want := range []string{"; Path=/deck/;", "; HttpOnly", "; SameSite=Lax", "; Max-Age=43200"} {
			if cookie := plain.Header().Get("Set-Cookie"); !strings.Contains(cookie, want) || strings.Contains(cookie, "Secure") || strings.Contains(cookie, "Domain") {
				t.Errorf("cookie %s, want %s", cookie, want)
			}
		}
		for _, secure := range []*http.Request{
			form("https://example.com/deck/login", url.Values{"token": {rightToken}}),
			form("/deck/login", url.Values{"token": {rightToken}}, "X-Forwarded-Proto", "https"),
		} {
			if cookie := answer1(s, secure).Header().Get("Set-Cookie"); !strings.Contains(cookie, "; Secure") {
				t.Errorf("over TLS the cookie is %s", cookie)
			}
		}
	})
	t.Run("who signed in is in the audit log, and who failed to", func(t *testing.T) {
		s := guardedServer(t)
		cookie := signedIn(t, s, " Anna\n\t<b>  Bauer\x00 ")
		answer1(s, form("/login", url.Values{"token": {"wrong-" + rightToken}, "name": {"Eve"}}))
		answer1(s, form("/logout", nil, "Cookie", cookie.Name+"="+cookie.Value))
		all := entries(t, s.Data.Dir())
		if len(all) != 3 {
			t.Fatalf("%d entries", len(all))
		}
		for i, want := range []appdb.Entry{
			{Who: "token:" + s.common.authenticator.Name, Says: "Anna <b> Bauer", Action: "sign-in", Result: appdb.Done},
			{Who: "nobody", Says: "Eve", Action: "sign-in", Result: appdb.Refused},
			{Who: "token:" + s.common.authenticator.Name, Says: "Anna <b> Bauer", Action: "sign-out", Result: appdb.Done},
		} {
			if e := all[i]; e.Who != want.Who || e.Says != want.Says || e.Action != want.Action || e.Result != want.Result || e.From != "192.0.2.1" {
				t.Errorf("entry %+v, want %+v", e, want)
			}
		}
	})
	t.Run("a wrong token is told, and nothing that was typed is lost", func(t *testing.T) {
		w := answer1(guardedServer(t), form("/login", url.Values{"token": {"wrong"}, "name": {"Anna"}, "next": {"/runs?q=x"}}))
		doc, _ := goquery.NewDocumentFromReader(w.Body)
		if w.Code != http.StatusUnauthorized || doc.Find("#problem").Length() != 1 || doc.Find("input[name=name]").AttrOr("value", "") != "Anna" ||
			doc.Find("input[name=next]").AttrOr("value", "") != "/runs?q=x" || doc.Find("input[name=token]").AttrOr("value", "") != "" || w.Header().Get("Set-Cookie") != "" {
			t.Errorf("status %d: %v", w.Code, w.Header())
		}
	})
	t.Run("a page of another site cannot sign anybody in or out", func(t *testing.T) {
		s := guardedServer(t)
		cookie := signedIn(t, s, "")
		for _, header := range [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "http://evil.example"}} {
			if w := answer1(s, form("/login", url.Values{"token": {rightToken}}, header[0], header[1])); w.Code != http.StatusForbidden || w.Header().Get("Set-Cookie") != "" {
				t.Errorf("%v: in with %d", header, w.Code)
			}
			if w := answer1(s, form("/logout", nil, header[0], header[1], "Cookie", cookie.Name+"="+cookie.Value)); w.Code != http.StatusForbidden {
				t.Errorf("%v: out with %d", header, w.Code)
			}
		}
		if n := len(entries(t, s.Data.Dir())); n != 3 { // strangers leave none for what was not even looked at
			t.Errorf("%d entries", n)
		}
	})
	t.Run("a console that only reads lets people in and out too", func(t *testing.T) {
		s := guardedServer(t, func(c *Config) { c.ReadOnly = true })
		cookie := signedIn(t, s, "")
		if w := answer1(s, form("/logout", nil, "Cookie", cookie.Name+"="+cookie.Value)); w.Code != http.StatusSeeOther {
			t.Errorf("status %d", w.Code)
		}
	})
	t.Run("where nobody is asked the page goes on", func(t *testing.T) {
		s := benchServer(t)
		for _, r := range []*http.Request{asked("GET", "/login?next=/pipelines"), form("/login", url.Values{"next": {"/pipelines"}})} {
			if w := answer1(s, r); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/pipelines" {
				t.Errorf("status %d to %s", w.Code, w.Header().Get("Location"))
			}
		}
	})
}

func TestNextStaysHere(t *testing.T) {
	s := guardedServer(t, func(c *Config) { c.BasePath = "/deck" })
	for next, want := range map[string]string{
		"":                                   "/deck/runs",
		"/deck/":                             "/deck/",
		"/deck/runs?q=a%2Fb&state=failed":    "/deck/runs?q=a%2Fb&state=failed",
		"/deck/runs/a%2Fb":                   "/deck/runs/a%2Fb",
		"https://evil.example/deck/runs":     "/deck/runs",
		"//evil.example/deck/":               "/deck/runs",
		"/\\evil.example":                    "/deck/runs",
		"/deck/\\evil.example":               "/deck/runs",
		"/deck//evil.example":                "/deck/runs",
		"/deck/..//evil.example":             "/deck/runs",
		"/deck/../../evil":                   "/deck/runs",
		"/deck/%2e%2e/%2e%2e/x":              "/deck/runs",
		"/deck/\t/evil.example":              "/deck/runs",
		"\t//evil.example":                   "/deck/runs",
		"/deck/x\r\nSet-Cookie: a=b":         "/deck/runs",
		"javascript:alert(1)":                "/deck/runs",
		"data:text/html,x":                   "/deck/runs",
		"http:/deck/runs":                    "/deck/runs",
		"http:///evil.example/deck/":         "/deck/runs",
		"///evil.example":                    "/deck/runs",
		"evil.example":                       "/deck/runs",
		"/elsewhere":                         "/deck/runs",
		"/decks":                             "/deck/runs",
		"/deck/login":                        "/deck/runs",
		"/deck/login?next=/deck/login":       "/deck/runs",
		"/deck/" + strings.Repeat("x", 3000): "/deck/runs",
	} {
		t.Run(next[:min(len(next), 60)], func(t *testing.T) {
			posted := answer1(s, form("/deck/login", url.Values{"token": {rightToken}, "next": {next}}))
			if got := posted.Header().Get("Location"); got != want {
				t.Errorf("signing in leads to %q, want %q", got, want)
			}
			shown := answer1(s, asked("GET", "/deck/login?"+url.Values{"next": {next}}.Encode(), "Authorization", "Bearer "+rightToken))
			if got := shown.Header().Get("Location"); got != want {
				t.Errorf("the page leads to %q, want %q", got, want)
			}
		})
	}
}

func TestSession(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	shared := t.TempDir()
	server := func(t *testing.T, token string, at *time.Time) *Server {
		own := appdb.Open(t.Context(), shared)
		t.Cleanup(func() { _ = own.Close() })
		return benchServer(t, func(c *Config) { c.Token, c.Data, c.Now = token, own, func() time.Time { return *at } })
	}
	in := func(s *Server, c *http.Cookie) *httptest.ResponseRecorder {
		return answer1(s, asked("GET", "/api/audit", "Cookie", c.Name+"="+c.Value))
	}
	t.Run("another server with the same token accepts it, one with another does not", func(t *testing.T) {
		cookie := signedIn(t, server(t, rightToken, &now), "")
		if w := in(server(t, rightToken, &now), cookie); w.Code != http.StatusOK {
			t.Errorf("status %d", w.Code)
		}
		other := server(t, rightToken+"2", &now)
		if w := in(other, cookie); w.Code != http.StatusUnauthorized {
			t.Errorf("another token: status %d", w.Code)
		}
		cookie.Name = other.common.authenticator.Sessions.Cookie
		if w := in(other, cookie); w.Code != http.StatusUnauthorized {
			t.Errorf("another token, its cookie's name: status %d", w.Code)
		}
	})
	t.Run("it ends when it is not used, goes on when it is, but not for ever", func(t *testing.T) {
		at := now
		s := server(t, rightToken, &at)
		unused, used := signedIn(t, s, ""), signedIn(t, s, "Anna")
		at = now.Add(auth.SessionIdle - time.Second)
		if w := in(s, unused); w.Code != http.StatusOK {
			t.Errorf("just before: status %d", w.Code)
		}
		at = now.Add(auth.SessionIdle)
		if w := in(s, unused); w.Code != http.StatusUnauthorized {
			t.Errorf("unused: status %d", w.Code)
		}
		for at = now; ; at = at.Add(6 * time.Hour) {
			w := in(s, used)
			if w.Code != http.StatusOK {
				break
			}
			if cookies := w.Result().Cookies(); len(cookies) == 1 {
				used = cookies[0]
			}
		}
		if at.Sub(now) != auth.SessionWhole {
			t.Errorf("it ended after %v, want %v", at.Sub(now), auth.SessionWhole)
		}
	})
	t.Run("signing out ends it everywhere, and takes what the browser kept", func(t *testing.T) {
		s, other := server(t, rightToken, &now), server(t, rightToken, &now)
		cookie, left := signedIn(t, s, ""), signedIn(t, s, "")
		w := answer1(s, form("http://localhost/logout", nil, "Cookie", cookie.Name+"="+cookie.Value))
		if gone := w.Result().Cookies(); len(gone) != 1 || gone[0].MaxAge >= 0 || gone[0].Name != cookie.Name || w.Header().Get("Clear-Site-Data") == "" {
			t.Errorf("cookies %v", gone)
		}
		for _, server := range []*Server{s, other} {
			if w := in(server, cookie); w.Code != http.StatusUnauthorized {
				t.Errorf("afterwards: status %d", w.Code)
			}
			if w := in(server, left); w.Code != http.StatusOK {
				t.Errorf("another session: status %d", w.Code)
			}
		}
	})
	t.Run("who signed out stays out when the data folder cannot be read, and who is in can go on", func(t *testing.T) {
		own := appdb.Open(t.Context(), t.TempDir())
		s := benchServer(t, func(c *Config) { c.Token, c.Data, c.Now = rightToken, own, func() time.Time { return now } })
		out, stays := signedIn(t, s, ""), signedIn(t, s, "")
		older := &http.Cookie{Name: out.Name, Value: s.common.authenticator.Sessions.Encode(s.common.authenticator.Sessions.Begin("", now))} // of before a restart
		answer1(s, form("http://localhost/logout", nil, "Cookie", out.Name+"="+out.Value))
		if w := in(s, older); w.Code != http.StatusOK {
			t.Errorf("of before a restart, while the folder can be read: status %d", w.Code)
		}
		_ = own.Close() // it cannot be read from here on
		page := func(c *http.Cookie) int {
			return answer1(s, asked("GET", "/api/pipelines", "Cookie", c.Name+"="+c.Value)).Code
		}
		if code := page(out); code != http.StatusUnauthorized {
			t.Errorf("signed out: status %d", code)
		}
		if code := page(older); code != http.StatusUnauthorized {
			t.Errorf("of before a restart, so that it may have been signed out: status %d", code)
		}
		if code := page(stays); code != http.StatusOK {
			t.Errorf("signed in here: status %d", code)
		}
		answer1(s, form("http://localhost/logout", nil, "Cookie", stays.Name+"="+stays.Value))
		if code := page(stays); code != http.StatusUnauthorized {
			t.Errorf("signed out while it could not be read: status %d", code)
		}
		if code := page(signedIn(t, s, "")); code != http.StatusOK {
			t.Errorf("signed in anew: status %d", code)
		}
	})
}

func TestGuessing(t *testing.T) {
	at := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	proxy := netip.MustParsePrefix("192.0.2.1/32")
	guess := func(s *Server, token, from string, headers ...string) *httptest.ResponseRecorder {
		r := asked("GET", "/api/audit", append([]string{"Authorization", "Bearer " + token}, headers...)...)
		r.RemoteAddr = from
		return answer1(s, r)
	}
	waits := func(s *Server, from string, headers ...string) bool {
		return guess(s, "wrong", from, headers...).Code == http.StatusTooManyRequests
	}
	exhaust := func(t *testing.T, s *Server, from string, headers ...string) {
		t.Helper()
		for i := range auth.LoginBurst {
			if w := guess(s, "wrong", from, headers...); w.Code != http.StatusUnauthorized {
				t.Fatalf("attempt %d: status %d", i+1, w.Code)
			}
		}
	}
	limits := web.Limits{NotedBurst: 10, NotedEvery: time.Minute}
	server := func(t *testing.T) *Server {
		return guardedServer(t, func(c *Config) {
			c.Now, c.Proxies, c.Limits = func() time.Time { return at }, []netip.Prefix{proxy}, limits
		})
	}
	t.Run("after some an address is told to wait, and the right token gets in all the same", func(t *testing.T) {
		s := server(t)
		cookie := signedIn(t, s, "")
		exhaust(t, s, "203.0.113.9:1")
		post := func(token string) *httptest.ResponseRecorder {
			r := form("/login", url.Values{"token": {token}})
			r.RemoteAddr = "203.0.113.9:3"
			return answer1(s, r)
		}
		for range 3 * auth.LoginBurst {
			if w := guess(s, "wrong", "203.0.113.9:2"); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "10" {
				t.Fatalf("status %d, %v", w.Code, w.Header())
			}
			if w := guess(s, rightToken, "203.0.113.9:2"); w.Code != http.StatusOK {
				t.Fatalf("the right token: status %d", w.Code)
			}
		}
		if w := post("wrong"); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "too many failed sign-ins") {
			t.Errorf("the form: status %d", w.Code)
		}
		if w := post(rightToken); w.Code != http.StatusSeeOther {
			t.Errorf("the form with the right token: status %d", w.Code)
		}
		if waits(s, "203.0.113.10:1") {
			t.Error("a neighbour waits")
		}
		r := asked("GET", "/api/audit", "Cookie", cookie.Name+"="+cookie.Value)
		r.RemoteAddr = "203.0.113.9:4"
		if w := answer1(s, r); w.Code != http.StatusOK {
			t.Errorf("who is in already: status %d", w.Code)
		}
		at = at.Add(auth.LoginEvery)
		if waits(s, "203.0.113.9:5") {
			t.Error("after the wait it waits still")
		}
	})
	t.Run("wrong tokens are in the audit log with the client's address, at a bounded rate", func(t *testing.T) {
		s := server(t)
		for i := range 50 {
			for range 10 {
				guess(s, "wrong", "192.0.2.1:1", "X-Forwarded-For", fmt.Sprintf("203.0.113.%d", i))
			}
		}
		all := entries(t, s.Data.Dir())
		if len(all) != limits.NotedBurst {
			t.Fatalf("%d entries, want %d", len(all), limits.NotedBurst)
		}
		if e := all[0]; e.Who != "nobody" || e.From != "203.0.113.0" || e.Action != auth.ActionBearer || e.Result != appdb.Refused || e.Status != http.StatusUnauthorized {
			t.Errorf("entry %+v", e)
		}
		at = at.Add(limits.NotedEvery)
		guess(s, "wrong", "203.0.113.200:1")
		all = entries(t, s.Data.Dir())
		if e := all[len(all)-1]; len(all) != limits.NotedBurst+1 || !strings.HasPrefix(e.Note, "485 more wrong tokens") {
			t.Errorf("%d entries, the last %+v", len(all), e)
		}
		for _, e := range all {
			if strings.Contains(fmt.Sprint(e), rightToken) {
				t.Error("the log has the token")
			}
		}
	})
	t.Run("the request log has the client's address, of who is behind a proxy too", func(t *testing.T) {
		s := server(t)
		var out strings.Builder
		s.Log = slog.New(slog.NewTextHandler(&out, nil))
		guess(s, "wrong", "192.0.2.1:1", "X-Forwarded-For", "203.0.113.7")
		guess(s, rightToken, "203.0.113.8:1", "X-Forwarded-For", "198.51.100.1")
		for _, want := range []string{"from=203.0.113.7 ", "from=203.0.113.8 "} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("no %s in %s", want, out.String())
			}
		}
	})
	t.Run("the right token is never slowed down", func(t *testing.T) {
		s := server(t)
		for i := range 100 {
			if w := guess(s, rightToken, "203.0.113.9:1"); w.Code != http.StatusOK {
				t.Fatalf("attempt %d: status %d", i+1, w.Code)
			}
		}
	})
	t.Run("a machine's IPv6 addresses count as one", func(t *testing.T) {
		s := server(t)
		for i := range auth.LoginBurst {
			guess(s, "wrong", fmt.Sprintf("[2001:db8::%d]:1", i))
		}
		if !waits(s, "[2001:db8::ffff]:1") {
			t.Error("another address of it does not wait")
		}
		if waits(s, "[2001:db8:0:1::1]:1") {
			t.Error("another network waits")
		}
	})
	t.Run("a header moves nobody elsewhere unless a proxy of ours wrote it", func(t *testing.T) {
		s := server(t)
		exhaust(t, s, "203.0.113.9:1")
		if !waits(s, "203.0.113.9:1", "X-Forwarded-For", "198.51.100.1") {
			t.Error("an address that is no proxy does not wait")
		}
		exhaust(t, s, "192.0.2.1:1", "X-Forwarded-For", "198.51.100.1")
		if waits(s, "192.0.2.1:1", "X-Forwarded-For", "198.51.100.2") {
			t.Error("another client of the proxy waits")
		}
		// What the client itself wrote stands before what the proxy added.
		if !waits(s, "192.0.2.1:1", "X-Forwarded-For", "9.9.9.9, 198.51.100.1") {
			t.Error("with a made up first hop it does not wait")
		}
	})
}

func TestClientAddress(t *testing.T) {
	p := web.Proxies{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for name, c := range map[string]struct {
		remote string
		header []string
		want   string
	}{
		"nobody between":                   {"203.0.113.9:1", nil, "203.0.113.9"},
		"a header that nobody vouches for": {"203.0.113.9:1", []string{"1.1.1.1"}, "203.0.113.9"},
		"one proxy":                        {"10.0.0.1:1", []string{"203.0.113.9"}, "203.0.113.9"},
		"two proxies":                      {"10.0.0.1:1", []string{"1.1.1.1, 203.0.113.9, 10.0.0.2"}, "203.0.113.9"},
		"two headers":                      {"10.0.0.1:1", []string{"1.1.1.1", "203.0.113.9"}, "203.0.113.9"},
		"proxies only":                     {"10.0.0.1:1", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"nonsense":                         {"10.0.0.1:1", []string{"evil"}, "10.0.0.1"},
		"no header":                        {"10.0.0.1:1", nil, "10.0.0.1"},
		"IPv6":                             {"[fd00::1]:1", []string{"2001:db8::7"}, "2001:db8::7"},
		"IPv4 within IPv6":                 {"[::ffff:10.0.0.1]:1", []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
	} {
		t.Run(name, func(t *testing.T) {
			r := asked("GET", "/")
			r.RemoteAddr = c.remote
			for _, h := range c.header {
				r.Header.Add("X-Forwarded-For", h)
			}
			if got := p.Client(r); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestReadOnlyRefusesEveryAction(t *testing.T) {
	s := benchServer(t, func(c *Config) { c.ReadOnly = true })
	acts := 0
	for _, route := range everyRoute(t, s) {
		if route[0] != http.MethodPost || slices.Contains([]string{"/login", "/logout", "/api/v1/embed-tokens"}, route[1]) {
			continue
		}
		if strings.HasSuffix(route[1], "/preview") { // a question, which changes nothing
			continue
		}
		acts++
		if w := answer1(s, asked("POST", route[1])); w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "--read-only") {
			t.Errorf("%s: status %d", route[1], w.Code)
		}
	}
	if all := len(s.auth.Actions) - 3; acts < all { // sign-in, sign-out and embed-token change nothing
		t.Errorf("%d of %d actions were tried", acts, all)
	}
}

func TestHosts(t *testing.T) {
	s := guardedServer(t, func(c *Config) { c.Hosts = []string{"localhost", "deck.Example.org"}; c.AnyIP = true })
	for host, answered := range map[string]bool{
		"localhost:80": true, "deck.example.org": true, "DECK.example.org.:8080": true, "192.168.1.7:8080": true, "[fd00::1]:8080": true,
		"evil.example": false, "deck.example.org.evil.example": false, "1.2.3.4.evil.example": false, "": false, "2130706433": false, "0x7f.1": false,
	} {
		t.Run(host, func(t *testing.T) {
			r := asked("GET", "/login")
			r.Host = host
			if w := answer1(s, r); (w.Code == http.StatusOK) != answered {
				t.Errorf("status %d", w.Code)
			}
		})
	}
}

func TestStrictTransportSecurity(t *testing.T) {
	s := guardedServer(t)
	for target, want := range map[string]bool{
		"https://deck.example.org/login": true, "http://deck.example.org/login": false, "https://localhost/login": false, "https://127.0.0.1:8080/login": false, "https://[::1]/login": false,
	} {
		if w := answer1(s, asked("GET", target)); (w.Header().Get("Strict-Transport-Security") != "") != want {
			t.Errorf("%s: %q", target, w.Header().Get("Strict-Transport-Security"))
		}
	}
}
