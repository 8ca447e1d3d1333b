package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wavedeck/handlers"
	"wavedeck/runner"
	"wavedeck/store/appdb"
	"wavedeck/store/control"
	"wavedeck/store/criteria"
	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
	"wavedeck/store/wave"
)

// Runs of the sample project.
const (
	failedRun = "flaky-integration-20261123-003950-6a1d"
)

// newest are the ids of the sample's runs in a derived state.
func (s *site) newest(state wave.State) []string {
	s.t.Helper()
	page, err := s.store.Runs(s.t.Context(), criteria.RunFilter{States: []wave.State{state}, Limit: criteria.MaxLimit})
	if err != nil {
		s.t.Fatal(err)
	}
	var ids []string
	for _, run := range page.Runs {
		ids = append(ids, run.ID)
	}
	if len(ids) == 0 {
		s.t.Fatalf("the sample has no run that is %s", state)
	}
	return ids
}

// running starts a run that stays at its beginning.
func (s *site) running() string {
	s.t.Helper()
	r := s.json("/api/pipelines/fix-issue/start", `{"input":"x"}`)
	if r.status != http.StatusCreated {
		s.t.Fatalf("status %d: %s", r.status, r.body)
	}
	return r.answer().RunID
}

// now lets the server look at the sample's runs while one just begins.
func now(c *handlers.Config) { c.Now = time.Now }

func TestStop(t *testing.T) {
	s, e := openStage(t, now)
	t.Run("a browser is asked, and sent to the run's page, which says stopping at once", func(t *testing.T) {
		s := s.as(t)
		run := s.running()
		page := s.get("/runs/" + run)
		if page.doc().Find(`#acts a[data-act=cancel][href="/runs/`+run+`/cancel"]`).Length() != 1 {
			t.Error("the run's page has no way to stop it")
		}
		if got := s.get("/runs/" + run + "/cancel").doc().Find(`form[method=post][action="/runs/` + run + `/cancel"]`).Length(); got != 1 {
			t.Errorf("%d forms", got)
		}
		r := s.form("/runs/"+run+"/cancel", nil)
		if r.status != http.StatusSeeOther || r.header.Get("Location") != "/runs/"+run {
			t.Fatalf("status %d to %q", r.status, r.header.Get("Location"))
		}
		if got := s.get("/runs/" + run).text(".meta li:first-child b"); got != "stopping" {
			t.Errorf("the page says %q", got)
		}
		if got := s.get("/runs/" + run).text("#acts a[data-act=cancel]"); got != "Force stop…" {
			t.Errorf("the page offers %q", got)
		}
	})
	t.Run("a program is told that it is stopping, also the second time", func(t *testing.T) {
		s := s.as(t)
		run := s.running()
		for range 2 {
			r := s.json("/api/runs/"+run+"/cancel", `{"force":true}`)
			if a := r.answer(); r.status != http.StatusOK || a.RunID != run || a.State != "stopping" || a.Status != "pending" || a.Pipeline != "fix-issue" {
				t.Errorf("status %d: %s", r.status, r.body)
			}
		}
		if want := run + " true"; !slices.Contains(e.stopped, want) {
			t.Errorf("stopped %v", e.stopped)
		}
	})
	t.Run("without a body it is asked gently", func(t *testing.T) {
		s := s.as(t)
		run := s.running()
		if r := s.send("/api/runs/"+run+"/cancel", ""); r.status != http.StatusOK || !slices.Contains(e.stopped, run+" false") {
			t.Errorf("status %d: %s, %v", r.status, r.body, e.stopped)
		}
	})
	t.Run("htmx gets the head of the page", func(t *testing.T) {
		s := s.as(t)
		run := s.running()
		r := s.form("/runs/"+run+"/cancel", nil, "HX-Request", "true", "HX-Request-Type", "partial")
		if r.status != http.StatusOK || r.doc().Find("section#head").Length() != 1 || r.doc().Find("html > head > link").Length() > 0 {
			t.Errorf("status %d: %s", r.status, clip(r.body))
		}
	})
	t.Run("a run that has ended is told with how it did", func(t *testing.T) {
		s := s.as(t)
		for _, r := range []reply{s.json("/api/runs/"+failedRun+"/cancel", `{}`), s.get("/runs/"+failedRun+"/cancel", "Accept", "application/json")} {
			if r.status != http.StatusConflict || !strings.HasPrefix(r.answer().Error, "the run has already ended: failed") {
				t.Errorf("status %d: %s", r.status, r.body)
			}
		}
	})
	t.Run("a run that there is not", func(t *testing.T) {
		if r := s.as(t).json("/api/runs/none/cancel", `{}`); r.status != http.StatusNotFound {
			t.Errorf("status %d", r.status)
		}
	})
	t.Run("a field that there is not", func(t *testing.T) {
		if r := s.as(t).json("/api/runs/"+lostRun+"/cancel", `{"kill":true}`); r.status != http.StatusBadRequest || !strings.Contains(r.body, "The fields are force.") {
			t.Errorf("status %d: %s", r.status, r.body)
		}
	})
	t.Run("a lost run is offered to be closed", func(t *testing.T) {
		s := s.as(t)
		if got := s.get("/runs/" + lostRun).text("#acts a[data-act=cancel]"); got != "Close…" {
			t.Errorf("the page offers %q", got)
		}
		if got := s.get("/runs/" + lostRun + "/cancel").text("h1"); got != "Close slow-soak?" {
			t.Errorf("the page asks %q", got)
		}
	})
}

