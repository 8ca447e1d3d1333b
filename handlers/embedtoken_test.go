package handlers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wavedeck/handlers"
	"wavedeck/handlers/grant"
	"wavedeck/store/appdb"
)

// withData gives a console a folder of its own.
func withData(t testing.TB, dir string) func(*handlers.Config) {
	t.Helper()
	d := appdb.Open(context.Background(), dir)
	t.Cleanup(func() { _ = d.Close() })
	return func(c *handlers.Config) { c.Data = d }
}

type token struct {
	Token, URL, Fragment, Resource string
	ID                             string `json:"jti"`
	Origins                        []string
	ExpiresIn                      int `json:"expires_in"`
	Error                          string
}

// token asks for one; header pairs as in do.
func (s *site) token(body string, headers ...string) (int, token) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.URL+"/api/v1/embed-tokens", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	var got token
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
		s.t.Fatal(err)
	}
	if resp.Header.Get("Set-Cookie") != "" {
		s.t.Error("a token comes with a cookie")
	}
	return resp.StatusCode, got
}

func askFor(resource string) string {
	return `{"resource":"` + resource + `","origins":["` + portal + `"],"subject":"ada@example.org"}`
}

func TestTokensOpenWhatTheyAreFor(t *testing.T) {
	var ahead atomic.Int64
	dir := t.TempDir()
	s := openPortal(t, withData(t, dir), func(c *handlers.Config) {
		c.Now = func() time.Time { return opened.Add(time.Duration(ahead.Load())) }
		c.Embed.Origins = append(c.Embed.Origins, "https://second.example")
		c.ReadOnly = true // to let somebody read is no action
	})
	card := "runs/" + sampleRun + "/card"
	status, got := s.token(askFor(card))
	if status != http.StatusCreated || got.ExpiresIn != 900 || got.Resource != card {
		t.Fatalf("status %d, %+v", status, got)
	}
	path := strings.TrimPrefix(got.URL, s.URL)
	t.Run("the document and the fragment", func(t *testing.T) {
		s := s.as(t)
		page := s.get(path + "?theme=dark")
		if page.status != http.StatusOK || page.doc().Find(".first.failed").Length() != 1 {
			t.Fatalf("status %d: %s", page.status, clip(page.body))
		}
		main := page.doc().Find("main")
		if src := main.AttrOr("data-src", ""); src != strings.TrimPrefix(got.Fragment, s.URL)+"?theme=dark" {
			t.Errorf("it reads itself again from %s", src)
		}
		if main.AttrOr("data-parents", "") != portal || main.AttrOr("data-expires", "") == "" {
			t.Error("it does not know the page around it, or when it ends")
		}
		if policy := page.header.Get("Content-Security-Policy"); !strings.HasSuffix(policy, "frame-ancestors "+portal) {
			t.Errorf("the policy is %q: only the token's origin may frame it", policy)
		}
		if part := s.get(strings.TrimPrefix(got.Fragment, s.URL)); part.status != http.StatusOK {
			t.Errorf("fragment: status %d", part.status)
		}
		if page.header.Get("Set-Cookie") != "" {
			t.Error("it sets a cookie")
		}
	})
	t.Run("only its origin reads the fragment across origins", func(t *testing.T) {
		part := strings.TrimPrefix(got.Fragment, s.URL)
		if r := s.as(t).get(part, "Origin", portal); r.header.Get("Access-Control-Allow-Origin") != portal {
			t.Error("its own origin may not")
		}
		if r := s.as(t).get(part, "Origin", "https://second.example"); r.header.Get("Access-Control-Allow-Origin") != "" {
			t.Error("another listed origin may")
		}
	})
	for name, other := range map[string]string{
		"another part of the run": "runs/" + sampleRun + "/log",
		"another run":             "runs/" + stoppedRun + "/card",
		"the list":                "runs",
		"a pipeline":              "pipelines/fix-issue/latest",
	} {
		t.Run("not "+name, func(t *testing.T) {
			for _, root := range []string{"/embed/v1/t/", "/fragments/v1/t/"} {
				r := s.as(t).get(root + got.Token + "/" + other)
				if r.status != http.StatusForbidden || strings.Contains(r.body, "<table") {
					t.Errorf("%s: status %d: %s", root, r.status, clip(r.body))
				}
			}
		})
	}
	t.Run("not anything else of the console", func(t *testing.T) {
		for _, p := range []string{"/embed/v1/t/" + got.Token + "/", "/embed/v1/t/" + got.Token, "/t/" + got.Token + "/" + card, "/embed/v1/t/" + got.Token + "/runs/" + sampleRun + "/artifacts/a/b"} {
			if r := s.as(t).get(p); r.status != http.StatusNotFound {
				t.Errorf("%s: status %d", strings.ReplaceAll(p, got.Token, "TOKEN"), r.status)
			}
		}
	})
	t.Run("not with a letter changed", func(t *testing.T) {
		altered := []byte(got.Token)
		altered[len(altered)/2] ^= 1
		r := s.as(t).get("/embed/v1/t/" + string(altered) + "/" + card)
		if r.status != http.StatusForbidden {
			t.Errorf("status %d", r.status)
		}
	})
	t.Run("another server with the same folder takes it, one with another does not", func(t *testing.T) {
		here := openPortal(t, withData(t, dir))
		if r := here.get(path); r.status != http.StatusOK {
			t.Errorf("the same folder: status %d", r.status)
		}
		there := openPortal(t, withData(t, t.TempDir()))
		if r := there.get(path); r.status != http.StatusForbidden {
			t.Errorf("another folder: status %d", r.status)
		}
	})
	t.Run("the audit log has who it was for and not the token", func(t *testing.T) {
		log, err := os.ReadFile(filepath.Join(dir, "audit.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		if text := string(log); !strings.Contains(text, "ada@example.org") || !strings.Contains(text, got.ID) || strings.Contains(text, got.Token[3:40]) {
			t.Errorf("the audit log: %s", text)
		}
	})
	t.Run("it ends", func(t *testing.T) {
		ahead.Store(int64(15 * time.Minute))
		r := s.as(t).get(path)
		if r.status != http.StatusGone || r.doc().Find("main").AttrOr("data-state", "") != "expired" {
			t.Errorf("status %d: %s", r.status, clip(r.body))
		}
		if !strings.Contains(r.text(".wavedeck"), "expired") {
			t.Errorf("it says %q", r.text(".wavedeck"))
		}
	})
	t.Run("keys change, and the one before is accepted", func(t *testing.T) {
		next := opened.Truncate(7 * 24 * time.Hour).Add(7 * 24 * time.Hour)
		ahead.Store(int64(next.Add(-time.Minute).Sub(opened)))
		_, last := s.as(t).token(askFor(card))
		ahead.Store(int64(next.Add(time.Minute).Sub(opened)))
		_, first := s.as(t).token(askFor(card))
		for _, token := range []string{last.Token, first.Token} {
			if r := s.as(t).get("/embed/v1/t/" + token + "/" + card); r.status != http.StatusOK {
				t.Errorf("status %d", r.status)
			}
		}
	})
}

func TestAskingForTokens(t *testing.T) {
	s := openPortal(t, withData(t, t.TempDir()))
	for name, c := range map[string]struct {
		body    string
		headers []string
		status  int
		says    string
	}{
		"a run":                              {askFor("runs/" + sampleRun), nil, 201, ""},
		"a list that is narrowed":            {askFor("runs?state=failed&theme=dark"), nil, 201, ""},
		"a pipeline":                         {askFor("pipelines/fix-issue"), nil, 201, ""},
		"everything":                         {askFor(""), nil, 400, "a part of the console"},
		"everything, spelled in another way": {askFor("/"), nil, 400, "a part of the console"},
		"a run without an id":                {askFor("runs/"), nil, 400, "a part of the console"},
		"a run without an id, narrowed":      {askFor("runs/?state=failed"), nil, 400, "a part of the console"},
		"a part of a run without an id":      {askFor("runs//card"), nil, 400, "a part of the console"},
		"with a slash too many":              {askFor("/runs/x"), nil, 400, "a part of the console"},
		"all pipelines":                      {askFor("pipelines"), nil, 400, "a part of the console"},
		"a part that there is not":           {askFor("runs/x/artifacts"), nil, 400, "a part of the console"},
		"an artifact":                        {askFor("runs/x/artifacts/a/b"), nil, 400, "a part of the console"},
		"something else":                     {askFor("api/runs"), nil, 400, "a part of the console"},
		"for no page":                        {`{"resource":"runs/x"}`, nil, 400, "origins"},
		"for a page that may not":            {`{"resource":"runs/x","origins":["https://evil.example"]}`, nil, 403, "--embed-origins https://evil.example"},
		"for a page that may and one not":    {`{"resource":"runs/x","origins":["` + portal + `","https://evil.example"]}`, nil, 403, "--embed-origins"},
		"for every page":                     {`{"resource":"runs/x","origins":["*"]}`, nil, 400, "https://portal.example"},
		"for too long":                       {`{"resource":"runs/x","origins":["` + portal + `"],"ttl":901}`, nil, 400, "from 1 to 900 seconds"},
		"for less than nothing":              {`{"resource":"runs/x","origins":["` + portal + `"],"ttl":-1}`, nil, 400, "from 1 to 900 seconds"},
		"with a word too many":               {`{"resource":"runs/x","origins":["` + portal + `"],"scope":"write"}`, nil, 400, "scope"},
		"with broken JSON":                   {`{`, nil, 400, "the JSON ends too early"},
		"with a word for a number":           {`{"resource":"runs/x","ttl":"long"}`, nil, 400, "the field “ttl” holds a string"},
		"with what is no object":             {`[]`, nil, 400, "it is JSON, but not an object"},
		"that is too large":                  {askFor(strings.Repeat("x", 1<<20)), nil, 413, "too large"},
		"as a form":                          {`resource=runs`, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "application/json"},
		"by a page of another site":          {askFor("runs/x"), []string{"Origin", portal, "Sec-Fetch-Site", "cross-site"}, 403, "another site"},
	} {
		t.Run(name, func(t *testing.T) {
			status, got := s.as(t).token(c.body, c.headers...)
			if status != c.status || !strings.Contains(got.Error, c.says) {
				t.Errorf("status %d, %q; want %d, %q", status, got.Error, c.status, c.says)
			}
			if strings.Contains(got.Error, "json:") || strings.Contains(got.Error, "embedTokenRequest") {
				t.Errorf("it tells how it is made: %q", got.Error)
			}
			if status != http.StatusCreated && got.Token != "" {
				t.Error("there is a token")
			}
		})
	}
	t.Run("a list's token is for just that list", func(t *testing.T) {
		_, got := s.as(t).token(askFor("runs?state=failed&theme=dark"))
		for query, status := range map[string]int{"?state=failed": 200, "?state=failed&theme=light&limit=3": 200, "": 403, "?state=failed&q=x": 403, "?state=running": 403} {
			if r := s.as(t).get("/embed/v1/t/" + got.Token + "/runs" + query); r.status != status {
				t.Errorf("%s: status %d, want %d", query, r.status, status)
			}
		}
	})
	t.Run("without a folder of its own the console makes none", func(t *testing.T) {
		s := openPortal(t, func(c *handlers.Config) { c.Data = nil })
		if status, got := s.token(askFor("runs/x")); status != http.StatusServiceUnavailable || got.Token != "" {
			t.Errorf("status %d", status)
		}
	})
	t.Run("where its folder is broken it tells no stranger which", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "secret-place")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		s := openPortal(t, withData(t, file))
		for _, path := range []string{"/embed/v1/t/x/runs", "/fragments/v1/t/x/runs", "/badge/v1/t/x/pipelines/fix-issue.json"} {
			if r := s.get(path); r.status != http.StatusServiceUnavailable || strings.Contains(r.body, "secret-place") {
				t.Errorf("%s: %d: %s", path, r.status, r.body)
			}
		}
	})
	t.Run("with a key of the operator's it needs no folder, and the key before is accepted", func(t *testing.T) {
		old, fresh := strings.Repeat("old!", 8), strings.Repeat("new!", 8)
		before := openPortal(t, func(c *handlers.Config) { c.Embed.Keys = []string{old} })
		status, got := before.token(askFor("runs/" + sampleRun))
		if status != http.StatusCreated {
			t.Fatalf("status %d", status)
		}
		path := "/embed/v1/t/" + got.Token + "/runs/" + sampleRun + "/log"
		both := openPortal(t, func(c *handlers.Config) { c.Embed.Keys = []string{fresh, old} })
		if r := both.get(path); r.status != http.StatusOK {
			t.Errorf("while both are accepted: status %d", r.status)
		}
		after := openPortal(t, func(c *handlers.Config) { c.Embed.Keys = []string{fresh} })
		if r := after.get(path); r.status != http.StatusForbidden {
			t.Errorf("afterwards: status %d", r.status)
		}
	})
}

