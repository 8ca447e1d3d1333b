package handlers_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"wavedeck/handlers"
	"wavedeck/runner"
	"wavedeck/store"
	"wavedeck/store/appdb"
	"wavedeck/store/control"
	"wavedeck/store/manifest"
	"wavedeck/store/storetest"
)

// stage is an engine whose runs never begin: what it was asked is kept, and it
// records runs as every engine does.
type stage struct {
	control *control.Control
	catalog func() *manifest.Catalog
	limit   int

	mu      sync.Mutex
	asked   []runner.Request
	stopped []string
	refuse  error
	cannot  map[string]error // what a plan of a pipeline is refused with
}

func (e *stage) Name() string { return "stage" }

func (e *stage) Plan(_ context.Context, r runner.Request) ([]runner.PlannedStep, error) {
	p, ok := e.catalog().Pipeline(r.Pipeline)
	if !ok {
		return nil, fmt.Errorf("%w %q", runner.ErrUnknownPipeline, r.Pipeline)
	}
	if err := e.cannot[r.Pipeline]; err != nil {
		return nil, err
	}
	return runner.Plan(p, r)
}

func (e *stage) AutoApproves() {}

func (e *stage) Start(ctx context.Context, r runner.Request) (string, error) {
	if _, err := e.Plan(ctx, r); err != nil {
		return "", err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.refuse != nil {
		return "", e.refuse
	}
	id, created, err := e.control.CreateRun(ctx, runner.NewRun(r), e.limit)
	if created {
		e.asked = append(e.asked, r)
	}
	return id, err
}

func (e *stage) Stop(ctx context.Context, run string, force bool) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.refuse != nil {
		return e.refuse
	}
	e.stopped = append(e.stopped, fmt.Sprint(run, " ", force))
	return e.control.RequestCancellation(ctx, run, force)
}

func (e *stage) Close() error { return e.control.Close() }

// requests are what was started, in order.
func (e *stage) requests() []runner.Request {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.asked)
}

// serve makes it the engine of a console.
func (e *stage) serve(c *handlers.Config) {
	e.catalog = c.Manifest.Current
	e.control = control.Open(func() string { return c.Manifest.Current().Project.DB })
	c.Engine = e
}

// openStage serves the sample project with a stage as engine.
func openStage(t *testing.T, change ...func(*handlers.Config)) (*site, *stage) {
	t.Helper()
	e := &stage{}
	s := openSample(t, append([]func(*handlers.Config){e.serve}, change...)...)
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return s.ready(), e
}

// form posts fields as a browser does.
func (s *site) form(path string, fields url.Values, headers ...string) reply {
	s.t.Helper()
	return s.send(path, fields.Encode(), append([]string{"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin", "Accept", "text/html"}, headers...)...)
}

// json posts JSON as a program does.
func (s *site) json(path, body string, headers ...string) reply {
	s.t.Helper()
	return s.send(path, body, append([]string{"Content-Type", "application/json"}, headers...)...)
}

func (r reply) answer() (a struct {
	RunID    string    `json:"run_id"`
	Pipeline string    `json:"pipeline_name"`
	Status   string    `json:"status"`
	State    string    `json:"state"`
	Reason   string    `json:"reason"`
	Started  time.Time `json:"started_at"`
	Original string    `json:"original_run_id"`
	Error    string    `json:"error"`
}) {
	r.t.Helper()
	if err := json.Unmarshal([]byte(r.body), &a); err != nil {
		r.t.Fatalf("%v in %s", err, clip(r.body))
	}
	return a
}

func TestStartForm(t *testing.T) {
	s, _ := openStage(t)
	page := s.get("/pipelines/fix-issue/start?input=acme/widgets+7&model=opus")
	if page.status != http.StatusOK || page.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("status %d, %s", page.status, page.header.Get("Cache-Control"))
	}
	doc := page.doc()
	if got := strings.TrimPrefix(doc.Find("textarea#input").Text(), "\n"); got != "acme/widgets 7" {
		t.Errorf("input %q", got)
	}
	if got := doc.Find("#model").AttrOr("value", ""); got != "opus" {
		t.Errorf("model %q", got)
	}
	if _, open := doc.Find("#options").Attr("open"); !open {
		t.Error("the options are folded although the address fills one in")
	}
	if got := doc.Find("#plan tbody tr").Length(); got != 4 {
		t.Errorf("%d steps in the plan", got)
	}
	if n := s.get("/pipelines/fix-issue/start?run=1").status; n != http.StatusBadRequest {
		t.Errorf("an unknown parameter: status %d", n)
	}
	if n := s.get("/pipelines/none/start").status; n != http.StatusNotFound {
		t.Errorf("an unknown pipeline: status %d", n)
	}
}

