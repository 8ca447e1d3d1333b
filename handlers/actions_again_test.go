package handlers_test

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"wavedeck/handlers"
	"wavedeck/runner"
	"wavedeck/store/appdb"
)

// sent is what a browser sends of a form that is left as it is.
func (r reply) sent(form string) url.Values {
	r.t.Helper()
	values := url.Values{}
	r.doc().Find(form).Find("input, textarea, select").Each(func(_ int, e *goquery.Selection) {
		name, value := e.AttrOr("name", ""), e.AttrOr("value", "")
		switch {
		case name == "":
		case e.Is("textarea"):
			values.Add(name, strings.TrimPrefix(e.Text(), "\n"))
		case e.Is("select"):
			values.Add(name, e.Find("option[selected]").AttrOr("value", e.Find("option").AttrOr("value", "")))
		case e.Is("[type=checkbox], [type=radio]"):
			if _, checked := e.Attr("checked"); checked {
				values.Add(name, value)
			}
		default:
			values.Add(name, value)
		}
	})
	return values
}

// options are those of a request, without what each run has of its own.
func options(r runner.Request) runner.Request {
	return runner.Request{Steps: r.Steps, Exclude: r.Exclude, Model: r.Model, Adapter: r.Adapter, Timeout: r.Timeout, OnFailure: r.OnFailure, DryRun: r.DryRun, AutoApprove: r.AutoApprove}
}