// lines is a log that is written to by several.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestTheLogHasNoToken(t *testing.T) {
	var log lines
	s := openPortal(t, withData(t, t.TempDir()), func(c *handlers.Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	_, got := s.token(askFor("runs/" + sampleRun))
	other, err := grant.Sign([]byte("x"), grant.Grant{ID: "forged", Scope: grant.Read, Resource: "runs", Expires: opened.Unix() + 60})
	if err != nil {
		t.Fatal(err)
	}
	for _, root := range []string{"/embed/v1/t/", "/fragments/v1/t/"} {
		s.get(root + got.Token + "/runs/" + sampleRun + "/card")
		s.get(root + got.Token + "/runs/" + sampleRun + "/nothing")
		s.get(root + got.Token + "/runs")
		s.get(root + other + "/runs")
		s.do(http.MethodPost, root+got.Token+"/runs")
	}
	s.Server.CloseClientConnections()
	text := log.String()
	if !strings.Contains(text, "path=/embed/v1/t/jti:"+got.ID+"/runs/"+sampleRun+"/card") {
		t.Errorf("the log does not name the token: %s", text)
	}
	for what, part := range map[string]string{"payload": strings.Split(got.Token, ".")[1], "mac": strings.Split(got.Token, ".")[2], "a forged token": strings.Split(other, ".")[1], "a forged name": "forged"} {
		if strings.Contains(text, part) {
			t.Errorf("the log has the token's %s", what)
		}
	}
}

func TestPrefixesOfProxies(t *testing.T) {
	behind := func(networks ...string) func(*handlers.Config) {
		return func(c *handlers.Config) {
			for _, n := range networks {
				c.Proxies = append(c.Proxies, netip.MustParsePrefix(n))
			}
		}
	}
	t.Run("a trusted proxy's prefix is in front of every link", func(t *testing.T) {
		s := openPortal(t, behind("127.0.0.0/8", "::1/128"), func(c *handlers.Config) { c.BasePath = "/deck" })
		for _, path := range []string{"/runs", "/runs/" + sampleRun, "/runs/" + sampleRun + "/timeline", "/pipelines", "/embed/v1/runs"} {
			r := s.as(t).get("/deck"+path, "X-Forwarded-Prefix", "/portal/wave/", "X-Forwarded-Host", "portal.example", "X-Forwarded-Proto", "https")
			if r.status != http.StatusOK {
				t.Fatalf("%s: status %d", path, r.status)
			}
			if !strings.HasPrefix(path, "/embed") {
				wantLinksBelow(t, r, "/portal/wave/deck")
				continue
			}
			for _, a := range r.doc().Find(".wavedeck a").EachIter() {
				if href := a.AttrOr("href", ""); !strings.HasPrefix(href, "https://portal.example/portal/wave/deck/") {
					t.Errorf("a link leads to %s", href)
				}
			}
		}
		css, _ := s.as(t).get("/deck/runs", "X-Forwarded-Prefix", "/portal/wave").doc().Find("link[rel=stylesheet]").Attr("href")
		if r := s.as(t).get(strings.TrimPrefix(css, "/portal/wave"), "X-Forwarded-Prefix", "/portal/wave"); r.status != http.StatusOK {
			t.Errorf("the stylesheet %s: status %d", css, r.status)
		}
	})
	t.Run("answers with a prefix and without are kept apart", func(t *testing.T) {
		s := openPortal(t, behind("127.0.0.0/8"))
		for range 2 {
			wantLinksBelow(t, s.as(t).get("/runs", "X-Forwarded-Prefix", "/a"), "/a")
			wantLinksBelow(t, s.as(t).get("/runs", "X-Forwarded-Prefix", "/b"), "/b")
			if body := s.as(t).get("/runs").body; strings.Contains(body, `href="/a/`) || strings.Contains(body, `href="/b/`) {
				t.Error("a link has a prefix that was not asked for")
			}
		}
		for range 2 {
			one := s.as(t).get("/fragments/v1/runs", "X-Forwarded-Host", "one.example").body
			two := s.as(t).get("/fragments/v1/runs", "X-Forwarded-Host", "two.example").body
			if strings.Contains(one, "two.example") || strings.Contains(two, "one.example") || !strings.Contains(two, "http://two.example/runs/") {
				t.Error("a fragment's links are those of another host")
			}
		}
	})
	t.Run("the operator's word for where it is reached comes first", func(t *testing.T) {
		s := openPortal(t, behind("127.0.0.0/8"), func(c *handlers.Config) { c.Embed.PublicOrigin = "https://wave.example" })
		r := s.get("/fragments/v1/runs", "X-Forwarded-Host", "one.example")
		if !strings.Contains(r.body, `href="https://wave.example/runs/`) || strings.Contains(r.body, "one.example") {
			t.Errorf("links lead elsewhere: %s", clip(r.body))
		}
	})
	for name, prefix := range map[string]string{
		"another host": "//evil.example", "markup": `/"><script>`, "a way up": "/../x", "an escape": "/%2e%2e", "an address": "https://evil.example/",
	} {
		t.Run("a prefix that is "+name+" is refused", func(t *testing.T) {
			s := openPortal(t, behind("127.0.0.1/32"))
			r := s.get("/runs", "X-Forwarded-Prefix", prefix)
			if r.status != http.StatusBadRequest || !strings.Contains(r.text("main"), "a plain path such as /deck") {
				t.Errorf("status %d: %s", r.status, clip(r.body))
			}
		})
	}
	t.Run("what others say of themselves is not believed", func(t *testing.T) {
		s := openPortal(t, behind("10.0.0.0/8"))
		r := s.get("/embed/v1/runs", "X-Forwarded-Prefix", "/evil", "X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "https")
		if r.status != http.StatusOK || strings.Contains(r.body, "evil") {
			t.Errorf("status %d: %s", r.status, clip(r.body))
		}
	})
}
