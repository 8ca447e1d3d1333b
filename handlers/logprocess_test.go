package handlers_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wavedeck/store/storetest"
)

// detached is a site with a run whose process wrote text.
func detached(t testing.TB, text string) (s *site, path string) {
	t.Helper()
	root := emptyProject(t)
	state := newState(t, root)
	run := state.Run(storetest.Run{})
	logs := filepath.Join(filepath.Dir(storetest.StatePath(root)), "logs")
	if err := os.MkdirAll(logs, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(logs, run+".log"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return openSite(t, root).ready(), "/runs/" + run + "/log"
}

func TestProcessLog(t *testing.T) {
	var text strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&text, "line %d of the \x1b[32mprocess\x1b[0m\n", i+1)
	}
	s, path := detached(t, text.String())
	for name, c := range map[string]struct {
		query string
		has   []string
		not   []string
	}{
		"it opens at its start":                 {"", []string{"#L1 .a-f2", "#L250", "nav#later[hx-get*='source=process']", "#lines.plain"}, []string{"#L251", "nav#earlier", "select[name=step]"}},
		"a range is marked":                     {"&L=2000-2001", []string{"#L2000.mk", "#L2001.mk", "nav#earlier"}, []string{"#L1", "#L2002.mk"}},
		"the end":                               {"&at=end", []string{"#L3000", "#L2751"}, []string{"nav#later", "#L2750"}},
		"the window before":                     {"&before=100", []string{"#L1", "#L99"}, []string{"#L100", "nav#earlier"}},
		"the window after":                      {"&after=2900", []string{"#L2901", "#L3000"}, []string{"#L2900", "nav#later"}},
		"a text across a colour is a hit":       {"&q=LINE+2500+of+the+process", []string{"#L2500.hit"}, []string{"#L2501.hit"}},
		"what is after the end is not there":    {"&after=5000", []string{"#logend"}, []string{".l"}},
		"the way back to the events is offered": {"", []string{"a[href='" + path + "']"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := s.as(t).get(path + "?source=process" + c.query)
			if r.status != http.StatusOK {
				t.Fatalf("status %d: %s", r.status, clip(r.body))
			}
			for _, selector := range c.has {
				if r.doc().Find(selector).Length() == 0 {
					t.Errorf("no %s", selector)
				}
			}
			for _, selector := range c.not {
				if n := r.doc().Find(selector).Length(); n > 0 {
					t.Errorf("%d of %s", n, selector)
				}
			}
		})
	}
	seen := 250
	for next, ok := s.get(path + "?source=process").doc().Find("#later").Attr("hx-get"); ok; {
		doc := s.fragment(next).doc()
		for _, l := range doc.Find(".l").EachIter() {
			if seen++; l.AttrOr("id", "") != fmt.Sprintf("L%d", seen) {
				t.Fatalf("%s where line %d should be", l.AttrOr("id", ""), seen)
			}
		}
		next, ok = doc.Find("#later").Attr("hx-get")
	}
	if seen != 3000 {
		t.Errorf("%d lines by blocks", seen)
	}
	if r := s.get(path + ".txt?source=process"); r.body != strings.NewReplacer("\x1b[32m", "", "\x1b[0m", "").Replace(text.String()) {
		t.Errorf("the download has %d bytes", len(r.body))
	}
	if end := s.get(path + "/end?source=process"); end.doc().Find("#logend span[data-last='3000']").Length() != 1 {
		t.Errorf("the end: %s", end.body)
	}
}

func TestProcessLogHidesSecrets(t *testing.T) {
	key := "-----BEGIN PRIVATE KEY-----\n" + strings.Repeat("MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\n", 30) + "-----END PRIVATE KEY-----\n"
	long := "-----BEGIN PRIVATE KEY-----\n" + strings.Repeat("MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\n", 2000) + "-----END PRIVATE KEY-----\n"
	text := strings.Repeat("before\n", 240) + key + "after it\npassword=\x1b[1mhunter2hunter2\n" + long
	s, path := detached(t, text)
	for _, query := range []string{"?source=process", "?source=process&after=250", "?source=process&L=260", "?source=process&L=1200"} {
		r := s.get(path + query)
		if strings.Contains(r.body, "MIIEvQ") || strings.Contains(r.body, "hunter2") {
			t.Errorf("%s shows a secret", query)
		}
	}
	if r := s.get(path + "?source=process&after=250"); r.text("#L273 bdi") != "after it" {
		t.Errorf("line 273 is %q", r.text("#L273 bdi"))
	}
	if r := s.get(path + ".txt?source=process"); strings.Contains(r.body, "MIIEvQ") || strings.Contains(r.body, "hunter2") {
		t.Error("the download shows a secret")
	}
}

func TestProcessLogsThatAreNone(t *testing.T) {
	root := emptyProject(t)
	state := newState(t, root)
	logs := filepath.Join(filepath.Dir(storetest.StatePath(root)), "logs")
	if err := os.MkdirAll(logs, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "secret.log"), []byte("top secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	gone := state.Run(storetest.Run{})
	climbs := state.Run(storetest.Run{ID: "../../secret"})
	linked := state.Run(storetest.Run{ID: "linked"})
	if err := os.Symlink("/etc/passwd", filepath.Join(logs, "linked.log")); err != nil {
		t.Fatal(err)
	}
	s := openSite(t, root).ready()
	for name, c := range map[string]struct {
		run    string
		status int
		says   string
	}{
		"one that is not there":      {gone, 200, "No process log"},
		"a run whose name climbs":    {strings.ReplaceAll(climbs, "/", "%2f"), 200, "No process log"},
		"a link out of the project":  {linked, 403, "symbolic link"},
		"a run that is not there":    {"nothing", 404, "no such run"},
		"what the run says is empty": {gone, 200, "only detached runs"},
	} {
		t.Run(name, func(t *testing.T) {
			r := s.as(t).get("/runs/" + c.run + "/log?source=process")
			if r.status != c.status || !strings.Contains(r.text("main"), c.says) || strings.Contains(r.body, "top secret") || strings.Contains(r.body, "root:") {
				t.Errorf("status %d: %s", r.status, clip(r.text("main")))
			}
			for _, part := range []string{"/block", "/end", ".txt"} {
				if r := s.as(t).get("/runs/" + c.run + "/log" + part + "?source=process"); r.status != 404 && r.status != 403 {
					t.Errorf("%s: status %d", part, r.status)
				}
			}
		})
	}
}
