package handlers_test

import (
	"bufio"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"wavedeck/handlers"
	"wavedeck/store/storetest"
)

const portal = "https://portal.example"

// excerpts is every part of the console that may stand elsewhere.
var excerpts = []struct{ resource, selector string }{
	{"runs/" + sampleRun + "/card", ".first.failed pre"},
	{"runs/" + sampleRun + "/timeline", ".timeline .tl-row"},
	{"runs/" + sampleRun + "/graph", "svg.dag"},
	{"runs/" + sampleRun + "/steps", "table.steps tr.step"},
	{"runs/" + sampleRun + "/log", ".lines .l.bad"},
	{"runs/" + parentRun + "/timeline", ".tl-kids"},
	{"runs", "table.runs tr.run"},
	{"runs?state=failed&limit=1", "table.runs tr.run.failed"},
	{"runs?q=" + url.QueryEscape("pipeline:flaky-integration state:failed"), "table.runs tr.run.failed"},
	{"pipelines/fix-issue/latest", ".wd-title .st"},
	{"pipelines/fix-issue/history", "table.runs tr.run"},
}

func openPortal(t testing.TB, change ...func(*handlers.Config)) *site {
	t.Helper()
	allow := func(c *handlers.Config) { c.Embed.Origins = []string{portal} }
	return openSample(t, append([]func(*handlers.Config){allow}, change...)...).ready()
}

func TestEveryFragment(t *testing.T) {
	s := openPortal(t, func(c *handlers.Config) { c.BasePath = "/deck" })
	for _, e := range excerpts {
		t.Run(e.resource, func(t *testing.T) {
			s := s.as(t)
			part, page := s.get("/deck/fragments/v1/"+e.resource), s.get("/deck/embed/v1/"+e.resource)
			if part.status != http.StatusOK || page.status != http.StatusOK {
				t.Fatalf("status %d and %d: %s", part.status, page.status, clip(part.body))
			}
			if strings.Contains(part.body, "<html") || part.doc().Find("body > .wavedeck:only-child").Length() != 1 {
				t.Errorf("the fragment is not one element: %s", clip(part.body))
			}
			if inside, _ := page.doc().Find("main").Html(); !strings.Contains(inside, `class="wavedeck"`) {
				t.Errorf("the document does not hold the fragment: %s", clip(page.body))
			}
			for _, doc := range []*goquery.Document{part.doc(), page.doc()} {
				if doc.Find(".wavedeck "+e.selector).Length() == 0 {
					t.Errorf("there is no %s in %s", e.selector, clip(part.body))
				}
				wantHarmless(t, doc, s.URL+"/deck/")
			}
			if title := page.doc().Find("title").Text(); strings.HasPrefix(title, " ") || page.doc().Find("main").AttrOr("aria-label", "") == "" {
				t.Errorf("the document has no name: %q", title)
			}
		})
	}
}

func TestWhatNeedsAttentionElsewhere(t *testing.T) {
	s := openPortal(t)
	s.until("what needs attention is noticed", func() bool {
		return s.get("/fragments/v1/attention").doc().Find(".wavedeck tr.run").Length() > 0
	})
	for _, root := range []string{"/embed/v1/", "/fragments/v1/"} {
		r := s.get(root + "attention")
		if r.status != http.StatusOK || r.doc().Find(".wavedeck tr.run").Length() == 0 {
			t.Fatalf("%s: status %d: %s", root, r.status, clip(r.body))
		}
		wantHarmless(t, r.doc(), s.URL+"/")
	}
}

// wantHarmless checks that an excerpt can only lead to the console, in a tab of its own.
func wantHarmless(t *testing.T, doc *goquery.Document, console string) {
	t.Helper()
	part := doc.Find(".wavedeck")
	if n := part.Find("form, button, input, select, textarea, script, style, link, iframe, dialog, [style], use").Length(); n > 0 {
		t.Errorf("%d elements act, load or style", n)
	}
	for _, node := range part.Find("*").EachIter() {
		for _, a := range node.Nodes[0].Attr {
			if strings.HasPrefix(a.Key, "hx-") || strings.HasPrefix(a.Key, "on") {
				t.Errorf("<%s> has %s", node.Nodes[0].Data, a.Key)
			}
			if a.Key == "id" && !strings.HasPrefix(a.Val, "wd") {
				t.Errorf("the id %s may be one of the page around", a.Val)
			}
		}
	}
	links := part.Find("a[href]")
	if links.Length() == 0 {
		t.Error("no link leads to the console")
	}
	for _, a := range links.EachIter() {
		if href := a.AttrOr("href", ""); !strings.HasPrefix(href, console) {
			t.Errorf("a link leads to %s", href)
		}
		if a.AttrOr("target", "") != "_blank" || !strings.Contains(a.AttrOr("rel", ""), "noopener") {
			t.Errorf("a link opens in place: %v", a.Nodes[0].Attr)
		}
	}
}

