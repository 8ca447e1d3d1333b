package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"wavedeck/handlers"
	"wavedeck/store/appdb"
	"wavedeck/store/storetest"
	"wavedeck/views/address"
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
func openNasty(t *testing.T, change ...func(*handlers.Config)) *site {
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
	return openSite(t, root, change...).ready()
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

// TestEveryNameIsWhatItsFormAndFilterAskFor sends what the list of runs offers.
func TestEveryNameIsWhatItsFormAndFilterAskFor(t *testing.T) {
	s := openNasty(t)
	runs, forms := s.get("/api/runs?limit=100").object()["runs"].([]any), 0
	s.get("/runs?limit=100").doc().Find("#runs tr.run").Each(func(i int, row *goquery.Selection) {
		want := runs[i].(object)["run_id"].(string)
		only := func(what, href string) {
			t.Helper()
			r := s.follow("/runs", href, "Accept", "application/json")
			if found, _ := r.object()["runs"].([]any); len(found) != 1 || found[0].(object)["run_id"] != want {
				t.Errorf("%s of %q, %s, lists %d runs: %d", what, want, href, len(found), r.status)
			}
		}
		only("the tag", row.Find("a.tag").AttrOr("href", ""))
		page := s.follow("/runs", row.Find("a.open").AttrOr("href", "")).doc()
		only("the pipeline", page.Find(`a[href^="/runs?pipeline="]`).First().AttrOr("href", ""))
	})
	s.get("/attention").doc().Find("input[name=run]").Each(func(i int, input *goquery.Selection) {
		open := s.follow("/attention", input.Closest("tr, li, article").Find(`a[href^="/runs/"]`).First().AttrOr("href", ""), "Accept", "application/json")
		want := open.object()["run"].(object)["run_id"].(string)
		field := asSent(input.AttrOr("value", ""))
		if r := s.submit("/attention/seen", "run", field); r.status != http.StatusSeeOther {
			t.Errorf("the form of %q sends %q: %d", want, field, r.status)
		}
		log, err := s.data.Audit(t.Context(), appdb.AuditFilter{Limit: 1})
		if err != nil || len(log.Entries) != 1 || !slices.Equal(append(log.Entries[0].Runs, log.Entries[0].Run), []string{want, ""}) {
			t.Errorf("the form of %q named %v, %v", want, log.Entries, err)
		}
		forms++
	})
	if forms != len(nastyNames)/2+1 {
		t.Errorf("%d forms", forms)
	}
}

// TestEveryActionIsAboutWhatItsAddressNames posts to every address of an action: what is
// refused is refused with a reason, and the audit log names the very run or pipeline.
func TestEveryActionIsAboutWhatItsAddressNames(t *testing.T) {
	e := &stage{}
	s := openNasty(t, e.serve)
	t.Cleanup(func() { _ = e.Close() })
	last := func() appdb.Entry {
		log, err := s.data.Audit(t.Context(), appdb.AuditFilter{Limit: 1})
		if err != nil || len(log.Entries) != 1 {
			t.Fatalf("%d entries, %v", len(log.Entries), err)
		}
		return log.Entries[0].Entry
	}
	for _, name := range nastyNames {
		for _, action := range []string{"/runs/%s/cancel", "/runs/%s/retry", "/runs/%s/resume", "/pipelines/%s/start"} {
			path := fmt.Sprintf(action, address.Segment(name))
			program := s.json("/api"+path, `{}`)
			if program.status == http.StatusNotFound || program.status >= 500 || program.status >= 400 && program.object()["error"] == "" {
				t.Errorf("/api%s: %d %s", path, program.status, clip(program.body))
			}
			if entry := last(); program.status >= 400 && strings.HasPrefix(action, "/runs") && entry.Run != name || entry.Pipeline != name {
				t.Errorf("/api%s is recorded as %s of run %q and pipeline %q", path, entry.Action, entry.Run, entry.Pipeline)
			}
			person := s.form(path, url.Values{})
			if person.status == http.StatusNotFound || person.status >= 500 || person.status >= 400 && person.text("#main") == "" {
				t.Errorf("%s: %d %s", path, person.status, clip(person.body))
			}
			if to := person.header.Get("Location"); person.status == http.StatusSeeOther && s.follow(path, to).status != http.StatusOK {
				t.Errorf("%s leads to %s, which is not there", path, to)
			}
		}
	}
}

// TestASavedViewKeepsEveryName saves a filter by each name, under that name.
func TestASavedViewKeepsEveryName(t *testing.T) {
	s := openNasty(t, withData(t, t.TempDir()))
	for _, name := range nastyNames {
		if r := s.form("/views", url.Values{"name": {name}, "query": {url.Values{"pipeline": {address.Encode(name)}}.Encode()}}); r.status >= 500 || r.status >= 400 && r.text("#main") == "" {
			t.Errorf("%q: %d %s", name, r.status, clip(r.body))
		}
	}
	for _, view := range s.get("/api/views").object()["views"].([]any) {
		id, name := fmt.Sprint(view.(object)["id"]), view.(object)["name"].(string)
		for _, r := range []reply{
			s.form("/views/"+id+"/rename", url.Values{"name": {name + "2"}}), s.form("/views/"+id+"/rename", url.Values{"name": {name}}),
			s.form("/views/"+id+"/move", url.Values{"to": {"down"}}), s.form("/views/"+id+"/move", url.Values{"to": {"up"}}),
		} {
			if r.status != http.StatusSeeOther {
				t.Errorf("%q is not renamed or moved: %d %s", name, r.status, r.text("#main"))
			}
		}
	}
	views, _ := s.get("/api/views").object()["views"].([]any)
	if len(views) < len(nastyNames)/2 {
		t.Fatalf("%d of %d names were kept", len(views), len(nastyNames))
	}
	for _, view := range views {
		name, _ := view.(object)["name"].(string)
		id := fmt.Sprint(view.(object)["id"])
		opened := s.get("/views/" + id)
		list := s.follow("/views/"+id, opened.header.Get("Location"), "Accept", "application/json")
		runs, _ := list.object()["runs"].([]any)
		if opened.status != http.StatusSeeOther && opened.status != http.StatusFound || len(runs) != 1 {
			t.Errorf("the view %q leads to %q with %d runs", name, opened.header.Get("Location"), len(runs))
		}
	}
}

// asSent is a value of a field as a browser sends it.
func asSent(value string) string {
	return strings.NewReplacer("\r\n", "\r\n", "\r", "\r\n", "\n", "\r\n", "\x00", "\ufffd").Replace(value)
}

var number = regexp.MustCompile(`number \d+\.`)

// TestEveryLinkLeadsSomewhere follows all links and forms as a browser would.
func TestEveryLinkLeadsSomewhere(t *testing.T) {
	s := openNasty(t)
	queue, seen := []string{"/runs?limit=100", "/pipelines", "/personas", "/attention"}, map[string]bool{}
	unmarked := map[string]string{}
	for len(queue) > 0 && !t.Failed() {
		page := queue[0]
		queue = queue[1:]
		if seen[page] {
			continue
		}
		seen[page] = true
		r := s.get(page)
		if r.status >= 400 {
			t.Errorf("%s: %d %s", page, r.status, clip(r.body)[:min(len(r.body), 300)])
		}
		if kind := r.header.Get("Content-Type"); !strings.HasPrefix(kind, "text/html") {
			if at := strings.IndexAny(r.body, "\u202e\u2066\u200b\u00ad\ufeff\u0085\x7f\x1b"); at >= 0 && strings.HasPrefix(kind, "text/") {
				unmarked[kind+" "+path.Ext(page)] = fmt.Sprintf("%s: %+q", page, r.body[max(0, at-40):min(len(r.body), at+20)])
			}
			continue
		}
		doc := r.doc()
		for _, said := range saidOn(doc) {
			if strings.ContainsAny(said.text, "\u202e\u2066\u200b\u00ad\ufeff\u0085\x7f\x1b") {
				unmarked[said.where] = fmt.Sprintf("%s: %+q", page, said.text[:min(len(said.text), 60)])
			}
		}
		doc.Find("[href], [src], [hx-get]").Each(func(_ int, e *goquery.Selection) {
			for _, attribute := range []string{"href", "src", "hx-get"} {
				href, ok := e.Attr(attribute)
				if !ok {
					continue
				}
				at := resolve(t, s.URL+page, href)
				path, ours := strings.CutPrefix(at, s.URL)
				if ours && crawled(path) {
					queue = append(queue, path)
				}
			}
		})
	}
	for where, what := range unmarked {
		t.Errorf("not marked in %s on %s", where, what)
	}
	if len(seen) < 10*len(nastyNames) {
		t.Errorf("only %d addresses", len(seen))
	}
}

// said is a text that a page says, and where.
type said struct{ where, text string }

// saidOn are the texts of a page that a reader sees or hears: all but what they would
// send back, copy as it is, or read as a document of its own.
func saidOn(doc *goquery.Document) (all []said) {
	doc.Find("html *").Each(func(_ int, e *goquery.Selection) {
		where := goquery.NodeName(e) + "." + strings.ReplaceAll(e.AttrOr("class", ""), " ", ".") + " in " + goquery.NodeName(e.Parent()) + "." + e.Parent().AttrOr("class", "")
		for _, name := range []string{"title", "aria-label", "alt", "placeholder", "label", "content"} {
			if text, ok := e.Attr(name); ok {
				all = append(all, said{where + "[" + name + "]", text})
			}
		}
		if e.Is("script, style, template, textarea") {
			return
		}
		text := e.Contents().FilterFunction(func(_ int, c *goquery.Selection) bool { return goquery.NodeName(c) == "#text" }).Text()
		all = append(all, said{where, text})
	})
	return all
}

// crawled reports whether an address is about something by its name, and not one of
// the many that narrow a list further.
func crawled(path string) bool {
	path, query, _ := strings.Cut(path, "?")
	q, err := url.ParseQuery(query)
	if err != nil {
		return true
	}
	if path == "/runs" {
		return len(q) == 1 && len(q["q"]) == 0
	}
	for _, part := range []string{"/log/", "/export", "/events", "/preview", "/static/", "/audit"} {
		if strings.Contains(path, part) {
			return false
		}
	}
	return path == "/compare" || path == "/share" || len(q) == 0 && slices.ContainsFunc([]string{"/runs/", "/pipelines/", "/personas/", "/api/", "/embed/"}, func(root string) bool {
		return strings.HasPrefix(path, root)
	})
}