func TestActionsAreHidden(t *testing.T) {
	for name, change := range map[string]func(*handlers.Config){
		"without an engine": func(c *handlers.Config) { c.Engine = nil },
		"read-only":         func(c *handlers.Config) { c.ReadOnly = true },
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := openStage(t, change)
			for _, path := range []string{"/runs", "/runs/" + failedRun, "/runs/" + lostRun, "/pipelines/fix-issue"} {
				if n := s.get(path).doc().Find("[data-act]").Length(); n > 0 {
					t.Errorf("%s has %d actions", path, n)
				}
			}
			for _, path := range []string{"/runs/" + lostRun + "/cancel", "/runs/" + failedRun + "/retry", "/runs/" + failedRun + "/resume"} {
				for _, r := range []reply{s.get(path), s.form(path, nil)} {
					if r.status != http.StatusForbidden && r.status != http.StatusServiceUnavailable {
						t.Errorf("%s: status %d", path, r.status)
					}
				}
			}
		})
	}
}

func TestRetry(t *testing.T) {
	s, e := openStage(t)
	original, err := s.store.Run(t.Context(), failedRun)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("one click starts the same again", func(t *testing.T) {
		s := s.as(t)
		form := s.get("/runs/" + failedRun).doc().Find(`#acts form[action="/runs/` + failedRun + `/retry"]`)
		key := form.Find("input[name=key]").AttrOr("value", "")
		var at []string
		for range 3 {
			r := s.form("/runs/"+failedRun+"/retry", url.Values{"key": {key}})
			if r.status != http.StatusSeeOther {
				t.Fatalf("status %d: %s", r.status, clip(r.body))
			}
			at = append(at, r.header.Get("Location"))
		}
		if len(slices.Compact(at)) != 1 || len(e.requests()) != 1 {
			t.Errorf("started %d runs: %v", len(e.requests()), at)
		}
		if got := e.requests()[0]; got.Input != original.Input || got.Original != failedRun || got.Pipeline != original.Pipeline || got.FromStep != "" {
			t.Errorf("asked for %+v", got)
		}
		if fork := s.get(at[0]).text("#family"); !strings.Contains(fork, failedRun) {
			t.Errorf("the page does not lead to the original: %s", fork)
		}
	})
	t.Run("a program names another input", func(t *testing.T) {
		r := s.as(t).json("/api/runs/"+failedRun+"/retry", `{"input":"other","model":"opus"}`)
		a := r.answer()
		if r.status != http.StatusCreated || a.Original != failedRun || a.Pipeline != original.Pipeline || a.RunID == "" {
			t.Errorf("status %d: %s", r.status, r.body)
		}
		if got := e.requests()[len(e.requests())-1]; got.Input != "other" || got.Model != "opus" {
			t.Errorf("asked for %+v", got)
		}
	})
	t.Run("the form is filled in", func(t *testing.T) {
		s := s.as(t)
		doc := s.get("/runs/" + failedRun + "/retry").doc()
		if got := strings.TrimPrefix(doc.Find("#input").Text(), "\n"); got != original.Input {
			t.Errorf("input %q, want %q", got, original.Input)
		}
		if doc.Find("#from_step").Length() > 0 || doc.Find("#plan tbody tr").Length() == 0 {
			t.Error("the form offers what a retry cannot, or shows no plan")
		}
		r := s.form("/runs/"+failedRun+"/retry/preview", url.Values{"input": {"x"}, "steps": {"none"}})
		if got := r.text("#error-steps"); !strings.Contains(got, "none") {
			t.Errorf("says %q", got)
		}
	})
	for name, c := range map[string]struct {
		path, body string
		status     int
		says       string
	}{
		"of a run that there is not":  {"/api/runs/none/retry", `{}`, 404, "no such run"},
		"from a step, as in a resume": {"/api/runs/" + failedRun + "/retry", `{"from_step":"x"}`, 400, "unknown field “from_step”"},
	} {
		t.Run(name, func(t *testing.T) {
			if r := s.as(t).json(c.path, c.body); r.status != c.status || !strings.HasPrefix(r.answer().Error, c.says) {
				t.Errorf("status %d: %s", r.status, r.body)
			}
		})
	}
	t.Run("of a run that goes on", func(t *testing.T) {
		s, _ := openStage(t, now)
		run := s.running()
		if r := s.json("/api/runs/"+run+"/retry", `{}`); r.status != http.StatusConflict || !strings.HasPrefix(r.answer().Error, "the run has not ended: it is pending") {
			t.Errorf("status %d: %s", r.status, r.body)
		}
	})
}