func TestStartOffers(t *testing.T) {
	s, _ := openStage(t)
	for path, link := range map[string]string{
		"/runs": "/start", "/pipelines": "/start", "/pipelines/fix-issue": "/pipelines/fix-issue/start", "/start": "/pipelines/fix-issue/start",
	} {
		if s.get(path).doc().Find(`main a[href="`+link+`"]`).Length() == 0 {
			t.Errorf("%s does not lead to %s", path, link)
		}
	}
	for name, change := range map[string]func(*handlers.Config){
		"without an engine": func(c *handlers.Config) { c.Engine = nil },
		"read-only":         func(c *handlers.Config) { c.ReadOnly = true },
	} {
		t.Run(name, func(t *testing.T) {
			s, e := openStage(t, change)
			for _, path := range []string{"/runs", "/pipelines", "/pipelines/fix-issue"} {
				if s.get(path).doc().Find(`a[href$="/start"]`).Length() > 0 {
					t.Errorf("%s offers a start", path)
				}
			}
			if n := s.form("/pipelines/fix-issue/start", url.Values{"input": {"x"}}).status; n != http.StatusForbidden && n != http.StatusServiceUnavailable {
				t.Errorf("status %d", n)
			}
			if len(e.requests()) > 0 {
				t.Error("it started")
			}
		})
	}
}

func TestStart(t *testing.T) {
	s, e := openStage(t)
	t.Run("a browser is sent to the run's page", func(t *testing.T) {
		r := s.as(t).form("/pipelines/fix-issue/start", url.Values{"input": {"a\r\nb"}, "steps": {"assess", "plan"}, "exclude": {"plan"}, "timeout": {"5"}, "on_failure": {"skip"}, "tags": {"x, y"}})
		if r.status != http.StatusSeeOther || !strings.HasPrefix(r.header.Get("Location"), "/runs/fix-issue-") {
			t.Fatalf("status %d to %q: %s", r.status, r.header.Get("Location"), clip(r.body))
		}
		got := e.requests()[0]
		if got.Input != "a\nb" || !slices.Equal(got.Steps, []string{"assess", "plan"}) || !slices.Equal(got.Exclude, []string{"plan"}) ||
			got.Timeout != 5*time.Minute || got.OnFailure != runner.Skip || !slices.Equal(got.Tags, []string{"x", "y"}) {
			t.Errorf("asked for %+v", got)
		}
		page := s.as(t).get(r.header.Get("Location"))
		if page.status != http.StatusOK {
			t.Errorf("the run's page: status %d", page.status)
		}
		if got := page.text("#fact-started-with"); got != "start options: only steps assess, plan, without steps plan, timeout 5 min per step, on failure skip" {
			t.Errorf("it says %q", got)
		}
		doc := s.as(t).get("/api" + r.header.Get("Location")).object()
		if with, _ := doc["started_with"].(object); with["steps"] != "assess,plan" || with["exclude"] != "plan" || with["timeout"] != "5" || with["on_failure"] != "skip" || len(with) != 4 {
			t.Errorf("started with %v", with)
		}
		if text := s.as(t).get(r.header.Get("Location") + ".txt").body; !strings.Contains(text, "Started with") {
			t.Errorf("the text does not say how it was started: %s", clip(text))
		}
	})
	t.Run("htmx is told where to go", func(t *testing.T) {
		r := s.as(t).form("/pipelines/fix-issue/start", url.Values{"input": {"x"}}, "HX-Request", "true")
		if r.status != http.StatusNoContent || !strings.HasPrefix(r.header.Get("Hx-Redirect"), "/runs/fix-issue-") {
			t.Errorf("status %d, %v", r.status, r.header)
		}
	})
	t.Run("a program gets the run", func(t *testing.T) {
		r := s.as(t).json("/api/pipelines/fix-issue/start", `{"input":"x","steps":["assess"],"timeout":3,"dry_run":true,"model":null}`)
		a := r.answer()
		if r.status != http.StatusCreated || a.Pipeline != "fix-issue" || a.Status != "pending" || a.RunID == "" || a.Started.IsZero() || a.Original != "" {
			t.Errorf("status %d: %s", r.status, r.body)
		}
		if r.header.Get("Location") != "/api/runs/"+a.RunID {
			t.Errorf("Location %q", r.header.Get("Location"))
		}
		got := e.requests()[len(e.requests())-1]
		if !got.DryRun || got.Timeout != 3*time.Minute || !slices.Equal(got.Steps, []string{"assess"}) {
			t.Errorf("asked for %+v", got)
		}
	})
	t.Run("it stands in the audit log", func(t *testing.T) {
		page, err := s.data.Audit(t.Context(), auditOf("start"))
		if err != nil || len(page.Entries) != 3 {
			t.Fatalf("%d entries, %v", len(page.Entries), err)
		}
		if e := page.Entries[0]; e.Pipeline != "fix-issue" || e.Run == "" || e.Params["input"] != "x" || e.Params["dry_run"] != "true" {
			t.Errorf("entry %+v", e.Entry)
		}
	})
}

