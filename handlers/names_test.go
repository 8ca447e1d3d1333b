package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"wavedeck/store/storetest"
)

// nastyNames are names that an address, a form or a reader takes for others.
var nastyNames = []string{
	"a", ".", "..", "...", "~", "~.", "~..", "%2e", "%2E%2e", "~~.", "~a~0",
	" a", "a ", " ", "\ta", "a\u00a0", "a\x00", "a\x00b", "~a~0b", "a\nb", "a\rb", "a\r\nb",
	"a\u202eb", "a\u2066b", "a\u200b", "a\u200db", "\ufeffa", "a\u00adb", "a\u0085b", "a\x1b[31mb", "a\x7f",
	"a/b", "a/../b", "/", "//", "?", "#", "a?b=c#d", "a\\..\\b", "a%00b", "a%2fb", "a;b=c", "a:b", "a,b", "javascript:a", "new", "bulk",
}

// resolve is the address that a browser asks for where a page at base links to
// href: it takes a dot for one also where it is escaped (WHATWG URL).
func resolve(t testing.TB, base, href string) string {
	t.Helper()
	from, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	to, err := from.Parse(strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(strings.TrimSpace(href)))
	if err != nil {
		t.Fatalf("%s links to %q: %v", base, href, err)
	}
	var path []string
	parts := strings.Split(strings.ReplaceAll(to.EscapedPath(), "\\", "/"), "/")[1:]
	for i, part := range parts {
		switch dots := strings.ReplaceAll(strings.ToLower(part), "%2e", "."); {
		case dots == ".." && len(path) > 0:
			path = path[:len(path)-1]
		case dots != "." && dots != "..":
			path = append(path, part)
			continue
		}
		if i == len(parts)-1 {
			path = append(path, "")
		}
	}
	address := to.Scheme + "://" + to.Host + "/" + strings.Join(path, "/")
	if to.RawQuery != "" {
		address += "?" + to.RawQuery
	}
	return address
}

// openNasty serves a project in which everything that has a name has each of the
// nasty ones.
func openNasty(t *testing.T) *site {
	root := emptyProject(t)
	b := newState(t, root)
	b.Clock = opened.Add(-2 * time.Hour)
	var manifest strings.Builder
	manifest.WriteString("apiVersion: v1\nkind: WaveManifest\nmetadata: {name: nasty}\nadapters: {claude: {binary: claude}}\npersonas:\n")
	for i, name := range nastyNames {
		b.Clock = b.Clock.Add(time.Second)
		run := b.Run(storetest.Run{ID: name, Pipeline: name, Status: []string{"failed", "completed"}[i%2], Tags: []string{name}})
		b.Step(run, storetest.Step{ID: name, State: []string{"failed", "completed"}[i%2]})
		b.Attempt(run, storetest.Attempt{Step: name})
		b.Event(run, storetest.Event{Step: name, Persona: name, Message: "made"})
		b.Artifact(run, storetest.Artifact{Step: name, Name: name, Path: fmt.Sprintf("out/%d.md", i)})
		file := filepath.Join(root, "out", fmt.Sprintf("%d.md", i))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, fmt.Appendf(nil, "file %d", i), 0o600); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&manifest, "  %s: {adapter: claude, description: \"number %d.\"}\n", strconv.QuoteToASCII(name), i)
		pipeline := fmt.Sprintf("kind: WavePipeline\nmetadata: {name: %s, description: \"number %d.\"}\nsteps:\n  - {id: %s, persona: %s, exec: {type: prompt, source: x}}\n",
			strconv.QuoteToASCII(name), i, strconv.QuoteToASCII(name), strconv.QuoteToASCII(name))
		file = filepath.Join(root, ".agents", "pipelines", fmt.Sprintf("p%d.yaml", i))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(pipeline), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "wave.yaml"), []byte(manifest.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return openSite(t, root).ready()
}

// follow asks for what a page at base links to.
func (s *site) follow(base, href string, headers ...string) reply {
	s.t.Helper()
	return s.get(strings.TrimPrefix(resolve(s.t, s.URL+base, href), s.URL), headers...)
}

func TestEveryNameHasAPageOfItsOwn(t *testing.T) {
	s := openNasty(t)
	t.Run("a run", func(t *testing.T) {
		s := s.as(t)
		runs := s.get("/api/runs?limit=100").object()["runs"].([]any)
		links := s.get("/runs?limit=100").doc().Find("#runs tr.run a.open")
		if len(runs) != len(nastyNames) || links.Length() != len(runs) {
			t.Fatalf("%d runs and %d links for %d names", len(runs), links.Length(), len(nastyNames))
		}
		links.Each(func(i int, a *goquery.Selection) {
			want := runs[i].(object)["run_id"]
			r := s.follow("/runs", a.AttrOr("href", ""), "Accept", "application/json")
			if r.status != http.StatusOK || r.object()["run"].(object)["run_id"] != want {
				t.Errorf("%q leads to %s: %d %s", want, a.AttrOr("href", ""), r.status, clip(r.body)[:min(len(r.body), 300)])
			}
		})
	})
	for _, kind := range []string{"pipelines", "personas"} {
		t.Run("one of the "+kind, func(t *testing.T) {
			s := s.as(t)
			seen := map[string]bool{}
			s.get("/" + kind).doc().Find(`#main a[href^="/` + kind + `/"]`).Each(func(_ int, a *goquery.Selection) {
				href := a.AttrOr("href", "")
				if strings.HasSuffix(href, "/start") {
					return
				}
				r := s.follow("/"+kind, href)
				told := number.FindString(r.text("#main"))
				row := number.FindString(a.Closest("tr, li, article").Text())
				if r.status != http.StatusOK || told == "" || row != told {
					t.Errorf("%q of %q leads to the page of %q: %d", href, row, told, r.status)
				}
				seen[told] = true
			})
			if len(seen) != len(nastyNames) {
				t.Errorf("%d of %d %s have a page", len(seen), len(nastyNames), kind)
			}
		})
	}
}

var number = regexp.MustCompile(`number \d+\.`)