// TestRetryKeepsSecrets repeats a run whose input has a secret in it.
func TestRetryKeepsSecrets(t *testing.T) {
	const secret = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
	root := storetest.Project(t)
	const id, gone = "fix-issue-20261123-001000-aaaa", "gone-20261123-001000-aaaa"
	build := storetest.At(t, storetest.StatePath(root))
	input := "use " + secret + "\r\nfor acme"
	at := opened.Add(-time.Hour)
	build.Exec(`INSERT INTO pipeline_run (run_id, pipeline_name, status, input, started_at, completed_at, tags_json, current_step)
VALUES (?, 'fix-issue', 'failed', ?, ?, ?, '["night"]', ''), (?, 'gone', 'failed', 'x', ?, ?, '[]', '')`, id, input, at.Unix(), at.Unix()+5, gone, at.Unix(), at.Unix()+5)
	e := &stage{}
	s := openSite(t, root, func(c *handlers.Config) {
		e.catalog = c.Manifest.Current
		e.control = control.Open(func() string { return c.Manifest.Current().Project.DB })
		c.Engine = e
	}).ready()
	t.Cleanup(func() { _ = e.Close() })
	doc := s.get("/runs/" + id + "/retry").doc()
	shownInput := strings.TrimPrefix(doc.Find("#input").Text(), "\n")
	if strings.Contains(shownInput, secret) || !strings.Contains(shownInput, "[redacted: ") || !strings.Contains(doc.Find("#hint-input").Text(), "Secrets in it are hidden") {
		t.Fatalf("the form shows %q", shownInput)
	}
	if r := s.form("/runs/"+id+"/retry", url.Values{"input": {strings.ReplaceAll(shownInput, "\n", "\r\n")}}); r.status != http.StatusSeeOther {
		t.Fatalf("status %d: %s", r.status, clip(r.body))
	}
	if got := e.requests()[0]; got.Input != input || !slices.Equal(got.Tags, []string{"night"}) {
		t.Errorf("asked for %+v", got)
	}
	r := s.form("/runs/"+id+"/retry", url.Values{"input": {shownInput + " and more"}})
	if r.status != http.StatusBadRequest || !strings.Contains(r.text("#error-input"), "a redaction marker") {
		t.Errorf("status %d: %s", r.status, clip(r.body))
	}
	for _, action := range []string{"retry", "resume"} {
		if r := s.json("/api/runs/"+gone+"/"+action, `{}`); r.status != http.StatusConflict || !strings.HasPrefix(r.answer().Error, "no file defines the pipeline “gone” any more") {
			t.Errorf("%s of a pipeline that is gone: status %d: %s", action, r.status, r.body)
		}
	}
	if len(e.requests()) != 1 {
		t.Errorf("started %v", e.requests())
	}
}

