package handlers_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"wavedeck/handlers"
	"wavedeck/store/storetest"
)

func TestBadges(t *testing.T) {
	root := storetest.Project(t)
	b := storetest.At(t, storetest.StatePath(root))
	const hostile = `<script>&"'`
	b.Run(storetest.Run{ID: "h", Pipeline: hostile, Status: "failed"})
	s := openSite(t, root).ready()
	for name, c := range map[string]struct{ pipeline, word string }{
		"a pipeline":                     {"flaky-integration", "failed"},
		"a pipeline that ended well":     {"audit-part", "succeeded"},
		"a pipeline that there is not":   {"nothing", "unknown"},
		"a name that tries to be markup": {hostile, "failed"},
	} {
		t.Run(name, func(t *testing.T) {
			path := "/badge/v1/pipelines/" + url.PathEscape(c.pipeline)
			picture := s.as(t).get(path + ".svg")
			if picture.status != http.StatusOK || picture.header.Get("Content-Type") != "image/svg+xml" {
				t.Fatalf("status %d, %s", picture.status, picture.header.Get("Content-Type"))
			}
			var texts []string
			decoder := xml.NewDecoder(strings.NewReader(picture.body))
			for {
				token, err := decoder.Token()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatalf("it is no XML: %v\n%s", err, picture.body)
				}
				switch token := token.(type) {
				case xml.CharData:
					texts = append(texts, strings.TrimSpace(string(token)))
				case xml.StartElement:
					if token.Name.Local == "script" {
						t.Error("a name became markup")
					}
				}
			}
			if all := strings.Join(texts, "|"); !strings.Contains(all, c.pipeline+": "+c.word) || !strings.HasSuffix(all, "|"+c.word) {
				t.Errorf("it says %q", all)
			}
			if picture.header.Get("Cross-Origin-Resource-Policy") != "cross-origin" {
				t.Error("a page of others may not load it")
			}
			if again := s.as(t).get(path+".svg", "If-None-Match", picture.header.Get("ETag")); again.status != http.StatusNotModified {
				t.Errorf("unchanged: status %d", again.status)
			}
			var shield struct {
				SchemaVersion         int
				Label, Message, Color string
				IsError               bool
			}
			if err := json.Unmarshal([]byte(s.as(t).get(path+".json").body), &shield); err != nil {
				t.Fatal(err)
			}
			if shield.SchemaVersion != 1 || shield.Label != c.pipeline || shield.Message != c.word || shield.IsError != (c.word == "unknown") || shield.Color == "" {
				t.Errorf("the endpoint says %+v", shield)
			}
		})
	}
	t.Run("a token opens it too", func(t *testing.T) {
		s := openPortal(t, withData(t, t.TempDir()))
		_, got := s.token(askFor("pipelines/fix-issue"))
		for path, status := range map[string]int{"fix-issue.svg": 200, "fix-issue.json": 200, "audit-part.svg": 403} {
			if r := s.get("/badge/v1/t/" + got.Token + "/pipelines/" + path); r.status != status {
				t.Errorf("%s: status %d, want %d", path, r.status, status)
			}
		}
	})
}