// TestARunIsRepeatedWithItsOptions: a run that was started without its last step must
// not do that step when it is started again.
func TestARunIsRepeatedWithItsOptions(t *testing.T) {
	all := map[string]string{
		"model": "haiku", "adapter": "claude", "exclude": "smoke", "timeout": "7", "on_failure": "skip", "dry_run": "true", "auto_approve": "true",
	}
	as := runner.Request{Model: "haiku", Adapter: "claude", Exclude: []string{"smoke"}, Timeout: 7 * time.Minute, OnFailure: runner.Skip, DryRun: true, AutoApprove: true}
	but := func(change func(*runner.Request)) runner.Request {
		r := as
		change(&r)
		return r
	}
	open := func(t *testing.T, params map[string]string) (*site, *stage) {
		t.Helper()
		s, e := openStage(t, now)
		if err := s.data.AddLaunch(t.Context(), failedRun, appdb.Launch{At: time.Now(), Params: params}); err != nil {
			t.Fatal(err)
		}
		return s.as(t), e
	}
	only := func(t *testing.T, e *stage, want runner.Request) {
		t.Helper()
		if asked := e.requests(); len(asked) != 1 || !reflect.DeepEqual(options(asked[0]), want) {
			t.Errorf("it asked for %+v, want %+v", asked, want)
		}
	}
	for name, test := range map[string]struct {
		body string
		want runner.Request
	}{
		"as it was":               {`{}`, as},
		"with another model":      {`{"model":"opus"}`, but(func(r *runner.Request) { r.Model = "opus" })},
		"without its model":       {`{"model":""}`, but(func(r *runner.Request) { r.Model = "" })},
		"with all steps":          {`{"exclude":""}`, but(func(r *runner.Request) { r.Exclude = nil })},
		"with only some steps":    {`{"steps":["provision"]}`, but(func(r *runner.Request) { r.Exclude, r.Steps = nil, []string{"provision"} })},
		"in earnest":              {`{"dry_run":false,"auto_approve":"false"}`, but(func(r *runner.Request) { r.DryRun, r.AutoApprove = false, false })},
		"halting where it failed": {`{"on_failure":"halt","timeout":""}`, but(func(r *runner.Request) { r.OnFailure, r.Timeout = runner.Halt, 0 })},
	} {
		t.Run("by a program, "+name, func(t *testing.T) {
			s, e := open(t, all)
			if r := s.json("/api/runs/"+failedRun+"/retry", test.body); r.status != http.StatusCreated {
				t.Fatalf("status %d: %s", r.status, r.body)
			}
			only(t, e, test.want)
		})
	}
	t.Run("with one click", func(t *testing.T) {
		s, e := open(t, all)
		if r := s.form("/runs/"+failedRun+"/retry", s.get("/runs/"+failedRun).sent("form#act-again")); r.status != http.StatusSeeOther {
			t.Fatalf("status %d", r.status)
		}
		only(t, e, as)
	})
	t.Run("by a form that is left as it is", func(t *testing.T) {
		s, e := open(t, all)
		page := s.get("/runs/" + failedRun + "/retry")
		if _, unfolded := page.doc().Find("#options").Attr("open"); !unfolded {
			t.Error("its options are folded")
		}
		if plan := page.text("#plan"); !strings.Contains(plan, "excluded") {
			t.Errorf("the plan says %q", plan)
		}
		if r := s.form("/runs/"+failedRun+"/retry", page.sent("#start")); r.status != http.StatusSeeOther {
			t.Fatalf("status %d: %s", r.status, r.text("main"))
		}
		want := as
		want.AutoApprove = true // the form has no field for it where no gate asks
		only(t, e, want)
	})
	t.Run("by a form in which all is unset", func(t *testing.T) {
		s, e := open(t, all)
		sent := s.get("/runs/" + failedRun + "/retry").sent("#start")
		for _, field := range []string{"exclude", "dry_run"} { // a checkbox that is not checked is not sent
			sent[field] = slices.DeleteFunc(sent[field], func(v string) bool { return v != "" })
		}
		sent.Set("model", "")
		sent.Set("adapter", "")
		sent.Set("timeout", "")
		sent.Set("on_failure", "halt")
		if r := s.form("/runs/"+failedRun+"/retry", sent); r.status != http.StatusSeeOther {
			t.Fatalf("status %d: %s", r.status, r.text("main"))
		}
		only(t, e, runner.Request{OnFailure: runner.Halt, AutoApprove: true})
	})
	t.Run("with others", func(t *testing.T) {
		s, e := open(t, all)
		fields := s.form("/runs/bulk", url.Values{"do": {"retry"}, "run": {failedRun}}).values("#start")
		fields.Set("count", "1")
		if r := s.form("/bulk", fields); r.status != http.StatusSeeOther {
			t.Fatalf("status %d: %s", r.status, clip(r.body))
		}
		s.until("it is started again", func() bool { return len(e.requests()) > 0 })
		only(t, e, as)
	})
	t.Run("from a step on", func(t *testing.T) {
		s, e := open(t, map[string]string{"model": "haiku", "steps": "provision,integration,deploy,docs", "timeout": "7"})
		page := s.get("/runs/" + failedRun + "/resume")
		if got := page.text("#options"); !strings.Contains(got, "model haiku, timeout 7 min per step") {
			t.Errorf("it says %q", got)
		}
		if r := s.json("/api/runs/"+failedRun+"/resume", `{}`); r.status != http.StatusCreated {
			t.Fatalf("status %d: %s", r.status, r.body)
		}
		if r := s.form("/runs/"+failedRun+"/resume", page.sent("#start")); r.status != http.StatusSeeOther {
			t.Fatalf("status %d: %s", r.status, r.text("main"))
		}
		for _, asked := range e.requests() {
			if want := (runner.Request{Model: "haiku", Exclude: []string{"smoke"}, Timeout: 7 * time.Minute}); !reflect.DeepEqual(options(asked), want) {
				t.Errorf("it asked for %+v, want %+v", asked, want)
			}
		}
		if n := len(e.requests()); n != 2 {
			t.Errorf("%d runs", n)
		}
	})
	t.Run("from a step on, with what was left out", func(t *testing.T) {
		s, e := open(t, all)
		delete(all, "dry_run")
		if r := s.json("/api/runs/"+failedRun+"/resume", `{}`); r.status != http.StatusConflict || !strings.Contains(r.answer().Error, "dry run") {
			t.Errorf("of a dry run: status %d: %s", r.status, r.body)
		}
		if err := s.data.AddLaunch(t.Context(), failedRun, appdb.Launch{At: time.Now(), Params: map[string]string{"exclude": "smoke"}}); err != nil {
			t.Fatal(err)
		}
		if r := s.json("/api/runs/"+failedRun+"/resume", `{"exclude":""}`); r.status != http.StatusCreated {
			t.Fatalf("status %d: %s", r.status, r.body)
		}
		only(t, e, runner.Request{})
	})
	t.Run("or not at all when they cannot be read", func(t *testing.T) {
		s, e := openStage(t, now, func(c *handlers.Config) {
			file := filepath.Join(t.TempDir(), "data") // a file where a folder has to be
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			c.Data = appdb.Open(t.Context(), file)
			t.Cleanup(func() { _ = c.Data.Close() })
		})
		s = s.as(t)
		r := s.json("/api/runs/"+failedRun+"/retry", `{}`)
		if r.status != http.StatusServiceUnavailable || !strings.Contains(r.answer().Error, "options that the run was started with") || len(e.requests()) > 0 {
			t.Errorf("status %d: %s", r.status, r.body)
		}
	})
}