func TestResume(t *testing.T) {
	s, e := openStage(t)
	d, err := s.store.Detail(t.Context(), failedRun)
	if err != nil {
		t.Fatal(err)
	}
	var done []string
	failed := ""
	for _, step := range d.Steps {
		switch step.State {
		case wave.Succeeded:
			done = append(done, step.ID)
		case wave.Failed:
			failed = step.ID
		}
	}
	t.Run("the step that failed is chosen, and each says what becomes of it", func(t *testing.T) {
		doc := s.as(t).get("/runs/" + failedRun + "/resume").doc()
		if got := doc.Find("input[name=from_step][checked]").AttrOr("value", ""); got != failed {
			t.Errorf("chosen is %q, want %q", got, failed)
		}
		for _, step := range done {
			if got := doc.Find("#plan-" + step).Text(); !strings.Contains(got, "its output is reused") {
				t.Errorf("%s: %q", step, got)
			}
		}
		if got := doc.Find("#plan-" + failed).Text(); !strings.Contains(got, "runs") {
			t.Errorf("%s: %q", failed, got)
		}
	})
	t.Run("another step is previewed", func(t *testing.T) {
		s := s.as(t)
		fields := url.Values{"from_step": {done[0]}}
		fragment := s.form("/runs/"+failedRun+"/resume/preview", fields, "HX-Request", "true", "HX-Request-Type", "partial")
		if got := fragment.text("#plan-" + done[0]); !strings.Contains(got, "runs") || fragment.doc().Find("form").Length() > 0 {
			t.Errorf("%q", got)
		}
		if got := s.form("/runs/"+failedRun+"/resume/preview", fields).doc().Find("input[name=from_step][checked]").AttrOr("value", ""); got != done[0] {
			t.Errorf("chosen is %q", got)
		}
	})
	t.Run("a browser resumes, and twice is once", func(t *testing.T) {
		s := s.as(t)
		key := s.get("/runs/"+failedRun+"/resume").doc().Find("input[name=key]").AttrOr("value", "")
		var at []string
		for range 2 {
			r := s.form("/runs/"+failedRun+"/resume", url.Values{"from_step": {failed}, "key": {key}})
			if r.status != http.StatusSeeOther {
				t.Fatalf("status %d: %s", r.status, clip(r.body))
			}
			at = append(at, r.header.Get("Location"))
		}
		got := e.requests()
		if len(slices.Compact(at)) != 1 || len(got) != 1 {
			t.Fatalf("started %d runs: %v", len(got), at)
		}
		if got[0].FromStep != failed || got[0].Original != failedRun || got[0].Input != d.Run.Input || !slices.Equal(got[0].Completed, done) {
			t.Errorf("asked for %+v", got[0])
		}
	})
	t.Run("a program resumes where it failed", func(t *testing.T) {
		r := s.as(t).send("/api/runs/"+failedRun+"/resume", "")
		if a := r.answer(); r.status != http.StatusCreated || a.Original != failedRun {
			t.Errorf("status %d: %s", r.status, r.body)
		}
	})
	t.Run("where it cannot be resumed, nothing is started", func(t *testing.T) {
		s := s.as(t)
		before := len(e.requests())
		blocked := ""
		p, _ := e.catalog().Pipeline(d.Run.Pipeline)
		for _, step := range p.Steps {
			if slices.Contains(step.Dependencies, failed) {
				blocked = step.ID
			}
		}
		r := s.json("/api/runs/"+failedRun+"/resume", fmt.Sprintf(`{"from_step":%q}`, blocked))
		if r.status != http.StatusConflict || !strings.Contains(r.answer().Error, failed) {
			t.Errorf("status %d: %s", r.status, r.body)
		}
		page := s.form("/runs/"+failedRun+"/resume", url.Values{"from_step": {blocked}})
		if page.status != http.StatusConflict || !strings.Contains(page.text(".notice.error"), failed) {
			t.Errorf("status %d: %s", page.status, clip(page.body))
		}
		if r := s.json("/api/runs/"+failedRun+"/resume", `{"from_step":"none"}`); r.status != http.StatusBadRequest {
			t.Errorf("status %d: %s", r.status, r.body)
		}
		if len(e.requests()) != before {
			t.Error("it started")
		}
	})
	t.Run("of a run that has completed a step is named", func(t *testing.T) {
		s := s.as(t)
		run := ""
		for _, id := range s.newest(wave.Succeeded) {
			if strings.HasPrefix(id, "fix-issue") {
				run = id
			}
		}
		if r := s.send("/api/runs/"+run+"/resume", ""); r.status != http.StatusBadRequest || !strings.HasPrefix(r.answer().Error, "from_step is required") {
			t.Errorf("status %d: %s", r.status, r.body)
		}
		if r := s.json("/api/runs/"+run+"/resume", `{"from_step":"review"}`); r.status != http.StatusCreated {
			t.Errorf("status %d: %s", r.status, r.body)
		}
	})
}

