package handlers_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"go.uber.org/goleak"

	"wavedeck/handlers"
	"wavedeck/handlers/present"
	"wavedeck/handlers/web"
	"wavedeck/store"
	"wavedeck/store/appdb"
	"wavedeck/store/manifest"
	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
)

// The clock of the highlighter ends by itself, some time after its last use.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/dlclark/regexp2/v2.runClock"))
}

// site is a running server on a project of its own.
type site struct {
	t       testing.TB
	root    string
	store   *store.Store
	data    *appdb.DB
	console *handlers.Server
	*httptest.Server
}

// opened is the moment at which the sample project is looked at: an hour after
// its last event, long enough for an orphan to be lost.
var opened = time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)

// openSample serves a copy of the sample project.
func openSample(t testing.TB, change ...func(*handlers.Config)) *site {
	t.Helper()
	return openSite(t, storetest.Project(t), change...)
}

// openSite serves the project in root until the test ends.
func openSite(t testing.TB, root string, change ...func(*handlers.Config)) *site {
	t.Helper()
	source, err := manifest.Open(manifest.Options{Dir: root})
	if err != nil {
		t.Fatalf("open project: %v", err)
	}
	s := &site{t: t, root: root}
	s.data = appdb.Open(t.Context(), t.TempDir())
	config := handlers.Config{
		Manifest: source, Data: s.data, Now: func() time.Time { return opened },
		Budgets: web.Budgets{Answer: time.Minute, Search: time.Minute, Asker: time.Minute}, // however busy the machine is
	}
	s.store = store.Open(source.Current().Project.DB, store.Options{
		Now: func() time.Time { return config.Now() }, Definition: handlers.Definition(source), Alive: func(int) bool { return false }, Shown: present.RedactWhole, Across: present.RedactEvents(),
	})
	config.Store = s.store
	for _, c := range change {
		c(&config)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{}, 3)
	go func() { _ = s.store.Follow(ctx); done <- struct{}{} }()
	go func() { source.Run(ctx); done <- struct{}{} }()
	console := handlers.New(config)
	s.console = console
	go func() { _ = console.Work(ctx); done <- struct{}{} }()
	s.Server = httptest.NewUnstartedServer(console)
	s.Config.BaseContext = nil
	s.Start()
	t.Cleanup(func() {
		cancel()
		s.CloseClientConnections()
		s.Close()
		for range cap(done) {
			<-done
		}
		if err := s.data.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// ready waits until the database is open, its index complete and its runs judged.
func (s *site) ready() *site {
	s.t.Helper()
	s.until("the database is open", func() bool {
		h := s.store.Health()
		_, unjudged := s.store.Attention(s.t.Context())
		return h.Phase == store.Ready && h.Index.Ready && unjudged == nil
	})
	return s
}

// until waits for a condition that something else brings about.
func (s *site) until(what string, holds func() bool) {
	s.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(time.Minute); !holds(); {
		select {
		case <-late:
			s.t.Fatalf("waited too long until %s", what)
		case <-tick.C:
		}
	}
}

// reply is an answer read to its end.
type reply struct {
	t      testing.TB
	status int
	header http.Header
	body   string
}

// as is the same site, used by another test.
func (s *site) as(t testing.TB) *site {
	other := *s
	other.t = t
	return &other
}

// get asks for a path; headers come in pairs.
func (s *site) get(path string, headers ...string) reply {
	s.t.Helper()
	return s.do(http.MethodGet, path, headers...)
}

func (s *site) do(method, path string, headers ...string) reply {
	s.t.Helper()
	return s.request(method, path, nil, headers...)
}

// send posts a body.
func (s *site) send(path, body string, headers ...string) reply {
	s.t.Helper()
	return s.request(http.MethodPost, path, strings.NewReader(body), headers...)
}

func (s *site) request(method, path string, body io.Reader, headers ...string) reply {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, body)
	if err != nil {
		s.t.Fatalf("request %s: %v", path, err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	read, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatalf("read %s: %v", path, err)
	}
	return reply{t: s.t, status: resp.StatusCode, header: resp.Header, body: string(read)}
}

// fragment asks as htmx does for a part of a page.
func (s *site) fragment(path string) reply {
	s.t.Helper()
	return s.get(path, "HX-Request", "true", "HX-Request-Type", "partial")
}

func (r reply) doc() *goquery.Document {
	r.t.Helper()
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(r.body))
	if err != nil {
		r.t.Fatalf("parse answer: %v", err)
	}
	return doc
}

// text is what a reader sees of the only element that selector finds.
func (r reply) text(selector string) string {
	r.t.Helper()
	found := r.doc().Find(selector)
	if found.Length() != 1 {
		r.t.Fatalf("%s: %d elements, want 1, in:\n%s", selector, found.Length(), clip(r.body))
	}
	return strings.Join(strings.Fields(found.Text()), " ")
}

func clip(s string) string {
	if len(s) > 4000 {
		return s[:4000] + "…"
	}
	return s
}

func emptyProject(t testing.TB) string {
	t.Helper()
	return filepath.Clean(t.TempDir())
}

// newState makes an empty state database in a project.
func newState(t testing.TB, root string) *storetest.Builder {
	t.Helper()
	path := storetest.StatePath(root)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	db, err := statedb.Create(t.Context(), path, statedb.Latest)
	if err != nil {
		t.Fatalf("create state database: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return storetest.At(t, path)
}
