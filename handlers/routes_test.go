package handlers_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"wavedeck/handlers"
)

// sampleRun is a run of the sample project that failed after three attempts.
const (
	sampleRun    = "flaky-integration-20261123-003950-6a1d"
	stoppedRun   = "slow-soak-20261123-003820-39d9"
	lostRun      = "slow-soak-20261123-003844-d20f"
	parentRun    = "nightly-audit-20261123-003816-b6f6"
	childRun     = "audit-part-20261123-003816-337b"
	markupRun    = "fix-issue-20261123-003950-9775"
	preflightRun = "flaky-integration-20261123-003815-da6a"
)

// routes is every address that is answered, with what shows that it is the right one.
var routes = []struct {
	path     string
	status   int
	selector string // of a page
	fragment string // of the same address asked for by htmx
}{
	{"/", http.StatusFound, "", ""},
	{"/runs", http.StatusOK, "section#runs table.runs", "section#runs"},
	{"/runs/" + sampleRun, http.StatusOK, "section#steps", ""},
	{"/runs/" + sampleRun + "/parts/head", http.StatusOK, "", "section#head"},
	{"/runs/" + sampleRun + "/parts/steps", http.StatusOK, "", "section#steps"},
	{"/runs/" + sampleRun + "/parts/events", http.StatusOK, "", "section#events"},
	{"/runs/" + sampleRun + "/parts/artifacts", http.StatusOK, "", "section#artifacts"},
	{"/runs/" + sampleRun + "/parts/family", http.StatusOK, "", "section#family"},
	{"/runs/" + sampleRun + "/timeline", http.StatusOK, "section#tab #waterfall", "section#tab"},
	{"/runs/" + sampleRun + "/timeline?scale=tokens&from=0&to=100", http.StatusOK, "section#tab #waterfall", "section#tab"},
	{"/runs/" + sampleRun + "/graph", http.StatusOK, "section#tab svg.dag", "section#tab"},
	{"/runs/" + sampleRun + "/log", http.StatusOK, "section#log .l.bad", ""},
	{"/runs/" + sampleRun + "/log/block", http.StatusOK, "", ".block"},
	{"/runs/" + sampleRun + "/log/end", http.StatusOK, "", "p#logend"},
	{"/runs/" + sampleRun + "/log.txt", http.StatusOK, "", ""},
	{"/compare?left=" + sampleRun + "&right=" + preflightRun, http.StatusOK, "section#compare table", "section#compare"},
	{"/runs/" + lostRun + "/parts/why", http.StatusOK, "", "#why-part #why"},
	{"/attention", http.StatusOK, "section#attention", "section#attention"},
	{"/attention/count", http.StatusOK, "", "a#attention-link"},
	{"/api/attention", http.StatusOK, "", ""},
	{"/pipelines", http.StatusOK, "main table", "section#pipelines"},
	{"/pipelines/fix-issue", http.StatusOK, "main h1", ""},
	{"/pipelines/fix-issue/trends", http.StatusOK, "section#trends svg.chart", "section#trends"},
	{"/personas", http.StatusOK, "main table", "section#personas"},
	{"/personas/navigator", http.StatusOK, "main h1", ""},
	{"/audit", http.StatusOK, "section#audit", "section#audit"},
	{"/api/audit", http.StatusOK, "", ""},
	{"/share?of=runs/" + sampleRun, http.StatusOK, "main #sharing", "#sharing"},
	{"/help/embedding", http.StatusOK, "main pre#guide-html", ""},
	{"/favicon.svg?n=3", http.StatusOK, "", ""},
	{"/api/ended?run=" + sampleRun, http.StatusOK, "", ""},
	{"/health", http.StatusOK, "section#health", "section#health"},
	{"/api/health", http.StatusOK, "", ""},
	{"/healthz", http.StatusOK, "", ""},
	{"/api/runs", http.StatusOK, "", ""},
	{"/api/runs/" + sampleRun, http.StatusOK, "", ""},
	{"/api/compare?left=" + sampleRun, http.StatusOK, "", ""},
	{"/api/pipelines", http.StatusOK, "", ""},
	{"/api/pipelines/fix-issue", http.StatusOK, "", ""},
	{"/api/personas", http.StatusOK, "", ""},
}

