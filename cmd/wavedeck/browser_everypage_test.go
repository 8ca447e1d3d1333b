package main

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"wavedeck/handlers"
	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
)

// look is a page as somebody may find it.
type look struct {
	name string
	path string // below the program's address
	// A script, or a key, leads on from there to what holds then.
	do, press, then string
}

// Runs of the sample, and those that everyoneProject adds to it.
const (
	everyFailed  = "flaky-integration-20261123-003950-6a1d" // after three attempts
	everyGreen   = "release-check-20261123-003816-94c1"
	everyParent  = "nightly-audit-20261123-003816-b6f6"
	everyLost    = "slow-soak-20261123-003844-d20f"
	everyRunning = "every-running"
	everyWaiting = "every-waiting"
	everyLong    = "every-long"    // has texts that nothing breaks
	everyHostile = "every-hostile" // has texts that mean to be markup
	everyDone    = "every-done"    // has artifacts of each kind
)

// unbreakable is a text that is wider than a phone.
var unbreakable = strings.Repeat("unbreakable-", 30)

// everyLook are all pages, each as it is mostly and as it is at its worst.
func everyLook() []look {
	run := func(id string) string { return "runs/" + id }
	const post = `((action, fields) => {
		const form = Object.assign(document.createElement('form'), {method: 'post', action})
		for (const [name, value] of Object.entries(fields)) form.append(Object.assign(document.createElement('input'), {type: 'hidden', name, value}))
		document.body.append(form)
		form.submit()
	})`
	out := url.PathEscape("made") + "/"
	return []look{
		{name: "the list", path: "runs?limit=100"},
		{name: "a filtered list", path: "runs?q=status%3Afailed+-tag%3Ax&pipeline=flaky-integration&limit=4"},
		{name: "a list of nothing", path: "runs?q=nothing+is+called+this&tag=" + unbreakable},
		{name: "a filter that is wrong", path: "runs?q=login+statsu%3Afailed"},
		{name: "the list as of then", path: "runs?at=event:60"},
		{name: "what needs attention", path: "attention"},
		{name: "a run that failed", path: run(everyFailed)},
		{name: "a run that is done", path: run(everyDone)},
		{name: "a run with children", path: run(everyParent)},
		{name: "a run that was lost", path: run(everyLost)},
		{name: "a run that goes on", path: run(everyRunning)},
		{name: "a run that waits for somebody", path: run(everyWaiting)},
		{name: "a run with long texts", path: run(everyLong)},
		{name: "a run with hostile texts", path: run(everyHostile)},
		{name: "a run as of then", path: run(everyFailed) + "?at=event:200"},
		{name: "a timeline", path: run(everyFailed) + "/timeline"},
		{name: "a timeline of children by tokens", path: run(everyParent) + "/timeline?scale=tokens"},
		{name: "a timeline of long texts", path: run(everyLong) + "/timeline"},
		{name: "a graph", path: run(everyFailed) + "/graph"},
		{name: "a graph of one that is gone", path: run(everyLong) + "/graph"},
		{name: "a log", path: run(everyFailed) + "/log"},
		{name: "a log that is searched", path: run(everyFailed) + "/log?q=error&L=40-44"},
		{name: "a log of long texts", path: run(everyLong) + "/log"},
		{name: "the artifacts of a run", path: run(everyDone) + "/artifacts"},
		{name: "an artifact in Markdown", path: run(everyDone) + "/artifacts/" + out + "notes"},
		{name: "an artifact in JSON", path: run(everyDone) + "/artifacts/" + out + "result"},
		{name: "an artifact that is a table", path: run(everyDone) + "/artifacts/" + out + "rows"},
		{name: "an artifact that is a difference", path: run(everyDone) + "/artifacts/" + out + "change"},
		{name: "an artifact that is gone", path: run(everyLong) + "/artifacts/" + unbreakable + "/" + unbreakable},
		{name: "two runs compared", path: "compare?left=" + everyFailed + "&right=last-green"},
		{name: "nothing to compare yet", path: "compare"},
		{name: "long texts compared", path: "compare?left=" + everyLong + "&right=" + everyHostile},
		{name: "stop?", path: run(everyRunning) + "/cancel"},
		{name: "retry?", path: run(everyFailed) + "/retry"},
		{name: "resume?", path: run(everyFailed) + "/resume"},
		{name: "start what?", path: "start"},
		{name: "start this?", path: "pipelines/fix-issue/start"},
		{name: "a start that is wrong", path: "pipelines/fix-issue/start?timeout=soon"},
		{
			name: "a start that is refused", path: "pipelines/fix-issue/start",
			do: post + `(location.pathname, {input: 'x', timeout: 'soon'})`, then: `document.querySelector('#error-timeout')`,
		},
		{name: "the pipelines", path: "pipelines"},
		{name: "a pipeline", path: "pipelines/fix-issue"},
		{name: "a pipeline that is gone", path: "pipelines/p-" + unbreakable},
		{name: "a pipeline that is broken", path: "pipelines/crooked"},
		{name: "the personas", path: "personas"},
		{name: "a persona", path: "personas/navigator"},
		{name: "the saved views", path: "views"},
		{name: "the audit log", path: "audit"},
		{name: "the health", path: "health"},
		{name: "a webhook to be set", path: "views/1/hook"},
		{
			name: "a webhook that is wrong", path: "views/1/hook", then: `document.querySelector('#hook-problem')`,
			do: post + `(location.pathname, {url: 'http://10.0.0.1/', on: 'failed'})`,
		},
		{
			name: "a webhook that is set", path: "views/1/hook", then: `document.querySelector('#hook-secret')`,
			do: post + `(location.pathname, {url: 'https://hooks.invalid/', on: 'failed'})`,
		},
		{name: "the command line", path: "cmd"},
		{name: "a command that is wrong", path: "cmd?q=statsu+x"},
		{name: "a command that means several", path: "cmd?q=run+slow-soak"},
		{name: "the settings", path: "settings"},
		{name: "the keys", path: "help/keys"},
		{name: "what can be found", path: "palette"},
		{name: "nothing that can be found", path: "palette?q=" + unbreakable[:100]},
		{
			name: "the palette over a page", path: "runs?limit=3", then: `document.querySelector('#dialog[open] [role=listbox] [data-item]')`,
			press: "Mod+k",
		},
		{
			name: "the keys over a page", path: "runs?limit=3", then: `document.querySelector('#dialog[open] [data-item]')`,
			press: "?",
		},
		{
			name: "stop? over a page", path: run(everyRunning), then: `document.querySelector('dialog[open] #stop')`,
			do: `document.querySelector('#acts [data-act=cancel]').click()`,
		},
		{
			name: "a run to share over a page", path: run(everyFailed), then: `document.querySelector('dialog[open] #sharing')`,
			do: `document.querySelector('[data-share]').click()`,
		},
		{name: "what the runs said", path: "search?q=suite"},
		{name: "what no run said", path: "search?q=" + unbreakable[:60]},
		{name: "the guide to embedding", path: "help/embedding"},
		{name: "a run to share", path: "share?of=runs/" + everyFailed},
		{name: "who is there?", path: "login"},
		{name: "no such page", path: "nowhere"},
		{name: "no such run", path: run("nothing-" + unbreakable)},
		{name: "no such way to ask", path: "settings", do: post + `('/settings', {})`, then: `document.title.includes('405') || document.querySelector('main').textContent.includes('not possible')`},
		{name: "too late to stop", path: "settings", do: post + `('/runs/` + everyDone + `/cancel', {})`, then: `document.querySelector('main').textContent.includes('succeeded')`},
		{
			name: "many to be stopped", path: "runs?q=every-running", then: `document.querySelector('#count')`,
			do: `document.querySelector('#bulk [name=all]').checked = true; document.querySelector('#bulk [value=cancel]').click()`,
		},
		{name: "many to be stopped, by an address", path: "bulk?do=cancel&run=" + everyRunning, then: `document.querySelector('#count')`},
		{
			name: "many being stopped", path: "runs?q=every-running", then: `document.querySelector('#progress') && location.pathname.startsWith('/bulk/')`,
			do: post + `('/bulk', {do: 'cancel', run: '` + everyRunning + `', count: '1'})`,
		},
		{name: "the list elsewhere", path: "embed/v1/runs"},
		{name: "a run elsewhere", path: "embed/v1/runs/" + everyFailed + "/card"},
		{name: "a run of long texts elsewhere", path: "embed/v1/runs/" + everyLong + "/card"},
		{name: "a timeline elsewhere", path: "embed/v1/runs/" + everyFailed + "/timeline"},
		{name: "a graph elsewhere", path: "embed/v1/runs/" + everyFailed + "/graph"},
		{name: "steps elsewhere", path: "embed/v1/runs/" + everyFailed + "/steps"},
		{name: "a log elsewhere", path: "embed/v1/runs/" + everyFailed + "/log"},
		{name: "what needs attention elsewhere", path: "embed/v1/attention"},
		{name: "the latest run elsewhere", path: "embed/v1/pipelines/fix-issue/latest"},
		{name: "the history elsewhere", path: "embed/v1/pipelines/fix-issue/history"},
	}
}

