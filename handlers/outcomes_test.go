package handlers_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
)

const fixRun = "fix-issue-20261123-003950-9775"

func TestOutcomesOfTheSample(t *testing.T) {
	s := openSample(t).ready()
	doc := s.get("/runs/" + fixRun).doc()
	want := map[string]string{
		"assessment": "/runs/" + fixRun + "/artifacts/assess/assessment", "plan": "/runs/" + fixRun + "/artifacts/plan/plan",
		"patch": "/runs/" + fixRun + "/artifacts/implement/patch", "review": "/runs/" + fixRun + "/artifacts/review/review",
	}
	got := map[string]string{}
	for _, a := range doc.Find("#outcomes a.label").EachIter() {
		got[a.Text()] = a.AttrOr("href", "")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got)\n%s", diff)
	}
	for name, href := range got {
		if r := s.get(href); r.status != 200 || r.doc().Find(".m-body").Length() != 1 {
			t.Errorf("%s leads to status %d", name, r.status)
		}
	}
	if n := doc.Find("#decisions tbody tr").Length(); n != 4 {
		t.Errorf("%d decisions, want 4", n)
	}
	if n := doc.Find("#checkpoints tbody tr").Length(); n != 4 {
		t.Errorf("%d checkpoints, want 4", n)
	}
	if doc.Find("#decisions[open], #checkpoints[open]").Length() != 0 {
		t.Error("they are not folded")
	}
	for _, run := range []string{sampleRun, lostRun} {
		if s.get("/runs/"+run).doc().Find("#outcomes h2:contains(Outcomes)").Length() != 0 {
			t.Errorf("%s has outcomes", run)
		}
	}
	part := s.fragment("/runs/" + fixRun + "/parts/outcomes").doc().Find("section#outcomes")
	if trigger := part.AttrOr("hx-trigger", ""); !strings.Contains(trigger, "throttle:1s") || part.Find("table").Length() != 3 {
		t.Errorf("the fragment follows by %q with %d tables", trigger, part.Find("table").Length())
	}
}

func TestDecisionsOfTheSample(t *testing.T) {
	s := openSample(t).ready()
	page := s.get("/runs/" + sampleRun)
	if says := page.text("#decisions > summary"); says != "Decisions 9 3 model routing, 3 contract, 3 retry" {
		t.Errorf("it says %q", says)
	}
	rows := page.doc().Find("#decisions tbody tr")
	contract := rows.Eq(1)
	if mark := contract.Find("details mark").First().Text(); mark != "at '': missing property 'suite_passed'" {
		t.Errorf("marked is %q", mark)
	}
	context := rows.Eq(2).Find("pre").Text()
	for _, line := range []string{`{`, `  "attempt": 1,`, `        -   • - at '': missing property 'suite_passed'`, `  "max_attempts": 3`, `}`} {
		if !strings.Contains("\n"+context+"\n", "\n"+line+"\n") {
			t.Errorf("no line %q in\n%s", line, context)
		}
	}
}