func TestOEmbed(t *testing.T) {
	s := openPortal(t, func(c *handlers.Config) { c.BasePath = "/deck" })
	type answer struct {
		Version, Type, Title, HTML, Error string
		Width, Height                     int
	}
	ask := func(t *testing.T, s *site, address, more string) (int, answer) {
		t.Helper()
		r := s.as(t).get("/deck/oembed?url="+url.QueryEscape(address)+more, "Accept", "application/json")
		var got answer
		if err := json.Unmarshal([]byte(r.body), &got); err != nil {
			t.Fatalf("%v: %s", err, clip(r.body))
		}
		return r.status, got
	}
	for path, resource := range map[string]string{
		"/deck/runs/" + sampleRun:               "runs/" + sampleRun + "/card",
		"/deck/runs/" + sampleRun + "#failure":  "runs/" + sampleRun + "/card",
		"/deck/runs/" + sampleRun + "/timeline": "runs/" + sampleRun + "/timeline",
		"/deck/runs/" + sampleRun + "/log?q=x":  "runs/" + sampleRun + "/log",
		"/deck/pipelines/fix-issue":             "pipelines/fix-issue/history",
	} {
		t.Run("knows "+path, func(t *testing.T) {
			status, got := ask(t, s, s.URL+path, "&format=json&maxwidth=400")
			if status != http.StatusOK || got.Type != "rich" || got.Version != "1.0" || got.Width != 400 || got.Height < 100 {
				t.Fatalf("status %d, %+v", status, got)
			}
			if !strings.Contains(got.HTML, `src="`+s.URL+"/deck/embed/v1/"+resource+`"`) || !strings.Contains(got.HTML, `title="`) {
				t.Errorf("the frame is %s", got.HTML)
			}
		})
	}
	for name, c := range map[string]struct {
		address, more string
		status        int
	}{
		"an address elsewhere":             {"https://evil.example/deck/runs/" + sampleRun, "", 404},
		"an address that begins like ours": {s.URL + ".evil.example/deck/runs/" + sampleRun, "", 404},
		"an address with a user":           {strings.Replace(s.URL, "http://", "http://a@", 1) + "/deck/runs/" + sampleRun, "", 404},
		"another scheme":                   {strings.Replace(s.URL, "http", "https", 1) + "/deck/runs/" + sampleRun, "", 404},
		"outside the base path":            {s.URL + "/runs/" + sampleRun, "", 404},
		"a way out of the base path":       {s.URL + "/deck/../runs/" + sampleRun, "", 404},
		"a page that is not shown":         {s.URL + "/deck/personas/navigator", "", 404},
		"a run that is not there":          {s.URL + "/deck/runs/nothing", "", 404},
		"no address":                       {"", "", 404},
		"a script":                         {"javascript:alert(1)", "", 404},
		"another format":                   {s.URL + "/deck/runs/" + sampleRun, "&format=xml", 501},
		"a width that is none":             {s.URL + "/deck/runs/" + sampleRun, "&maxwidth=wide", 400},
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			if status, got := ask(t, s, c.address, c.more); status != c.status || got.HTML != "" || got.Error == "" {
				t.Errorf("status %d, %+v, want %d", status, got, c.status)
			}
		})
	}
	t.Run("is a link where nobody may frame it", func(t *testing.T) {
		alone := openSample(t, func(c *handlers.Config) { c.BasePath = "/deck" }).ready()
		if status, got := ask(t, alone, alone.URL+"/deck/runs/"+sampleRun, ""); status != http.StatusOK || got.Type != "link" || got.HTML != "" {
			t.Errorf("status %d, %+v", status, got)
		}
	})
	t.Run("pages lead to it", func(t *testing.T) {
		for _, path := range []string{"/deck/runs/" + sampleRun, "/deck/runs/" + sampleRun + "/graph", "/deck/pipelines/fix-issue"} {
			href := s.as(t).get(path).doc().Find(`head link[type="application/json+oembed"]`).AttrOr("href", "")
			if !strings.HasPrefix(href, s.URL+"/deck/oembed?") {
				t.Fatalf("%s leads to %q", path, href)
			}
			if r := s.as(t).get(strings.TrimPrefix(href, s.URL)); r.status != http.StatusOK {
				t.Errorf("%s: status %d", href, r.status)
			}
		}
	})
}

func TestSharing(t *testing.T) {
	for name, c := range map[string]struct {
		origins, readers []string
		query            string
		code             []string // snippets that are there
		why              map[string]string
	}{
		"no site may":               {nil, nil, "of=runs/" + sampleRun, nil, map[string]string{"iframe": "--embed-origins https://portal.example", "fragment": "--embed-origins"}},
		"a site may":                {[]string{portal}, nil, "of=runs/" + sampleRun, []string{"iframe", "element", "fragment"}, nil},
		"another site may":          {[]string{portal}, nil, "of=runs/" + sampleRun + "&site=https://other.example", nil, map[string]string{"iframe": "--embed-origins https://other.example"}},
		"it may frame and not read": {[]string{portal}, []string{"https://reader.example"}, "of=runs/" + sampleRun + "&site=" + portal, []string{"iframe", "element"}, map[string]string{"fragment": "--cors-origins"}},
		"a pipeline":                {[]string{portal}, nil, "of=pipelines/fix-issue&kind=history", []string{"iframe", "element", "fragment", "badge"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := openSample(t, func(cfg *handlers.Config) { cfg.Embed.Origins, cfg.Embed.CORSOrigins = c.origins, c.readers }).ready()
			page := s.get("/share?" + c.query)
			if page.status != http.StatusOK {
				t.Fatalf("status %d: %s", page.status, clip(page.body))
			}
			for _, id := range c.code {
				code := page.text("#snippet-" + id)
				if !strings.Contains(code, s.URL) {
					t.Errorf("%s is %q", id, code)
				}
				if id == "element" && !strings.Contains(code, `integrity="sha384-`) {
					t.Errorf("the element's script has no checksum: %s", code)
				}
			}
			for id, why := range c.why {
				section := page.doc().Find("section[aria-labelledby=share-" + id + "]")
				if section.Find("pre").Length() != 0 || !strings.Contains(section.Find(".notice").Text(), why) {
					t.Errorf("%s: %q, want %q and nothing to copy", id, section.Text(), why)
				}
			}
			if part := s.fragment("/share?" + c.query); part.doc().Find("body > #sharing:only-child").Length() != 1 {
				t.Errorf("the dialog's content is %s", clip(part.body))
			}
		})
	}
	s := openPortal(t)
	for name, c := range map[string]struct {
		query  string
		status int
	}{
		"nothing": {"", 400}, "a persona": {"of=personas/x", 400}, "a run that is not there": {"of=runs/nothing", 404},
		"a part that there is not": {"of=runs/" + sampleRun + "&kind=artifacts", 400}, "a site that is none": {"of=runs/" + sampleRun + "&site=x", 400},
	} {
		t.Run(name+" is not shared", func(t *testing.T) {
			if r := s.as(t).get("/share?" + c.query); r.status != c.status {
				t.Errorf("status %d, want %d", r.status, c.status)
			}
		})
	}
	t.Run("pages lead to it", func(t *testing.T) {
		for _, path := range []string{"/runs/" + sampleRun, "/runs/" + sampleRun + "/log", "/pipelines/fix-issue"} {
			href := s.as(t).get(path).doc().Find("a[data-share]").AttrOr("href", "")
			if r := s.as(t).get(href); r.status != http.StatusOK {
				t.Errorf("%s leads to %q: status %d", path, href, r.status)
			}
		}
	})
}