// noPage are the addresses that answer something else than a document: a part of
// one, a file, or a program's form of it.
var noPage = regexp.MustCompile(`^(/?$|/(api|fragments/v1|badge/v1)/|.*/parts/|.*\.(txt|css|ico|svg)$|/embed/v1/t/` +
	`|/(healthz|events|oembed|complete|attention/count|search/index|palette/runs|pipelines/\{pipeline\}/trends|views/\{view\})$|/runs/\{run\}/log/(block|end)$|/static/|.*\{form:|.*/export$)`)

// TestEveryPageIsLookedAt fails when there is a page that everyLook misses.
func TestEveryPageIsLookedAt(t *testing.T) {
	addresses, err := handlers.New(handlers.Config{}).Addresses()
	if err != nil || len(addresses) < 40 {
		t.Fatalf("%d addresses, %v", len(addresses), err)
	}
	variable := regexp.MustCompile(`\\\{[^}]*\\\}`)
	for _, address := range addresses {
		if noPage.MatchString(address) {
			continue
		}
		fits := regexp.MustCompile("^" + variable.ReplaceAllString(regexp.QuoteMeta(address), `[^/]+`) + "$")
		looked := false
		for _, l := range everyLook() {
			path, _, _ := strings.Cut(l.path, "?")
			looked = looked || fits.MatchString("/"+path) || address == "/bulk/{bulk}" && strings.Contains(l.then, "/bulk/")
		}
		if !looked {
			t.Errorf("no look at %s: add one to everyLook, or the address to noPage if it answers no document", address)
		}
	}
}