// TestOutcomesLeadOnlyToTheWeb is every trick of an address that we know.
func TestOutcomesLeadOnlyToTheWeb(t *testing.T) {
	cases := map[string]struct{ value, href, host string }{
		"a pull request":                       {"https://git.example.org/a/b/pull/1", "https://git.example.org/a/b/pull/1", "git.example.org"},
		"a port":                               {"http://localhost:3000/x?y=1#z", "http://localhost:3000/x?y=1#z", "localhost:3000"},
		"an address of numbers":                {"http://[::1]:80/", "http://[::1]:80/", "[::1]:80"},
		"a scheme in capitals":                 {"HTTPS://example.org/", "https://example.org/", "example.org"},
		"markup in a query":                    {`https://example.org/?a="><script>x()</script>`, `https://example.org/?a="><script>x()</script>`, "example.org"},
		"a very long word":                     {"https://example.org/" + strings.Repeat("x", 3000), "https://example.org/" + strings.Repeat("x", 3000), "example.org"},
		"script":                               {"javascript:alert(1)", "", ""},
		"script with slashes":                  {"javascript://example.org/%0aalert(1)", "", ""},
		"script after a blank":                 {" javascript:alert(1)", "", ""},
		"script with a line end within":        {"java\nscript:alert(1)", "", ""},
		"data":                                 {"data:text/html,<script>x()</script>", "", ""},
		"a file":                               {"file:///etc/passwd", "", ""},
		"another scheme":                       {"ftp://example.org/", "", ""},
		"no scheme":                            {"//example.org/", "", ""},
		"a path":                               {"/runs", "", ""},
		"a name before the host":               {"https://git.example.org@evil.example/", "", ""},
		"a name and password before the host":  {"https://a:b@evil.example/", "", ""},
		"a backslash that browsers turn":       {`https://git.example.org\@evil.example/`, "", ""},
		"a backslash for a slash":              {`https:\\evil.example/`, "", ""},
		"no host":                              {"https:///x", "", ""},
		"a host of nothing but a port":         {"https://:80/", "", ""},
		"an opaque address":                    {"https:evil.example", "", ""},
		"letters that look like others":        {"https://git.exаmple.org/", "", ""},
		"letters that look like others, coded": {"https://git.ex%D0%B0mple.org/", "", ""},
		"a slash that is none":                 {"https://git.example.org\uff0fevil.example/", "", ""},
		"a text turned round":                  {"https://example.org/\u202egro", "", ""},
		"a zero byte, where its text ends":     {"https://example.org/\x00@evil.example", "https://example.org/", "example.org"},
		"no address at all":                    {"fix/lost-connection", "", ""},
		"nothing":                              {"", "", ""},
	}
	root := emptyProject(t)
	b := newState(t, root)
	for name, c := range cases {
		run := b.Run(storetest.Run{ID: name})
		b.Outcome(run, storetest.Outcome{Type: "pr", Label: "https://bank.example/", Extra: statedb.Row{"value": c.value}})
	}
	s := openSite(t, root).ready()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			doc := s.as(t).get("/runs/" + strings.ReplaceAll(name, " ", "%20")).doc()
			row := doc.Find("#outcomes tbody tr")
			links := row.Find("a")
			if c.href == "" {
				if links.Length() != 0 {
					t.Errorf("it leads to %q", links.AttrOr("href", ""))
				}
				return
			}
			if links.Length() != 1 || links.AttrOr("href", "") != c.href || links.AttrOr("rel", "") != "noopener noreferrer nofollow" {
				t.Errorf("the link is %v to %q", links.Nodes[0].Attr, links.AttrOr("href", ""))
			}
			if _, has := links.Attr("target"); has {
				t.Error("it has a target")
			}
			if host := row.Find(".host").Text(); host != "↗ "+c.host {
				t.Errorf("it tells the host %q, want %q", host, c.host)
			}
		})
	}
}