func TestAFragmentThatDidNotChangeIsNotSentAgain(t *testing.T) {
	var ahead atomic.Int64
	s := openPortal(t, func(c *handlers.Config) {
		c.Now = func() time.Time { return opened.Add(time.Duration(ahead.Load())) }
	})
	for _, e := range excerpts {
		t.Run(e.resource, func(t *testing.T) {
			first := s.as(t).get("/fragments/v1/" + e.resource)
			ahead.Add(int64(10 * time.Minute))
			again := s.as(t).get("/fragments/v1/"+e.resource, "If-None-Match", first.header.Get("ETag"))
			if again.status != http.StatusNotModified || again.body != "" {
				t.Errorf("ten minutes later: status %d with %d bytes, want 304", again.status, len(again.body))
			}
		})
	}
}

func TestLooks(t *testing.T) {
	s := openPortal(t)
	path := "/embed/v1/runs/" + sampleRun + "/card"
	t.Run("what an address chooses is in the document", func(t *testing.T) {
		page := s.as(t).get(path + "?theme=dark&density=comfortable&live=off&tz=Europe/Berlin").doc()
		part := page.Find(".wavedeck")
		if part.AttrOr("data-theme", "") != "dark" || part.AttrOr("data-density", "") != "comfortable" || page.Find("main").AttrOr("data-live", "") != "off" {
			t.Error("theme, density or live are not as chosen")
		}
		if text := part.Find("time").Text(); !strings.Contains(text, "CET") {
			t.Errorf("the time is %q, want it in the zone", text)
		}
	})
	t.Run("theme variables are a stylesheet of their own", func(t *testing.T) {
		q := url.Values{"--wd-bg": {"#123456"}, "--wd-accent": {"rgb(1 2 3 / 50%)"}, "--wd-text": {"RebeccaPurple"}, "--wd-row": {"2.5rem"}}
		page := s.as(t).get(path + "?" + q.Encode())
		if page.status != http.StatusBadRequest {
			t.Errorf("status %d for a colour that SVG does not name", page.status)
		}
		q.Set("--wd-text", "Navy")
		page = s.as(t).get(path + "?" + q.Encode())
		href := page.doc().Find(`link[href*="theme.css"]`).AttrOr("href", "")
		css := s.as(t).get(href)
		if want := ":root{--wd-accent:rgb(1 2 3 / 50%);--wd-bg:#123456;--wd-row:2.5rem;--wd-text:Navy;}\n"; css.body != want {
			t.Errorf("the stylesheet is %q, want %q", css.body, want)
		}
		if strings.Contains(page.body, "style=") {
			t.Error("the document has a style of its own")
		}
	})
	for name, q := range map[string]url.Values{
		"a theme that is none":             {"theme": {"pink"}},
		"a density that is none":           {"density": {"loose"}},
		"a way of following that is none":  {"live": {"always"}},
		"a zone that is none":              {"tz": {"Mars/Olympus"}},
		"a zone that is a path":            {"tz": {"../../etc/passwd"}},
		"a colour that ends its rule":      {"--wd-bg": {"#fff;}body{display:none"}},
		"a colour that loads":              {"--wd-bg": {"url(https://evil.example)"}},
		"a colour that reads another":      {"--wd-bg": {"var(--x)"}},
		"a length that is a colour":        {"--wd-row": {"red"}},
		"a length that is an expression":   {"--wd-row": {"calc(1px + 1px)"}},
		"a variable that there is not":     {"--wd-nothing": {"red"}},
		"a variable of another stylesheet": {"--x": {"red"}},
		"a limit that is no number":        {"limit": {"many"}},
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			for _, root := range []string{"/embed/v1/runs", "/fragments/v1/runs"} {
				r := s.as(t).get(root + "?" + q.Encode())
				if r.status != http.StatusBadRequest || !strings.Contains(r.text(".wavedeck"), "cannot be used") {
					t.Errorf("%s: status %d: %s", root, r.status, clip(r.body))
				}
				if r.doc().Find("form, nav").Length() > 0 {
					t.Error("the error is a page of the console")
				}
			}
		})
	}
}

