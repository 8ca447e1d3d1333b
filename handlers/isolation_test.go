package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"wavedeck/handlers"
)

// asks are the headers of a request as a browser sends it for a page of another site.
type asks []string

func elsewhere(mode, dest string, more ...string) asks {
	return append(asks{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", mode, "Sec-Fetch-Dest", dest}, more...)
}

func TestWhatPagesOfOtherSitesMayAskFor(t *testing.T) {
	var (
		run      = "/runs/" + sampleRun
		card     = "/embed/v1/runs/" + sampleRun + "/card"
		fragment = "/fragments/v1/runs/" + sampleRun + "/card"
		badge    = "/badge/v1/pipelines/fix-issue.svg"
		link     = elsewhere("navigate", "document")
		image    = elsewhere("no-cors", "image", "Referer", "https://evil.example/")
		listed   = elsewhere("no-cors", "image", "Referer", portal+"/page")
		frame    = elsewhere("navigate", "iframe")
		script   = elsewhere("no-cors", "script")
	)
	for name, c := range map[string]struct {
		list    []string // --embed-origins
		path    string
		headers asks
		want    int
	}{
		"a link from another site arrives":                         {nil, run, link, 200},
		"a link to JSON arrives":                                   {nil, "/api/runs", link, 200},
		"a page of the console asks":                               {nil, run, asks{"Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"}, 200},
		"an address that was typed":                                {nil, run, asks{"Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 200},
		"a program that says nothing of itself":                    {nil, "/api/runs", nil, 200},
		"a page is no script":                                      {nil, run, script, 403},
		"JSON is no script":                                        {nil, "/api/runs", script, 403},
		"a page is no image":                                       {nil, "/runs", image, 403},
		"a page is in no frame":                                    {[]string{portal}, run, frame, 403},
		"a page is in no object":                                   {nil, run, elsewhere("navigate", "object"), 403},
		"a download is no image":                                   {nil, run + "/export", image, 403},
		"a search is no image, which would tell by its time":       {nil, "/search?q=x", image, 403},
		"the icon tells how many failures there are":               {nil, "/favicon.svg", image, 403},
		"the stream of changes":                                    {nil, "/events", elsewhere("cors", "empty", "Origin", "https://evil.example"), 403},
		"another port of the same machine is another site":         {nil, run, asks{"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}, 403},
		"JSON read by a listed site":                               {[]string{portal}, "/api/runs", elsewhere("cors", "empty", "Origin", portal), 200},
		"JSON read by another site":                                {[]string{portal}, "/api/runs", elsewhere("cors", "empty", "Origin", "https://evil.example"), 403},
		"JSON loaded by a listed site as a script":                 {[]string{portal}, "/api/runs", script, 403},
		"a fragment read by a listed site":                         {[]string{portal}, fragment, elsewhere("cors", "empty", "Origin", portal), 200},
		"a fragment read by another site":                          {[]string{portal}, fragment, elsewhere("cors", "empty", "Origin", "https://evil.example"), 403},
		"a fragment read by who has no origin":                     {[]string{portal}, fragment, elsewhere("cors", "empty", "Origin", "null"), 403},
		"an embed in a frame, and sites are listed":                {[]string{portal}, card, frame, 200},
		"an embed in a frame, and none is":                         {nil, card, frame, 403},
		"an embed as an image":                                     {[]string{portal}, card, listed, 403},
		"an embed with a token that is none":                       {nil, "/embed/v1/t/x/runs/" + sampleRun + "/card", frame, 403},
		"a badge on a site that is not listed":                     {nil, badge, image, 403},
		"a badge on a site that is not listed, where another is":   {[]string{portal}, badge, image, 403},
		"a badge on a site that says nothing of itself":            {[]string{portal}, badge, elsewhere("no-cors", "image"), 403},
		"a badge on a listed site":                                 {[]string{portal}, badge, listed, 200},
		"a badge fetched by a server, which is no browser":         {nil, badge, nil, 200},
		"a static file":                                            {nil, "/static/app.css", elsewhere("no-cors", "style"), 200},
		"a static file for a sandboxed frame, which has no origin": {nil, "/static/embed.js", elsewhere("cors", "script", "Origin", "null"), 200},
		"the stylesheet of an embed for a sandboxed frame":         {nil, "/embed/v1/theme.css?theme=dark", elsewhere("no-cors", "style"), 200},
	} {
		t.Run(name, func(t *testing.T) {
			s := openSample(t, func(cfg *handlers.Config) { cfg.Embed.Origins = c.list }).ready()
			r := s.get(c.path, c.headers...)
			if r.status != c.want {
				t.Fatalf("status %d, want %d: %s", r.status, c.want, clip(r.body))
			}
			if !strings.Contains(strings.Join(r.header.Values("Vary"), ","), "Sec-Fetch-Site") && !strings.Contains(c.path, "/static/") {
				t.Errorf("Vary is %v", r.header.Values("Vary"))
			}
			if c.want == http.StatusForbidden && !strings.Contains(c.path, "/t/") && !strings.Contains(r.body, "the request came from a page of another site") {
				t.Errorf("it does not say why: %s", clip(r.body))
			}
		})
	}
}

func TestBadgesWithATokenOnAnySite(t *testing.T) {
	s := openPortal(t, withData(t, t.TempDir()))
	_, got := s.token(askFor("pipelines/fix-issue"))
	path := "/badge/v1/t/" + got.Token + "/pipelines/fix-issue.svg"
	if r := s.get(path, elsewhere("no-cors", "image", "Referer", "https://evil.example/")...); r.status != http.StatusOK {
		t.Errorf("status %d: %s", r.status, clip(r.body))
	}
}

func TestStaticFilesAreReadableFromAnywhere(t *testing.T) {
	s := openSample(t).ready()
	for _, path := range []string{"/static/app.css", "/static/embed.js", "/embed/v1/theme.css"} {
		h := s.get(path, "Origin", "null").header
		if h.Get("Cross-Origin-Resource-Policy") != "cross-origin" || h.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %v", path, h)
		}
	}
	h := s.get("/runs", "Origin", "null").header
	if h.Get("Cross-Origin-Resource-Policy") != "same-origin" || h.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a page: %v", h)
	}
	if policy := h.Get("Permissions-Policy"); !strings.Contains(policy, "camera=()") || !strings.Contains(policy, "geolocation=()") {
		t.Errorf("Permissions-Policy is %q", policy)
	}
}

// TestQuestionsAreForPagesOfTheConsole: what is asked with POST because it is too long for an address costs work.
func TestQuestionsAreForPagesOfTheConsole(t *testing.T) {
	s := openSample(t).ready()
	for _, path := range []string{
		"/runs/bulk", "/runs/" + sampleRun + "/retry/preview", "/runs/" + sampleRun + "/resume/preview", "/pipelines/fix-issue/start/preview",
	} {
		body := url.Values{}.Encode()
		const kind = "application/x-www-form-urlencoded"
		if r := s.send(path, body, "Content-Type", kind, "Sec-Fetch-Site", "cross-site"); r.status != http.StatusForbidden || !strings.Contains(r.body, "page of another site") {
			t.Errorf("%s for another site: status %d", path, r.status)
		}
		if r := s.send(path, body, "Content-Type", kind, "Origin", "https://evil.example"); r.status != http.StatusForbidden {
			t.Errorf("%s for another origin: status %d", path, r.status)
		}
		if r := s.send(path, body, "Content-Type", kind, "Sec-Fetch-Site", "same-origin"); r.status == http.StatusForbidden && strings.Contains(r.body, "page of another site") {
			t.Errorf("%s for a page of the console: status %d", path, r.status)
		}
	}
}