func TestOutcomeTextsAreHarmless(t *testing.T) {
	token := "ghp_" + strings.Repeat("a1B2", 9)
	const markup = `<script>x()</script><img src=x onerror=x()>"' `
	root := emptyProject(t)
	b := newState(t, root)
	run := b.Run(storetest.Run{ID: "r"})
	text := markup + token
	b.Outcome(run, storetest.Outcome{Step: text, Type: text, Label: text, Value: "https://example.org/?access_token=" + token, Description: text})
	for _, context := range []string{`{"a":"` + `x\n` + token + `"}`, text, `{"a":`, `{}`, strings.Repeat("[", 9000)} {
		b.Insert("decision_log", statedb.Row{"run_id": run, "step_id": text, "category": text, "decision": text, "rationale": text + "\n" + text, "context_json": context})
	}
	b.Insert("checkpoint", statedb.Row{"run_id": run, "step_id": text, "step_index": -3, "workspace_path": text, "workspace_commit_sha": text, "created_at": 1})
	b.Attempt(run, storetest.Attempt{State: "failed", Error: text + "\n" + text, FailureClass: text, Extra: statedb.Row{"stdout_tail": "\x1b[31m" + text}})
	b.Event(run, storetest.Event{Step: "build", State: "contract_evidence", Message: text})
	s := openSite(t, root).ready()
	page := s.get("/runs/r")
	doc := page.doc()
	if n := doc.Find("#outcomes script, #outcomes img, #steps script, #steps img").Length(); n != 0 {
		t.Errorf("%d elements that a text made", n)
	}
	if doc.Find("#outcomes a[href*='access_token']").Length() != 0 {
		t.Error("a link holds a secret")
	}
	if n := doc.Find("#decisions tbody tr").Length(); n != 5 {
		t.Errorf("%d decisions, want 5", n)
	}
	if n := doc.Find("#decisions details[id^=context]").Length(); n != 4 {
		t.Errorf("%d contexts, want 4: an empty one says nothing", n)
	}
	for _, path := range []string{"/runs/r", "/runs/r/parts/outcomes", "/api/runs/r"} {
		if r := s.get(path); r.status != 200 || strings.Contains(r.body, token) || !strings.Contains(r.body, "[redacted: ") {
			t.Errorf("%s: status %d, a secret in it: %t", path, r.status, strings.Contains(r.body, token))
		}
	}
	if n := len(s.get("/api/runs/r").object()["decisions"].([]any)); n != 5 {
		t.Errorf("%d decisions as JSON, want 5", n)
	}
}

func TestLongOutcomesSaySo(t *testing.T) {
	root := emptyProject(t)
	b := newState(t, root)
	run := b.Run(storetest.Run{ID: "r"})
	b.Exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 620)
		INSERT INTO decision_log (run_id, category, decision, timestamp) SELECT ?, 'retry', 'no. ' || i, i FROM n`, run)
	s := openSite(t, root).ready()
	page := s.get("/runs/r")
	if says := page.text("#decisions > summary"); says != "Decisions 620" {
		t.Errorf("it says %q", says)
	}
	rows := page.doc().Find("#decisions tbody tr")
	if first := rows.First().Find("bdi").First().Text(); rows.Length() != 100 || first != "no. 521" {
		t.Errorf("%d rows from %q", rows.Length(), first)
	}
	note := page.doc().Find("#decisions p.dim")
	if !strings.Contains(note.Text(), "520 older ones are not shown here") || note.Find("a").AttrOr("href", "") != "/api/runs/r" {
		t.Errorf("it says %q", note.Text())
	}
	body := s.get("/api/runs/r").object()
	if n := len(body["decisions"].([]any)); n != 500 || body["decisions_total"] != 620.0 {
		t.Errorf("%d of %v as JSON", n, body["decisions_total"])
	}
}

func TestOutcomesAsJSON(t *testing.T) {
	s := openSample(t).ready()
	body := s.get("/api/runs/" + fixRun).object()
	outcome := object{
		"step_id": "assess", "type": "file", "label": "assessment", "description": "json", "created_at": "2026-11-23T00:39:55Z",
		"value": "/srv/acme-widgets/.agents/workspaces/" + fixRun + "/assess",
	}
	if diff := cmp.Diff(outcome, body["outcomes"].([]any)[0]); diff != "" {
		t.Errorf("outcome (-want +got)\n%s", diff)
	}
	decision := object{
		"step_id": "assess", "timestamp": "2026-11-23T00:39:50Z", "category": "model_routing",
		"decision": "selected model claude-haiku-4-5 for step assess", "rationale": "per-persona model configuration",
		"context": object{"adapter": "claude", "model": "claude-haiku-4-5", "persona": "navigator"},
	}
	if diff := cmp.Diff(decision, body["decisions"].([]any)[0]); diff != "" {
		t.Errorf("decision (-want +got)\n%s", diff)
	}
	if n := len(body["checkpoints"].([]any)); n != 4 {
		t.Errorf("%d checkpoints, want 4", n)
	}
	if keys := strings.Join(keysOf(s.get("/api/runs/"+lostRun).object()), " "); keys != "artifacts dag events run steps" {
		t.Errorf("a run that left nothing has %s", keys)
	}
}