func TestStartIsRefused(t *testing.T) {
	s, e := openStage(t)
	many := strings.Repeat("x", 130<<10)
	for name, c := range map[string]struct {
		path, body string
		status     int
		says       string
	}{
		"a field that there is not":         {"/api/pipelines/fix-issue/start", `{"input":"x","inputs":"y"}`, 400, "unknown field “inputs”. The fields are input, model,"},
		"a body that is no JSON":            {"/api/pipelines/fix-issue/start", `{"input":`, 400, "the JSON ends too early"},
		"a body that is a list":             {"/api/pipelines/fix-issue/start", `[]`, 400, "it is JSON, but not an object"},
		"two bodies":                        {"/api/pipelines/fix-issue/start", `{}{}`, 400, "there is more than one JSON object"},
		"an object where a text should be":  {"/api/pipelines/fix-issue/start", `{"input":{"a":1}}`, 400, "holds an object"},
		"an unknown pipeline":               {"/api/pipelines/none/start", `{}`, 404, "there is no pipeline “none”"},
		"an unknown step":                   {"/api/pipelines/fix-issue/start", `{"input":"x","from_step":"none"}`, 400, `from_step names "none"`},
		"a first step of no run":            {"/api/pipelines/fix-issue/start", `{"input":"x","from_step":"review"}`, 400, "from_step needs a run whose outputs the steps before it left"},
		"a timeout that is no number":       {"/api/pipelines/fix-issue/start", `{"input":"x","timeout":"soon"}`, 400, "timeout is not a number of minutes"},
		"a dry run that is neither":         {"/api/pipelines/fix-issue/start", `{"input":"x","dry_run":"maybe"}`, 400, "dry_run “maybe” cannot be used"},
		"a failure that is neither":         {"/api/pipelines/fix-issue/start", `{"input":"x","on_failure":"cry"}`, 400, "on_failure is neither halt nor skip"},
		"an input that no process can take": {"/api/pipelines/fix-issue/start", `{"input":"` + many + `"}`, 400, "input is longer than"},
		"an input with a zero":              {"/api/pipelines/fix-issue/start", `{"input":"a\u0000"}`, 400, "input"},
		"a body larger than a request may":  {"/api/pipelines/fix-issue/start", `{"input":"` + strings.Repeat("x", 2<<20) + `"}`, 413, "the request is too large"},
		"a key that is none of a form":      {"/api/pipelines/fix-issue/start", `{"input":"x","key":"../../etc"}`, 400, "key “../../etc” cannot be used"},
	} {
		t.Run(name, func(t *testing.T) {
			r := s.as(t).json(c.path, c.body)
			if r.status != c.status || !strings.Contains(r.answer().Error, c.says) {
				t.Errorf("status %d, %s; want %d, %s", r.status, clip(r.body), c.status, c.says)
			}
		})
	}
	t.Run("a body of another kind", func(t *testing.T) {
		r := s.as(t).send("/api/pipelines/fix-issue/start", "input: x", "Content-Type", "text/yaml")
		if r.status != http.StatusUnsupportedMediaType {
			t.Errorf("status %d", r.status)
		}
	})
	for name, c := range map[string]struct {
		err    error
		status int
		says   string
		retry  string
	}{
		"a database that is held":       {fmt.Errorf("x: %w", control.ErrBusy), 503, "the state database is locked by another process", "1"},
		"a database that is read-only":  {fmt.Errorf("x: %w: %w", store.ErrUnavailable, &control.UnwritableError{Reason: "this user may not write it", Err: errors.New("8")}), 503, "the state database cannot be changed: this user may not write it", "1"},
		"a limit":                       {&control.LimitError{Active: 5, Limit: 5}, 409, "5 runs are active, and no more than 5 may be", ""},
		"a key of another run":          {control.ErrTaken, 409, "this key has already started another run", ""},
		"a step that the engine cannot": {&runner.UnsupportedError{Step: "s", What: "a gate", Engine: "wave"}, 409, `step "s": a gate`, ""},
		"a conflict":                    {&runner.ConflictError{Step: "s", Text: "needs more"}, 409, `step "s" needs more`, ""},
		"no engine any more":            {runner.ErrUnavailable, 503, "engine is not available", "1"},
		"a pipeline that went":          {runner.ErrUnknownPipeline, 404, "no file defines this pipeline", ""},
		"something else":                {errors.New("secret path /x"), 500, "internal error", ""},
	} {
		t.Run(name, func(t *testing.T) {
			e.mu.Lock()
			e.refuse = c.err
			e.mu.Unlock()
			r := s.as(t).json("/api/pipelines/fix-issue/start", `{"input":"x"}`)
			if r.status != c.status || !strings.HasPrefix(r.answer().Error, c.says) || r.header.Get("Retry-After") != c.retry || strings.Contains(r.body, "secret path") {
				t.Errorf("status %d, retry %q, %s", r.status, r.header.Get("Retry-After"), clip(r.body))
			}
			if c.status == 404 || c.status == 500 {
				return
			}
			page := s.as(t).form("/pipelines/fix-issue/start", url.Values{"input": {"kept <b>"}})
			if page.status != c.status || strings.TrimPrefix(page.doc().Find("#input").Text(), "\n") != "kept <b>" || !strings.Contains(page.text(".notice.error"), c.says) {
				t.Errorf("the form: status %d, %s", page.status, clip(page.body))
			}
		})
	}
	if len(e.requests()) > 0 {
		t.Errorf("started %v", e.requests())
	}
}

