package handlers_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"wavedeck/handlers"
	"wavedeck/handlers/webhook"
	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
)

// hookReceiver is somebody else's server at loopback.
type hookReceiver struct {
	*httptest.Server

	mu       sync.Mutex
	got      []received
	statuses []int // of the next answers; then 200
}

type received struct {
	id, body string
	header   http.Header
}

func receiver(t *testing.T, statuses ...int) *hookReceiver {
	t.Helper()
	h := &hookReceiver{statuses: statuses}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.got = append(h.got, received{r.Header.Get("Webhook-Id"), string(body), r.Header})
		status := http.StatusOK
		if len(h.statuses) > 0 {
			status, h.statuses = h.statuses[0], h.statuses[1:]
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "so said password=hunter2secret <b>")
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hookReceiver) all() []received {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]received{}, h.got...)
}

// runs are those that messages were about, in the order in which they came.
func (h *hookReceiver) runs(t *testing.T) (runs []string) {
	t.Helper()
	for _, r := range h.all() {
		var body struct {
			Type string
			Data struct{ Run struct{ ID, State string } }
		}
		if err := json.Unmarshal([]byte(r.body), &body); err != nil {
			t.Fatal(err, r.body)
		}
		runs = append(runs, body.Type+" "+body.Data.Run.ID+" "+body.Data.Run.State)
	}
	return runs
}

// hooking lets a console reach receivers at loopback, and gives it a clock that
// can be moved.
func hooking(t testing.TB, dir string) (func(*handlers.Config), *movable) {
	clock := &movable{at: time.Now()}
	return func(c *handlers.Config) {
		withData(t, dir)(c)
		c.Now = clock.now
		guard, err := webhook.NewGuard("127.0.0.1")
		if err != nil {
			t.Fatal(err)
		}
		c.Webhooks = guard
	}, clock
}

type movable struct {
	mu sync.Mutex
	at time.Time
}

func (m *movable) now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.at
}

func (m *movable) move(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at = m.at.Add(d)
}

// hooked serves an empty project with one view and its hook, which has been told
// of nothing yet, and returns the secret.
func hooked(t *testing.T, dir, query string, to *hookReceiver, on ...string) (s *site, b *storetest.Builder, clock *movable, secret string) {
	t.Helper()
	root := emptyProject(t)
	b = newState(t, root)
	change, clock := hooking(t, dir)
	s = openSite(t, root, change)
	b.Run(storetest.Run{ID: "before", Pipeline: "build", Status: "failed", Start: clock.now().Add(-time.Minute), End: clock.now().Add(-30 * time.Second)})
	s.ready()
	s.until("the run before is there", func() bool { return s.get("/api/runs/before").status == http.StatusOK })
	s.submit("/views", "name", "on call", "query", query)
	answer := s.send("/api/views/1/hook", encode(t, map[string]any{"url": to.URL + "/token", "on": on}), "Content-Type", "application/json")
	if answer.status != http.StatusOK {
		t.Fatalf("%d: %s", answer.status, answer.body)
	}
	secret, _ = answer.object()["secret"].(string)
	return s, b, clock, secret
}