func TestEveryRoute(t *testing.T) {
	for _, base := range []string{"", "/deck"} {
		s := openSample(t, func(c *handlers.Config) { c.BasePath = base }).ready()
		for _, route := range routes {
			t.Run("base "+base+" answers "+route.path, func(t *testing.T) {
				page := s.get(base + route.path)
				if page.status != route.status {
					t.Fatalf("status %d, want %d: %s", page.status, route.status, clip(page.body))
				}
				wantSafeHeaders(t, page)
				if route.selector != "" && page.doc().Find(route.selector).Length() == 0 {
					t.Errorf("the page has no %s", route.selector)
				}
				wantLinksBelow(t, page, base)
				if head := s.do(http.MethodHead, base+route.path); head.status != route.status || head.body != "" {
					t.Errorf("HEAD: status %d with %d bytes", head.status, len(head.body))
				}
				if route.fragment == "" {
					return
				}
				part := s.fragment(base + route.path)
				if doc := part.doc(); doc.Find(route.fragment).Length() != 1 || doc.Find("body > header, body > footer, link, script").Length() != 0 {
					t.Errorf("the fragment is not just %s: %s", route.fragment, clip(part.body))
				}
			})
		}
	}
}

func wantSafeHeaders(t *testing.T, r reply) {
	t.Helper()
	csp := r.header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self';", "style-src 'self';", "frame-ancestors 'none'"} {
		if !strings.Contains(csp, want) {
			t.Errorf("the policy %q lacks %s", csp, want)
		}
	}
	for _, never := range []string{"unsafe", "*"} {
		if strings.Contains(csp, never) {
			t.Errorf("the policy %q has %s", csp, never)
		}
	}
	if r.header.Get("X-Content-Type-Options") != "nosniff" || r.header.Get("Referrer-Policy") != "same-origin" {
		t.Errorf("headers lack nosniff or same-origin: %v", r.header)
	}
	for name := range r.header {
		if strings.HasPrefix(name, "Access-Control-") {
			t.Errorf("an answer allows other origins: %s", name)
		}
	}
}

// wantLinksBelow checks that no link leaves the base path.
func wantLinksBelow(t *testing.T, r reply, base string) {
	t.Helper()
	if !strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
		return
	}
	doc := r.doc()
	for _, attr := range []string{"href", "src", "action", "hx-get", "hx-sse:connect"} {
		for _, node := range doc.Find("*").EachIter() {
			value, ok := node.Attr(attr)
			if node.AttrOr("type", "") == "application/json+oembed" { // read by others: it says where it is
				continue
			}
			if !ok || strings.HasPrefix(value, "#") || strings.HasPrefix(value, "?") || value == "" {
				continue
			}
			if !strings.HasPrefix(value, base+"/") || strings.HasPrefix(value, "//") {
				t.Errorf("%s=%q leaves %q", attr, value, base+"/")
			}
		}
	}
}