// everyoneProject is the sample with runs of more states, with long and hostile
// texts, with artifacts of each kind and a pipeline that cannot be read.
func everyoneProject(t testing.TB) (root string) {
	t.Helper()
	root = storetest.Project(t)
	b := storetest.At(t, storetest.StatePath(root))
	now := time.Now()
	for i, r := range []storetest.Run{
		{ID: everyRunning, Status: "running", Pipeline: "fix-issue", Input: "every-running", Heartbeat: now},
		{ID: everyWaiting, Status: "running", Pipeline: "fix-issue", Heartbeat: now},
		{ID: "every-pending", Status: "pending", Pipeline: "fix-issue"},
		{ID: "every-empty", Status: "completed_empty", Pipeline: "fix-issue"},
		{ID: everyDone, Status: "completed", Pipeline: "fix-issue", Input: "acme/widgets 42"},
		{
			ID: everyLong, Status: "failed", Pipeline: "p-" + unbreakable, Input: unbreakable + "\n" + unbreakable, Error: unbreakable,
			Tags: []string{unbreakable, "b"}, Branch: unbreakable,
		},
		{
			ID: everyHostile, Status: "failed", Pipeline: hostile[3], Input: hostile[4] + "\n" + hostile[9], Error: hostile[5],
			Tags: []string{hostile[0], hostile[7]}, Branch: hostile[8],
		},
	} {
		r.Start = now.Add(-time.Duration(i+1) * time.Minute)
		b.Run(r)
	}
	b.Event(everyRunning, storetest.Event{Step: "fetch", State: "running", Message: "reading"})
	b.Step(everyRunning, storetest.Step{ID: "fetch", State: "running"})
	b.Event(everyWaiting, storetest.Event{Step: "approve", State: "running", Message: "gate step: approval"})
	b.Event(everyWaiting, storetest.Event{State: "gate_waiting", Message: "approve the plan"})
	for run, text := range map[string]string{everyLong: unbreakable, everyHostile: hostile[5]} {
		b.Step(run, storetest.Step{ID: text, State: "failed", Error: text})
		b.Attempt(run, storetest.Attempt{Step: text, State: "failed", Error: text, FailureClass: text, Extra: statedb.Row{"stdout_tail": text}})
		b.Event(run, storetest.Event{Step: text, State: text, Persona: text, Message: text, Model: text})
		b.Artifact(run, storetest.Artifact{Step: text, Name: text, Path: text, Type: text})
		b.Outcome(run, storetest.Outcome{Step: text, Label: text, Value: text, Description: text})
	}
	files := map[string]string{
		".agents/pipelines/crooked.yaml": "metadata: {name: crooked}\nsteps: [\n",
		"out/notes.md":                   "# Notes\n\nA [link](https://example.com), `code` and\n\n| a | b |\n|---|---|\n| 1 | " + unbreakable + " |\n\n```go\nfunc main() { println(\"x\") }\n```\n\n![a picture](x.png)\n\n- [ ] to do\n",
		"out/result.json":                `{"name": "widgets", "n": [1, 2.5, null, true], "long": "` + unbreakable + `"}`,
		"out/rows.csv":                   "name,count,note\n" + strings.Repeat("widget,4,"+unbreakable[:60]+"\n", 3),
		"out/change.diff":                "--- a/x.go\n+++ b/x.go\n@@ -1,2 +1,2 @@\n package x\n-var a = 1\n+var a = \"" + unbreakable + "\"\n",
	}
	b.Step(everyDone, storetest.Step{ID: "made", State: "completed"})
	for path, text := range files {
		at := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if name, ok := strings.CutPrefix(path, "out/"); ok {
			b.Artifact(everyDone, storetest.Artifact{Step: "made", Name: strings.TrimSuffix(name, filepath.Ext(name)), Path: path})
		}
	}
	return root
}