func TestEmbeddingBehindASignIn(t *testing.T) {
	const secret = "correct-horse-battery-staple"
	s := openPortal(t, withData(t, t.TempDir()), func(c *handlers.Config) { c.Token = secret })
	card := "runs/" + sampleRun + "/card"
	t.Run("without a token of its own an embed says why it shows nothing", func(t *testing.T) {
		for _, root := range []string{"/embed/v1/", "/fragments/v1/"} {
			r := s.as(t).get(root + card)
			if r.status != http.StatusUnauthorized || strings.Contains(r.body, "provision") {
				t.Errorf("%s: status %d: %s", root, r.status, clip(r.body))
			}
		}
		if r := s.as(t).get("/badge/v1/pipelines/fix-issue.svg"); r.status != http.StatusUnauthorized {
			t.Errorf("badge: status %d", r.status)
		}
	})
	t.Run("only who has the console's token gets one", func(t *testing.T) {
		if status, got := s.as(t).token(askFor(card)); status != http.StatusUnauthorized || got.Token != "" {
			t.Errorf("status %d", status)
		}
		status, got := s.as(t).token(askFor(card), "Authorization", "Bearer "+secret)
		if status != http.StatusCreated {
			t.Fatalf("status %d: %s", status, got.Error)
		}
		page := s.as(t).get("/embed/v1/t/" + got.Token + "/" + card)
		if page.status != http.StatusOK || page.header.Get("Set-Cookie") != "" {
			t.Fatalf("status %d: %s", page.status, clip(page.body))
		}
		for _, link := range page.doc().Find(`link[rel=stylesheet], script[src]`).EachIter() {
			href := link.AttrOr("href", link.AttrOr("src", ""))
			if r := s.as(t).get(href); r.status != http.StatusOK {
				t.Errorf("%s: status %d", href, r.status)
			}
		}
		if r := s.as(t).get("/api/" + card + "?t=" + got.Token); r.status != http.StatusUnauthorized {
			t.Errorf("the token opens the API: status %d", r.status)
		}
		if r := s.as(t).get("/runs/"+sampleRun, "Authorization", "Bearer "+got.Token); r.status == http.StatusOK {
			t.Error("the token opens a page")
		}
	})
	t.Run("the share page offers only what works", func(t *testing.T) {
		page := s.as(t).get("/share?of=pipelines/fix-issue", "Authorization", "Bearer "+secret)
		for id, want := range map[string]string{"iframe": "a token", "fragment": "a token", "badge": "a token"} {
			section := page.doc().Find("section[aria-labelledby=share-" + id + "]")
			if section.Find("pre").Length() != 0 || !strings.Contains(section.Find(".notice").Text(), want) {
				t.Errorf("%s: %q", id, section.Text())
			}
		}
		if code := page.text("#snippet-element"); !strings.Contains(code, `renew="/wave-token?resource=pipelines/fix-issue/latest"`) {
			t.Errorf("the element is %s", code)
		}
	})
	t.Run("oEmbed gives a link", func(t *testing.T) {
		r := s.as(t).get("/oembed?url="+url.QueryEscape(s.URL+"/runs/"+sampleRun), "Authorization", "Bearer "+secret)
		if r.status != http.StatusOK || !strings.Contains(r.body, `"type":"link"`) {
			t.Errorf("status %d: %s", r.status, r.body)
		}
	})
}