func TestFieldErrors(t *testing.T) {
	s, e := openStage(t)
	for name, c := range map[string]struct {
		field, value, says string
	}{
		"a step that there is not": {"from_step", "none", `It names "none", which is not a step of fix-issue.`},
		"a first step of no run":   {"from_step", "review", "It needs a run whose outputs the steps before it left: resume that run at this step."},
		"a timeout in words":       {"timeout", "soon", "It is not a number of minutes from 1 to 40320."},
	} {
		t.Run(name, func(t *testing.T) {
			r := s.as(t).form("/pipelines/fix-issue/start", url.Values{"input": {"kept"}, c.field: {c.value}})
			doc := r.doc()
			at := doc.Find("#" + c.field)
			if r.status != http.StatusBadRequest || !strings.Contains(at.AttrOr("aria-describedby", ""), "error-"+c.field) {
				t.Fatalf("status %d, described by %q", r.status, at.AttrOr("aria-describedby", ""))
			}
			if got := r.text("#error-" + c.field); !strings.Contains(got, c.says) {
				t.Errorf("says %q", got)
			}
			if got := strings.TrimPrefix(doc.Find("#input").Text(), "\n"); got != "kept" {
				t.Errorf("the input is %q", got)
			}
			page, err := s.data.Audit(t.Context(), auditOf("start"))
			if err != nil || page.Entries[0].Status != http.StatusBadRequest || !strings.HasPrefix(page.Entries[0].Error, c.field) {
				t.Errorf("the audit log has %+v, %v", page.Entries[0].Entry, err)
			}
		})
	}
	if len(e.requests()) > 0 {
		t.Errorf("started %v", e.requests())
	}
}

func TestPreview(t *testing.T) {
	s, e := openStage(t)
	fragment := s.form("/pipelines/fix-issue/start/preview", url.Values{"input": {""}, "exclude": {"plan"}}, "HX-Request", "true", "HX-Request-Type", "partial")
	if got := fragment.text("#plan-plan"); !strings.Contains(got, "skippedexcluded") {
		t.Errorf("the plan says %q", got)
	}
	if fragment.doc().Find("form").Length() > 0 {
		t.Error("the fragment is the whole form")
	}
	key := "20261123-020000-0123456789abcdef"
	page := s.form("/pipelines/fix-issue/start/preview", url.Values{"input": {"kept"}, "exclude": {"assess"}, "key": {key}})
	doc := page.doc()
	if doc.Find("#plan-assess .dim").Length() == 0 || strings.TrimPrefix(doc.Find("#input").Text(), "\n") != "kept" || doc.Find("input[name=key]").AttrOr("value", "") != key {
		t.Errorf("the form is not kept: %s", clip(page.body))
	}
	wrong := s.form("/pipelines/fix-issue/start/preview", url.Values{"steps": {"none"}}, "HX-Request", "true", "HX-Request-Type", "partial")
	if wrong.status != http.StatusOK || !strings.Contains(wrong.text("#plan"), `steps names "none"`) {
		t.Errorf("status %d, %s", wrong.status, wrong.body)
	}
	page2, err := s.data.Audit(t.Context(), auditOf("start"))
	if err != nil || len(page2.Entries) > 0 || len(e.requests()) > 0 {
		t.Errorf("a preview is no action: %v, %v, %v", page2.Entries, e.requests(), err)
	}
}