func TestARefusedRetryKeepsWhatTheRunWasStartedWith(t *testing.T) {
	s, e := openStage(t, now)
	run, err := s.store.Run(t.Context(), failedRun)
	if err != nil || run.Input == "" {
		t.Fatal(run.Input, err)
	}
	e.refuse = &runner.UnsupportedError{What: "the engine is out of order"}
	for name, test := range map[string]struct {
		fields url.Values
		input  string
	}{
		"with one click":      {nil, run.Input},
		"with another input":  {url.Values{"input": {"other"}}, "other"},
		"with an empty input": {url.Values{"input": {""}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := s.as(t).form("/runs/"+failedRun+"/retry", test.fields)
			if r.status != http.StatusConflict {
				t.Fatalf("status %d", r.status)
			}
			field := r.doc().Find("#input")
			got := strings.TrimPrefix(field.Text(), "\n")
			if field.Is("select") {
				got = field.Find("option[selected]").AttrOr("value", "")
			}
			if got != test.input {
				t.Errorf("the form has the input %q, want %q", got, test.input)
			}
			if n := strings.Count(r.doc().Find("main").Text(), "the engine is out of order"); n != 1 {
				t.Errorf("the error is said %d times", n)
			}
		})
	}
}

func TestARetryIsNoFork(t *testing.T) {
	s, e := openStage(t, now)
	family := func(run string) string {
		t.Helper()
		return strings.Join(strings.Fields(s.get("/runs/"+run).text("#family")), " ")
	}
	t.Run("of this console: it is recorded as any run, and its page names the original", func(t *testing.T) {
		s := s.as(t)
		r := s.json("/api/runs/"+failedRun+"/retry", `{}`)
		if r.status != http.StatusCreated {
			t.Fatalf("status %d: %s", r.status, r.body)
		}
		made := r.answer().RunID
		rows, err := e.control.Derived(t.Context(), made)
		if err != nil || len(rows) != 1 || rows[0].ForkedFrom != "" || rows[0].Parent != "" {
			t.Errorf("%+v, %v", rows, err)
		}
		if got := family(made); !strings.Contains(got, "Retry of") || strings.Contains(got, "Forked from") {
			t.Errorf("its family: %q", got)
		}
	})
	t.Run("of an earlier console, which recorded it as a fork: the audit log knows better", func(t *testing.T) {
		db, err := statedb.Open(t.Context(), filepath.Join(s.root, ".agents", "state.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		const made = "flaky-integration-20261123-013000-abcd"
		if _, err := db.ExecContext(t.Context(), `INSERT INTO pipeline_run (run_id, pipeline_name, status, input, started_at, completed_at, forked_from_run_id)
VALUES (?, 'flaky-integration', 'failed', '', ?, ?, ?)`, made, time.Now().Unix(), time.Now().Unix(), failedRun); err != nil {
			t.Fatal(err)
		}
		if got := family(made); !strings.Contains(got, "Forked from") {
			t.Errorf("a fork's family: %q", got)
		}
		if err := s.data.Append(appdb.Entry{At: time.Now(), Action: "retry", Run: made, Result: appdb.Done, Params: map[string]string{"original": failedRun}}); err != nil {
			t.Fatal(err)
		}
		s.until("the page calls it a retry", func() bool { // an answer may be kept for a moment
			got := family(made)
			return strings.Contains(got, "Retry of") && !strings.Contains(got, "Forked from")
		})
	})
}