func encode(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// begin starts runs of a pipeline; end ends one.
func runsBegin(b *storetest.Builder, clock *movable, pipeline string, ids ...string) {
	for _, id := range ids {
		b.Run(storetest.Run{ID: id, Pipeline: pipeline, Status: "running", Start: clock.now().Add(-10 * time.Second), Heartbeat: clock.now()})
	}
}

func runEnds(b *storetest.Builder, clock *movable, id, status string) {
	b.Update("pipeline_run", statedb.Row{"run_id": id, "status": status, "completed_at": clock.now().Unix(), "error_message": "it broke"})
}

func (s *site) deliveries() (list []map[string]any) {
	s.t.Helper()
	for _, d := range s.get("/api/views/1/hook").object()["deliveries"].([]any) {
		list = append(list, d.(map[string]any))
	}
	return list
}

func TestHookTellsTheEndsOfWhatItsViewLists(t *testing.T) {
	to := receiver(t)
	s, b, clock, secret := hooked(t, t.TempDir(), "pipeline=build", to, "failed", "rejected")
	runsBegin(b, clock, "build", "good", "bad")
	runsBegin(b, clock, "other", "elsewhere")
	runEnds(b, clock, "elsewhere", "failed")
	runEnds(b, clock, "good", "completed")
	runEnds(b, clock, "bad", "failed")
	s.until("it is told", func() bool { return len(to.all()) > 0 })
	s.until("that is kept", func() bool { return s.deliveries()[0]["state"] == "delivered" })
	if diff := cmp.Diff([]string{"run.ended bad failed"}, to.runs(t)); diff != "" {
		t.Fatalf("(-want +got)\n%s", diff)
	}
	message := to.all()[0]
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	if err := verifier.VerifyIgnoringTimestamp([]byte(message.body), message.header); err != nil {
		t.Errorf("the signature: %v", err)
	}
	var body struct {
		Version   int
		Timestamp time.Time
		Data      struct {
			View struct{ Name, URL string }
			Run  struct {
				Pipeline, Reason, URL string
				DurationMs            int64     `json:"duration_ms"`
				EndedAt               time.Time `json:"ended_at"`
			}
		}
	}
	if err := json.Unmarshal([]byte(message.body), &body); err != nil {
		t.Fatal(err)
	}
	if run := body.Data.Run; body.Version != 1 || run.Pipeline != "build" || run.Reason != "it broke" || run.URL != s.URL+"/runs/bad" ||
		run.DurationMs < 9000 || run.EndedAt.Unix() != clock.now().Unix() || body.Data.View.Name != "on call" || body.Data.View.URL != s.URL+"/views/1" {
		t.Errorf("%s", message.body)
	}
	d := s.deliveries()[0]
	if d["status"] != 200.0 || d["attempts"] != 1.0 || d["run_id"] != "bad" || strings.Contains(d["answer"].(string), "hunter2") {
		t.Errorf("%v", d)
	}
	page := s.get("/views/1/hook")
	if rows := page.doc().Find("#deliveries tbody tr"); rows.Length() != 1 || !strings.Contains(rows.Text(), "delivered") || rows.Find("b").Length() > 0 {
		t.Errorf("the page lists %s", rows.Text())
	}
}

func TestHookRetries(t *testing.T) {
	to := receiver(t, 500, 302)
	s, b, clock, _ := hooked(t, t.TempDir(), "", to, "failed")
	runsBegin(b, clock, "build", "bad")
	runEnds(b, clock, "bad", "failed")
	for attempt, want := range []string{"it answered 500", "redirect"} {
		s.until("the attempt is kept", func() bool {
			list := s.deliveries()
			return len(list) == 1 && list[0]["attempts"] == float64(attempt+1) && list[0]["error"] != nil
		})
		if d := s.deliveries()[0]; d["state"] != "waiting" || !strings.Contains(d["error"].(string), want) || d["next_at"] == nil {
			t.Fatalf("after attempt %d: %v", attempt+1, d)
		}
		if _, state, _, facts := s.health("webhooks"); state != "warning" || facts["retried"] != 1.0 {
			t.Errorf("health is %s: %v", state, facts)
		}
		clock.move(time.Minute)
		s.submit("/views/1/hook/again", "id", s.deliveries()[0]["id"].(string)) // and it is looked for at once
	}
	s.until("it is taken", func() bool { return s.deliveries()[0]["state"] == "delivered" })
	got := to.all()
	if len(got) != 3 || got[0].id != got[2].id || got[0].body != got[2].body || got[0].header.Get("Webhook-Timestamp") == got[2].header.Get("Webhook-Timestamp") {
		t.Errorf("%d messages: %v", len(got), got)
	}
}

func TestHookGivesUp(t *testing.T) {
	t.Run("after a day", func(t *testing.T) {
		to := receiver(t, 500, 500)
		s, _, clock, _ := hooked(t, t.TempDir(), "", to, "failed")
		s.submit("/views/1/hook/test")
		s.until("it is tried", func() bool { return len(s.deliveries()) == 1 && s.deliveries()[0]["error"] != nil })
		clock.move(webhook.GiveUp)
		s.submit("/views/1/hook/test") // and it is looked for at once
		s.until("it is given up", func() bool { return s.deliveries()[1]["state"] == "given up" })
		if _, state, do, _ := s.health("webhooks"); state != "warning" || !strings.Contains(do, "were not delivered") {
			t.Errorf("health is %s: %s", state, do)
		}
	})
	t.Run("at once when the receiver says that it is gone", func(t *testing.T) {
		s, _, _, _ := hooked(t, t.TempDir(), "", receiver(t, http.StatusGone), "failed")
		s.submit("/views/1/hook/test")
		s.until("it is given up", func() bool { return len(s.deliveries()) == 1 && s.deliveries()[0]["state"] == "given up" })
	})
}

// TestHookOfTwoServers has two consoles over one folder, while one of them is
// away for a while: each end is told, and once.
func TestHookOfTwoServers(t *testing.T) {
	dir := t.TempDir()
	to := receiver(t)
	one, b, clock, _ := hooked(t, dir, "", to, "failed", "succeeded", "lost")
	change, _ := hooking(t, dir)
	two := openSite(t, one.root, change, func(c *handlers.Config) { c.Now = clock.now }).ready()
	ids := []string{"a", "b", "c", "d", "e", "f"}
	runsBegin(b, clock, "build", ids...)
	for _, id := range ids {
		runEnds(b, clock, id, "failed")
	}
	done := func(s *site, n int) func() bool {
		return func() bool {
			sent := 0
			for _, d := range s.deliveries() {
				if d["state"] == "delivered" {
					sent++
				}
			}
			return sent == n
		}
	}
	one.until("all are told", done(two, len(ids)))
	seen := map[string]int{}
	for _, r := range to.all() {
		seen[r.id]++
	}
	if len(to.all()) != len(ids) || len(seen) != len(ids) {
		t.Errorf("%d messages of %d ids", len(to.all()), len(seen))
	}
}

func TestHookIsToldOfWhatHappenedWhileNobodyLooked(t *testing.T) {
	dir := t.TempDir()
	to := receiver(t)
	var b *storetest.Builder
	var clock *movable
	var root string
	kept := t.TempDir()
	t.Run("a console sets a hook and ends", func(t *testing.T) {
		var s *site
		s, b, clock, _ = hooked(t, dir, "", to, "failed", "cancelled")
		root = filepath.Join(kept, "project")
		if err := os.CopyFS(root, os.DirFS(s.root)); err != nil {
			t.Fatal(err)
		}
	})
	b = storetest.At(t, storetest.StatePath(root))
	b.Run(storetest.Run{ID: "long ago", Pipeline: "build", Status: "failed", Start: clock.now().Add(-50 * time.Hour), End: clock.now().Add(-49 * time.Hour)})
	runsBegin(b, clock, "build", "meanwhile")
	runEnds(b, clock, "meanwhile", "failed")
	clock.move(3 * time.Hour)
	change, _ := hooking(t, dir)
	s := openSite(t, root, change, func(c *handlers.Config) { c.Now = clock.now }).ready()
	s.until("it is told", func() bool { return len(to.all()) > 0 })
	runsBegin(b, clock, "build", "after")
	runEnds(b, clock, "after", "failed")
	s.until("it goes on", func() bool { return len(to.all()) > 1 })
	if diff := cmp.Diff([]string{"run.ended meanwhile failed", "run.ended after failed"}, to.runs(t)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestHookTellsWhatNeedsAttention(t *testing.T) {
	to := receiver(t)
	s, b, clock, _ := hooked(t, t.TempDir(), "", to, "attention")
	gate := b.Run(storetest.Run{ID: "ship", Pipeline: "ship-gate", Input: "v9", Status: "running", Start: clock.now().Add(-time.Minute), Heartbeat: clock.now()})
	b.Event(gate, storetest.Event{Step: "approve", State: "running", Message: "gate step: approval"})
	b.Event(gate, storetest.Event{State: "gate_waiting"})
	s.until("it is told", func() bool { return len(to.all()) > 0 })
	var body struct {
		Type string
		Data struct {
			Attention struct {
				Why  string
				Gate struct {
					Step      string
					Prompt    string
					AnswerURL string `json:"answer_url"`
				}
			}
			Run struct{ ID string }
		}
	}
	if err := json.Unmarshal([]byte(to.all()[0].body), &body); err != nil {
		t.Fatal(err)
	}
	if g := body.Data.Attention.Gate; g.Step != "approve" || g.Prompt != "Waiting for an approval" || !strings.HasSuffix(g.AnswerURL, "/runs/ship#gates") || !strings.HasPrefix(g.AnswerURL, "http") {
		t.Errorf("the gate is %+v", g)
	}
	if body.Type != "run.attention" || body.Data.Attention.Why != "waiting" || body.Data.Run.ID != "ship" {
		t.Errorf("%s", to.all()[0].body)
	}
}

func TestHookForm(t *testing.T) {
	var log bytes.Buffer
	var mu sync.Mutex
	dir := t.TempDir()
	s := openSample(t, withData(t, dir), func(c *handlers.Config) {
		c.Log = slog.New(slog.NewTextHandler(writerFunc(func(p []byte) (int, error) {
			mu.Lock()
			defer mu.Unlock()
			return log.Write(p)
		}), nil))
	}).ready()
	s.submit("/views", "name", "on call", "query", "q=status%3Afailed")
	const path = "/views/1/hook"
	if link := s.get("/views").doc().Find(`a[href="` + path + `"]`).Length(); link != 1 {
		t.Errorf("%d links from the views", link)
	}
	for name, c := range map[string]struct {
		pairs []string
		says  string
	}{
		"no address":               {[]string{"on", "failed"}, "an address such as"},
		"an inner address":         {[]string{"url", "http://169.254.169.254/", "on", "failed"}, "--webhook-allow"},
		"a name and a password":    {[]string{"url", "https://me:pw@hooks.example/", "on", "failed"}, "without a name and password"},
		"nothing chosen":           {[]string{"url", "https://hooks.example/"}, "no event was chosen"},
		"an end that there is not": {[]string{"url", "https://hooks.example/", "on", "exploded"}, "one of attention, failed"},
		"a secret that is short":   {[]string{"url", "https://hooks.example/", "on", "failed", "secret", "my-weak-secret"}, "24 to 64 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			r := s.as(t).submit(path, c.pairs...)
			if r.status != http.StatusBadRequest || !strings.Contains(r.text("#hook-problem"), c.says) || strings.Contains(r.body, "my-weak-secret") {
				t.Errorf("%d: %s", r.status, r.doc().Find("#hook-problem").Text())
			}
		})
	}
	if r := s.submit("/views/1/hook/test"); r.status != http.StatusNotFound {
		t.Errorf("a test without a hook: %d", r.status)
	}
	secret := webhook.NewSecret().Text()
	r := s.submit(path, "url", "https://hooks.example/services/T0KEN", "on", "failed", "on", "attention", "secret", secret)
	if r.status != http.StatusOK || r.doc().Find("#hook-secret").Length() != 0 || strings.Contains(r.body, secret) {
		t.Errorf("a secret of one's own: %d, shown %v", r.status, strings.Contains(r.body, secret))
	}
	page := s.get(path)
	if got := page.doc().Find("input[name=on][checked]").Length(); got != 2 || page.doc().Find("#hook-url").AttrOr("value", "") != "https://hooks.example/services/T0KEN" {
		t.Errorf("the form has %d chosen", got)
	}
	made := s.submit(path, "url", "https://hooks.example/services/T0KEN", "on", "failed", "renew", "true").text("#hook-secret code")
	if _, err := webhook.ParseSecret(made); err != nil {
		t.Errorf("the new secret %q: %v", made, err)
	}
	if again := s.get(path); strings.Contains(again.body, made) || strings.Contains(s.get("/api"+path).body, made) {
		t.Error("the secret is shown again")
	}
	s.submit("/views/1/hook/remove")
	if got := s.get("/api" + path).body; strings.Contains(got, "hooks.example") {
		t.Errorf("after it was removed: %s", got)
	}
	audit := s.get("/api/audit").body
	for _, want := range []string{`"set webhook"`, `"remove webhook"`, `"on call"`, `https://hooks.example"`} {
		if !strings.Contains(audit, want) {
			t.Errorf("the audit log has no %s", want)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for _, never := range []string{secret, made, "T0KEN", "my-weak-secret"} {
		if strings.Contains(audit, never) || strings.Contains(log.String(), never) {
			t.Errorf("%q is written down", never)
		}
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestHookOfAConsoleThatOnlyReads(t *testing.T) {
	dir := t.TempDir()
	s := openSample(t, withData(t, dir)).ready()
	s.submit("/views", "name", "on call", "query", "")
	s.submit("/views/1/hook", "url", "https://hooks.example/services/T0KEN", "on", "failed")
	reads := openSample(t, withData(t, dir), func(c *handlers.Config) { c.ReadOnly = true }).ready()
	for _, path := range []string{"", "/remove", "/test", "/again"} {
		if r := reads.submit("/views/1/hook"+path, "url", "https://x.example/", "on", "failed"); r.status != http.StatusForbidden {
			t.Errorf("%s: %d", path, r.status)
		}
	}
	page := reads.get("/views/1/hook")
	if strings.Contains(page.body, "T0KEN") || page.doc().Find("main form").Length() > 0 || !strings.Contains(page.text("main"), "https://hooks.example") {
		t.Errorf("the page shows %s", page.text("main"))
	}
}

// TestHookIsNotToldOfAttentionThatWasThere sets a hook while a gate waits that
// nobody has noticed yet: the server has just begun, or the gate has.
func TestHookIsNotToldOfAttentionThatWasThere(t *testing.T) {
	to := receiver(t)
	root := emptyProject(t)
	b := newState(t, root)
	change, clock := hooking(t, t.TempDir())
	waits := func(id string) {
		gate := b.Run(storetest.Run{ID: id, Pipeline: "ship", Status: "running", Start: clock.now().Add(-time.Minute), Heartbeat: clock.now()})
		b.Event(gate, storetest.Event{State: "gate_waiting"})
	}
	waits("before the server")
	s := openSite(t, root, change).ready()
	waits("before the hook")
	s.submit("/views", "name", "on call", "query", "")
	s.until("both are known", func() bool { return len(s.get("/api/runs").object()["runs"].([]any)) == 2 })
	if r := s.submit("/views/1/hook", "url", to.URL, "on", "attention"); r.status != http.StatusOK {
		t.Fatalf("%d: %s", r.status, clip(r.body))
	}
	waits("after")
	s.until("it is told", func() bool { return len(to.all()) > 0 })
	s.until("all is noticed", func() bool { list, _ := s.needing(); return len(list) == 3 })
	if diff := cmp.Diff([]string{"run.attention after waiting"}, to.runs(t)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestHookLinksToWhereItWasSet tells a message's links behind a proxy that takes
// a prefix off.
func TestHookLinksToWhereItWasSet(t *testing.T) {
	for name, c := range map[string]struct{ public, prefix, want string }{
		"nothing is known":             {"", "", "SERVER/views/1"},
		"a proxy's prefix":             {"", "/portal", "SERVER/portal/views/1"},
		"a public name":                {"https://deck.example", "", "https://deck.example/views/1"},
		"a public name below a prefix": {"https://deck.example", "/portal", "https://deck.example/portal/views/1"},
	} {
		t.Run(name, func(t *testing.T) {
			to := receiver(t)
			change, _ := hooking(t, t.TempDir())
			s := openSample(t, change, func(c2 *handlers.Config) {
				c2.Embed.PublicOrigin = c.public
				c2.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
			}).ready()
			s.submit("/views", "name", "on call", "query", "")
			form := encode(t, map[string]any{"url": to.URL, "on": "failed"})
			if r := s.send("/api/views/1/hook", form, "Content-Type", "application/json", "X-Forwarded-Prefix", c.prefix); r.status != http.StatusOK {
				t.Fatalf("%d: %s", r.status, r.body)
			}
			s.submit("/views/1/hook/test")
			s.until("it is told", func() bool { return len(to.all()) > 0 })
			var body struct {
				Data struct{ View struct{ URL string } }
			}
			if err := json.Unmarshal([]byte(to.all()[0].body), &body); err != nil {
				t.Fatal(err)
			}
			if want := strings.Replace(c.want, "SERVER", s.URL, 1); body.Data.View.URL != want {
				t.Errorf("it leads to %s, want %s", body.Data.View.URL, want)
			}
		})
	}
}

// TestHookThatIsChangedIsNotToldOfAttentionThatWasThere lets a hook tell what
// needs attention while something does already.
func TestHookThatIsChangedIsNotToldOfAttentionThatWasThere(t *testing.T) {
	to := receiver(t)
	s, b, clock, _ := hooked(t, t.TempDir(), "", to, "failed")
	waits := func(id string) {
		gate := b.Run(storetest.Run{ID: id, Pipeline: "ship", Status: "running", Start: clock.now().Add(-time.Minute), Heartbeat: clock.now()})
		b.Event(gate, storetest.Event{State: "gate_waiting"})
	}
	waits("there before")
	runsBegin(b, clock, "build", "bad")
	runEnds(b, clock, "bad", "failed")
	s.until("the end is told", func() bool { return len(to.all()) > 0 })
	if r := s.submit("/views/1/hook", "url", to.URL, "on", "failed", "on", "attention"); r.status != http.StatusOK {
		t.Fatalf("%d: %s", r.status, clip(r.body))
	}
	waits("after")
	s.until("it is told", func() bool { return len(to.all()) > 1 })
	s.until("all is noticed", func() bool { list, _ := s.needing(); return len(list) == 4 }) // with the run before
	if diff := cmp.Diff([]string{"run.ended bad failed", "run.attention after waiting"}, to.runs(t)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