// TestOneStart sends one request often, at once and to two servers.
func TestOneStart(t *testing.T) {
	root := storetest.Project(t)
	engines := [2]*stage{}
	sites := [2]*site{}
	data := t.TempDir()
	for i := range sites {
		e := &stage{}
		sites[i] = openSite(t, root, func(c *handlers.Config) {
			c.Data = appdb.Open(t.Context(), data)
			t.Cleanup(func() { _ = c.Data.Close() })
			e.catalog = c.Manifest.Current
			e.control = control.Open(func() string { return c.Manifest.Current().Project.DB })
			c.Engine = e
		}).ready()
		engines[i] = e
		t.Cleanup(func() { _ = e.Close() })
	}
	all := func(send func(*site) string) (ids []string) {
		var mu sync.Mutex
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				id := send(sites[i%2])
				mu.Lock()
				defer mu.Unlock()
				ids = append(ids, id)
			})
		}
		wg.Wait()
		slices.Sort(ids)
		return slices.Compact(ids)
	}
	started := func() int { return len(engines[0].requests()) + len(engines[1].requests()) }
	shape := regexp.MustCompile(`^fix-issue-\d{8}-\d{6}-[0-9a-f]{4}$`)
	inShape := func(ids []string) bool {
		return !slices.ContainsFunc(ids, func(id string) bool {
			return !shape.MatchString(strings.TrimPrefix(strings.TrimPrefix(id, "/runs/"), "201"))
		})
	}
	key := "20261123-020000-0123456789abcdef"
	form := func(input string) func(*site) string {
		return func(s *site) string {
			return s.form("/pipelines/fix-issue/start", url.Values{"input": {input}, "key": {key}}).header.Get("Location")
		}
	}
	if ids := all(form("x")); len(ids) != 1 || started() != 1 || !strings.HasPrefix(ids[0], "/runs/fix-issue-20261123-020000-") || !inShape(ids) {
		t.Errorf("%d runs %v", started(), ids)
	}
	if ids := all(form("y")); len(ids) != 1 || started() != 2 || !inShape(ids) {
		t.Errorf("with another input: %d runs %v", started(), ids)
	}
	program := func(body string) func(*site) string {
		return func(s *site) string {
			r := s.json("/api/pipelines/fix-issue/start", body, "Idempotency-Key", "job 7")
			return fmt.Sprint(r.status, r.answer().RunID)
		}
	}
	if ids := all(program(`{"input":"x"}`)); len(ids) != 1 || started() != 3 || !inShape(ids) {
		t.Errorf("by a program: %d runs %v", started(), ids)
	}
	if ids := all(program(`{"input":"z"}`)); len(ids) != 1 || started() != 3 || ids[0] != "409" {
		t.Errorf("a key used for something else: %d runs %v", started(), ids)
	}
}

// TestStartWithoutAFolderForKeys: a form's key still is one run, and a program's is
// refused rather than forgotten.
func TestStartWithoutAFolderForKeys(t *testing.T) {
	e := &stage{}
	s := openSite(t, storetest.Project(t), func(c *handlers.Config) {
		e.catalog = c.Manifest.Current
		e.control = control.Open(func() string { return c.Manifest.Current().Project.DB })
		c.Engine, c.Data = e, appdb.Open(t.Context(), "")
	}).ready()
	t.Cleanup(func() { _ = e.Close() })
	fields := url.Values{"input": {"x"}, "key": {"20261123-020000-0123456789abcdef"}}
	first := s.form("/pipelines/fix-issue/start", fields).header.Get("Location")
	if again := s.form("/pipelines/fix-issue/start", fields).header.Get("Location"); again != first || len(e.requests()) != 1 ||
		!regexp.MustCompile(`^/runs/fix-issue-20261123-020000-[0-9a-f]{4}$`).MatchString(first) {
		t.Errorf("%d runs: %s and %s", len(e.requests()), first, again)
	}
	r := s.json("/api/pipelines/fix-issue/start", `{"input":"x"}`, "Idempotency-Key", "job 7")
	if r.status != http.StatusServiceUnavailable || len(e.requests()) != 1 || !strings.Contains(r.body, "--data") {
		t.Errorf("a program's key: status %d, %s", r.status, r.body)
	}
}

func auditOf(action string) appdb.AuditFilter { return appdb.AuditFilter{Action: action} }