func TestWrongAddresses(t *testing.T) {
	s := openSample(t).ready()
	for name, c := range map[string]struct {
		method, path string
		status       int
		says         string
	}{
		"a page that is not there":              {"GET", "/nothing", 404, "page not found"},
		"a run that is not there":               {"GET", "/runs/nothing", 404, "no such run"},
		"a run whose name is a path":            {"GET", "/runs/..%2f..%2fetc%2fpasswd", 404, "no such run"},
		"a pipeline that is not there":          {"GET", "/pipelines/nothing", 404, "no pipeline"},
		"a persona that is not there":           {"GET", "/personas/nothing", 404, "no persona"},
		"a method that is not there":            {"DELETE", "/runs", 405, "DELETE is not possible"},
		"a limit that is no number":             {"GET", "/runs?limit=many", 400, "a number from 1 to 100"},
		"a limit that is too large":             {"GET", "/runs?limit=101", 400, "a number from 1 to 100"},
		"a cursor that is not one":              {"GET", "/runs?older=%21", 400, "base64"},
		"a state that is not one":               {"GET", "/runs?state=broken", 400, "succeeded"},
		"a time that is not one":                {"GET", "/runs?since=yesterday", 400, "24h"},
		"a span that ends before it begins":     {"GET", "/runs?since=1h&until=2h", 400, "a time after since"},
		"a text that is not UTF-8":              {"GET", "/runs?q=%ff", 400, "UTF-8"},
		"a text that is too long":               {"GET", "/runs?q=" + strings.Repeat("x", 1001), 400, "1000 characters"},
		"an event id that is not one":           {"GET", "/runs/" + sampleRun + "?before=x", 400, "the id of an event"},
		"a scale that is not one":               {"GET", "/runs/" + sampleRun + "/timeline?scale=x", 400, "time or tokens"},
		"a run id with a zero byte":             {"GET", "/runs/a%00b", 400, "a name in UTF-8"},
		"a place in the audit log that is none": {"GET", "/audit?older=1-1", 410, "no longer exists"},
		"the same as JSON":                      {"GET", "/api/runs?limit=0", 400, "a number from 1 to 100"},
		"a cursor of the API that is not one":   {"GET", "/api/runs?cursor=bm90aGluZw", 400, "base64"},
		"a run of the API that is not there":    {"GET", "/api/runs/nothing", 404, "no such run"},
		"an address of the API that is not one": {"GET", "/api/nothing", 404, "page not found"},
	} {
		t.Run(name, func(t *testing.T) {
			r := s.do(c.method, c.path)
			if r.status != c.status {
				t.Fatalf("status %d, want %d: %s", r.status, c.status, clip(r.body))
			}
			wantSafeHeaders(t, r)
			var said string
			if strings.HasPrefix(c.path, "/api/") {
				var body struct{ Error string }
				if err := json.Unmarshal([]byte(r.body), &body); err != nil {
					t.Fatalf("not JSON: %v: %s", err, r.body)
				}
				said = body.Error
			} else {
				said = r.text("main")
			}
			if !strings.Contains(said, c.says) {
				t.Errorf("it says %q, want %q in it", said, c.says)
			}
			said = strings.ReplaceAll(said, r.header.Get("X-Request-ID"), "") // random letters, which may be any
			for _, never := range []string{s.root, "goroutine", "SQL", "sqlite"} {
				if strings.Contains(said, never) {
					t.Errorf("the error tells %q", never)
				}
			}
		})
	}
}

func TestOnlyOwnNamesAreAnswered(t *testing.T) {
	s := openSample(t, func(c *handlers.Config) { c.Hosts = []string{"localhost", "127.0.0.1", "::1"} }).ready()
	own, _ := url.Parse(s.URL)
	for host, status := range map[string]int{
		own.Host: 200, "localhost": 200, "LOCALHOST:80": 200, "[::1]:8080": 200,
		"evil.example": 421, "127.0.0.1.evil.example": 421, "localhost.evil.example:8080": 421,
	} {
		t.Run(host, func(t *testing.T) {
			if r := s.get("/runs", "Host", host); r.status != status {
				t.Errorf("status %d, want %d", r.status, status)
			}
		})
	}
}

func TestUnchangedAnswersAreNotSentAgain(t *testing.T) {
	s := openSample(t).ready()
	for _, path := range []string{"/runs", "/runs/" + sampleRun, "/api/runs", "/pipelines"} {
		t.Run(path, func(t *testing.T) {
			etag := ""
			s.until("the page stands still", func() bool { // what is told in the background has been told
				before := etag
				etag = s.get(path).header.Get("ETag")
				return etag == before
			})
			if etag == "" {
				t.Fatal("no ETag")
			}
			if again := s.get(path, "If-None-Match", etag); again.status != http.StatusNotModified || again.body != "" {
				t.Errorf("status %d with %d bytes, want 304 without", again.status, len(again.body))
			}
			if other := s.get(path, "If-None-Match", `"other"`); other.status != http.StatusOK {
				t.Errorf("status %d for another ETag", other.status)
			}
		})
	}
	if page, part := s.get("/runs"), s.fragment("/runs"); page.header.Get("ETag") == part.header.Get("ETag") {
		t.Error("a page and its fragment have the same ETag")
	}
}