func TestWhoMayFrame(t *testing.T) {
	card := "runs/" + sampleRun + "/card"
	for name, c := range map[string]struct {
		origins []string
		path    string
		want    string
	}{
		"an ordinary page":            {[]string{portal}, "/runs/" + sampleRun, "frame-ancestors 'none'"},
		"an embed without a list":     {nil, "/embed/v1/" + card, "frame-ancestors 'self'"},
		"an embed with a list":        {[]string{portal, "http://b.example:81"}, "/embed/v1/" + card, "frame-ancestors 'self' " + portal + " http://b.example:81"},
		"an embed that is not there":  {[]string{portal}, "/embed/v1/runs/nothing/card", "frame-ancestors 'self' " + portal},
		"an address that is no embed": {[]string{portal}, "/embed/v1/nothing", "frame-ancestors 'none'"},
	} {
		t.Run(name, func(t *testing.T) {
			s := openSample(t, func(cfg *handlers.Config) { cfg.Embed.Origins = c.origins }).ready()
			r := s.get(c.path)
			policy := r.header.Get("Content-Security-Policy")
			if !strings.HasSuffix(policy, c.want) {
				t.Errorf("the policy is %q, want it to end with %q", policy, c.want)
			}
			if r.header.Get("X-Frame-Options") != "" {
				t.Error("an old header says who may frame it")
			}
			if strings.Contains(c.want, "'self'") {
				for _, want := range []string{"form-action 'none'", "script-src 'self';", "style-src 'self';", "sandbox allow-scripts allow-same-origin"} {
					if !strings.Contains(policy, want) {
						t.Errorf("the policy %q lacks %s", policy, want)
					}
				}
				if r.header.Get("Cross-Origin-Opener-Policy") != "" || r.header.Get("Cross-Origin-Resource-Policy") != "cross-origin" {
					t.Errorf("an isolated page could not show it: %v", r.header)
				}
			} else if r.header.Get("Cross-Origin-Resource-Policy") != "same-origin" {
				t.Error("an ordinary page may be loaded by others")
			}
		})
	}
}

func TestCrossOriginReading(t *testing.T) {
	s := openPortal(t)
	card := "/fragments/v1/runs/" + sampleRun + "/card"
	artifact := "/api/runs/" + sampleRun + "/artifacts/provision/x"
	for name, c := range map[string]struct {
		method, path, origin string
		allowed              bool
	}{
		"a listed origin reads a fragment":            {"GET", card, portal, true},
		"a listed origin reads JSON":                  {"GET", "/api/runs", portal, true},
		"another origin reads no fragment":            {"GET", card, "https://evil.example", false},
		"the scheme counts":                           {"GET", card, "http://portal.example", false},
		"the port counts":                             {"GET", card, portal + ":8443", false},
		"a name that ends alike is another":           {"GET", card, "https://notportal.example", false},
		"an origin that is null":                      {"GET", card, "null", false},
		"a page of the console is for nobody":         {"GET", "/runs", portal, false},
		"an artifact is for nobody":                   {"GET", artifact, portal, false},
		"an artifact as it is is for nobody":          {"GET", artifact + "?raw=1", portal, false},
		"where a view sends word to is for nobody":    {"GET", "/api/views/1/hook", portal, false},
		"a listed origin may ask with headers":        {"OPTIONS", card, portal, true},
		"another origin may not ask with headers":     {"OPTIONS", card, "https://evil.example", false},
		"nobody may ask for an artifact with headers": {"OPTIONS", artifact, portal, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := s.as(t).do(c.method, c.path, "Origin", c.origin, "Access-Control-Request-Method", "GET")
			got := r.header.Get("Access-Control-Allow-Origin")
			if c.allowed && got != c.origin || !c.allowed && got != "" {
				t.Errorf("allowed is %q", got)
			}
			if c.method == http.MethodOptions && c.allowed {
				if r.status != http.StatusNoContent || !strings.Contains(r.header.Get("Access-Control-Allow-Headers"), "HX-Request") {
					t.Errorf("preflight: status %d, %v", r.status, r.header)
				}
				if methods := r.header.Get("Access-Control-Allow-Methods"); methods != "GET, HEAD" {
					t.Errorf("preflight allows %s", methods)
				}
			}
			if r.header.Get("Access-Control-Allow-Credentials") != "" {
				t.Error("cookies count")
			}
			if c.path != "/runs" && !strings.Contains(strings.Join(r.header.Values("Vary"), ","), "Origin") {
				t.Errorf("Vary is %v, want Origin in it", r.header.Values("Vary"))
			}
		})
	}
}

func TestFragmentsAsStreams(t *testing.T) {
	root := storetest.Project(t)
	s := openSite(t, root).ready()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/fragments/v1/runs/"+sampleRun+"/card", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := resp.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("the answer is %s", got)
	}
	stream := bufio.NewScanner(resp.Body)
	heard := func(event string) {
		t.Helper()
		for stream.Scan() {
			if stream.Text() == "event: "+event {
				return
			}
		}
		t.Fatalf("the stream ended without %s", event)
	}
	heard("ping")
	storetest.At(t, storetest.StatePath(root)).Event(sampleRun, storetest.Event{Step: "provision", State: "warning", Message: "late"})
	heard("run-changed")
}
