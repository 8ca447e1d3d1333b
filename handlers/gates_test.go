package handlers_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"wavedeck/handlers"
	"wavedeck/runner"
	"wavedeck/store/appdb"
	"wavedeck/store/storetest"
	"wavedeck/store/wave"
)

// asker is an engine whose runs are asked at gates: what they are answered is kept, and
// the first answer of each counts.
type asker struct {
	stage

	mu    sync.Mutex
	given map[string][]runner.Answer
	held  map[string]bool // runs whose terminal is held; nil: all
	fails error
	self  bool // it takes defaults by itself
}

func (e *asker) Terminal(_ context.Context, run string) (runner.Terminal, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.held != nil && !e.held[run] {
		return runner.Terminal{}, runner.ErrNoTerminal
	}
	return runner.Terminal{Answers: slices.Clone(e.given[run]), TakesDefaults: e.self}, nil
}

func (e *asker) Answer(_ context.Context, run string, a runner.Answer) (runner.Answer, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.fails != nil {
		return runner.Answer{}, e.fails
	}
	for _, first := range e.given[run] {
		if first.Gate == a.Gate {
			return first, nil
		}
	}
	if e.given == nil {
		e.given = map[string][]runner.Answer{}
	}
	e.given[run] = append(e.given[run], a)
	return a, nil
}

func (e *asker) Place(wave.Run) runner.Place {
	return runner.Place{Host: "build-2", PID: 4711, Terminal: "/dev/pts/3", User: "ada", Command: "wave run ship-gate --token ghp_0123456789abcdefghijABCDEFGHIJ012345"}
}

func (e *asker) serve(c *handlers.Config) {
	e.stage.serve(c)
	c.Engine = e
}

func openAsker(t *testing.T, change ...func(*handlers.Config)) (*site, *asker, *storetest.Builder) {
	t.Helper()
	e := &asker{}
	s := openSample(t, append([]func(*handlers.Config){e.serve}, change...)...)
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return s.ready(), e, storetest.At(t, storetest.StatePath(s.root))
}

// waits makes a run that waits at the gate of its pipeline, as Wave records it.
func waits(b *storetest.Builder, r storetest.Run) (run string, gate int64) { return waitsAt(b, r, "") }

// waitsAt makes one that waits at a gate of another kind.
func waitsAt(b *storetest.Builder, r storetest.Run, kind string) (run string, gate int64) {
	if r.Pipeline == "" {
		r.Pipeline, r.Input = "ship-gate", "v9"
	}
	r.Status = "running"
	if r.Start.IsZero() {
		r.Start = opened.Add(-4 * time.Minute)
	}
	if r.Parent == "" {
		r.Heartbeat = opened.Add(-5 * time.Second)
	}
	run = b.Run(r)
	b.Event(run, storetest.Event{State: "started", Message: `input="v9" steps=3`})
	b.Step(run, storetest.Step{ID: "prepare", State: "completed"})
	b.Event(run, storetest.Event{Step: "prepare", State: "completed"})
	b.Step(run, storetest.Step{ID: "approve", State: "running"})
	gate = b.Event(run, storetest.Event{Step: "approve", State: "running", Message: "gate step: " + cmp.Or(kind, "approval")})
	if r.Parent == "" {
		b.Event(run, storetest.Event{State: "gate_waiting", Message: "gate: approval — "})
	}
	return run, gate
}

// gates are those that the JSON of a run lists.
func (s *site) gates(run string) (list []map[string]any) {
	s.t.Helper()
	var body struct{ Gates []map[string]any }
	if err := json.Unmarshal([]byte(s.get("/api/runs/"+url.PathEscape(run)).body), &body); err != nil {
		s.t.Fatal(err)
	}
	return body.Gates
}

// waitsFor waits until a run has so many gates.
func (s *site) waitsFor(run string, n int) []map[string]any {
	s.t.Helper()
	var list []map[string]any
	s.until(fmt.Sprintf("%d gates of %s", n, run), func() bool { list = s.gates(run); return len(list) == n })
	return list
}

func TestAGateIsShown(t *testing.T) {
	s, _, b := openAsker(t)
	run, gate := waits(b, storetest.Run{})
	got := s.waitsFor(run, 1)[0]
	for field, want := range map[string]any{
		"step": "approve", "type": "approval", "prompt": "Ship v9?", "default": "s", "on_timeout": "default", "answerable": true, "event": float64(gate),
		"answer_href": "/runs/" + run + "/gates/approve/answer",
	} {
		if got[field] != want {
			t.Errorf("%s is %v, want %v", field, got[field], want)
		}
	}
	since, _ := time.Parse(time.RFC3339, fmt.Sprint(got["waiting_since"]))
	expires, _ := time.Parse(time.RFC3339, fmt.Sprint(got["expires_at"]))
	if expires.Sub(since) != 30*time.Minute {
		t.Errorf("since %v, until %v", got["waiting_since"], got["expires_at"])
	}
	if choices := fmt.Sprint(got["choices"]); choices != "[map[key:s label:Ship it target:ship] map[key:a label:Abort target:_fail]]" {
		t.Errorf("choices %s", choices)
	}
	page := s.get("/runs/" + run)
	panel := page.doc().Find("#gates .gate")
	if text := page.text("#gates .gate"); !strings.Contains(text, "Ship v9?") || !strings.Contains(text, "without an answer: Ship it at") {
		t.Errorf("the page says %q", text)
	}
	if action := panel.Find("form").AttrOr("action", ""); action != "/runs/"+run+"/gates/approve/answer" {
		t.Errorf("the form is sent to %q", action)
	}
	if buttons := panel.Find(`button[name="choice"]`); buttons.Length() != 2 || buttons.First().AttrOr("value", "") != "s" {
		t.Errorf("%d buttons", buttons.Length())
	}
	if panel.Find("textarea").Length() != 0 {
		t.Error("a gate that takes no notes asks for them")
	}
	for _, form := range []string{"txt", "md"} {
		for _, want := range []string{"Ship v9?", "Ship it", "ends the run", "default: s"} {
			if body := s.get("/runs/" + run + "." + form).body; !strings.Contains(body, want) {
				t.Errorf("%s does not say %q", form, want)
			}
		}
	}
	if before := s.get("/runs/" + run + "?at=event:" + strconv.FormatInt(gate, 10)).doc().Find("#gates form").Length(); before != 0 {
		t.Error("a page of the past offers an answer")
	}
}

// TestAGateThatWaitsAgain: of a gate in a loop Wave leaves the row at the end of its
// first turn.
func TestAGateThatWaitsAgain(t *testing.T) {
	s, _, b := openAsker(t)
	run, first := waits(b, storetest.Run{})
	b.Event(run, storetest.Event{State: "gate_resolved"})
	b.Event(run, storetest.Event{Step: "approve", State: "completed", Message: "gate step completed"})
	again := b.Event(run, storetest.Event{Step: "approve", State: "running", Message: "gate step: approval"})
	b.Event(run, storetest.Event{State: "gate_waiting"})
	b.Exec(`UPDATE step_state SET state = 'completed' WHERE pipeline_id = ? AND step_id = 'approve'`, run)
	if got := s.waitsFor(run, 1)[0]; got["event"] != float64(again) || got["answerable"] != true {
		t.Errorf("%v, the first was %d", got, first)
	}
}

func TestAGateIsAnswered(t *testing.T) {
	s, e, b := openAsker(t)
	run, gate := waits(b, storetest.Run{})
	s.waitsFor(run, 1)
	at := "/api/runs/" + run + "/gates/approve/answer"
	for name, row := range map[string]struct {
		at, body string
		status   int
		says     string
	}{
		"a choice that is none":       {at, `{"choice": "x"}`, 400, "“s” or “a”"},
		"no choice":                   {at, `{}`, 400, "“s” or “a”"},
		"a text that is not taken":    {at, `{"choice": "s", "text": "why"}`, 400, "takes no text"},
		"a field that there is not":   {at, `{"choice": "s", "note": "why"}`, 400, "note"},
		"another gate of the step":    {at, `{"choice": "s", "gate": "1"}`, 409, "does not wait"},
		"a gate that is no event":     {at, `{"choice": "s", "gate": "-"}`, 400, "gate"},
		"a step that is no gate":      {"/api/runs/" + run + "/gates/prepare/answer", `{"choice": "s"}`, 404, "no gate"},
		"a step that there is not":    {"/api/runs/" + run + "/gates/x/answer", `{"choice": "s"}`, 404, "no gate"},
		"a run that there is not":     {"/api/runs/none/gates/approve/answer", `{"choice": "s"}`, 404, "no such run"},
		"a run that does not wait":    {"/api/runs/" + failedRun + "/gates/approve/answer", `{"choice": "s"}`, 404, "no gate"},
		"what is neither of two":      {at, `x`, 400, "JSON"},
		"a key that holds a line end": {at, `{"choice": "s\na"}`, 400, "none of this gate"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := s.as(t).json(row.at, row.body); got.status != row.status || !strings.Contains(got.body, row.says) {
				t.Errorf("%d %s", got.status, got.body)
			}
		})
	}
	if len(e.given) > 0 {
		t.Fatalf("an answer was given: %v", e.given)
	}
	first := s.json(at, `{"choice": "s"}`)
	if first.status != http.StatusOK || !strings.Contains(first.body, `"label": "Ship it"`) && !strings.Contains(first.body, `"label":"Ship it"`) {
		t.Fatalf("%d %s", first.status, first.body)
	}
	if again := s.json(at, `{"choice": "s"}`); again.status != http.StatusOK {
		t.Errorf("the same again: %d %s", again.status, again.body)
	}
	if other := s.json(at, `{"choice": "a"}`); other.status != http.StatusConflict || !strings.Contains(other.body, "already answered with “s” by “local”") {
		t.Errorf("another one: %d %s", other.status, other.body)
	}
	if page := s.get("/runs/" + run); !strings.Contains(page.text("#gates"), "Answered Ship it by local") || page.doc().Find("#gates form").Length() > 0 {
		t.Errorf("the page says %q", page.text("#gates"))
	}
	s.noted(appdb.Entry{Who: "local", Action: "answer", Run: run, Pipeline: "ship-gate", Params: map[string]string{"step": "approve", "choice": "s", "gate": strconv.FormatInt(gate, 10)}, Result: appdb.Done, Status: 200, Note: "answered s"})
	if list := e.given[run]; len(list) != 1 || list[0].Gate != gate || list[0].Step != "approve" {
		t.Errorf("it was given %v", list)
	}
	t.Run("and when it has passed", func(t *testing.T) {
		s := s.as(t)
		b.Event(run, storetest.Event{State: "gate_resolved", Message: "gate resolved: Ship it (s)"})
		b.Event(run, storetest.Event{Step: "approve", State: "completed"})
		b.Exec(`UPDATE step_state SET state = 'completed' WHERE pipeline_id = ? AND step_id = 'approve'`, run)
		s.waitsFor(run, 0)
		if again := s.json(at, `{"choice": "s"}`); again.status != http.StatusOK {
			t.Errorf("the same again: %d %s", again.status, again.body)
		}
		if other := s.json(at, `{"choice": "a"}`); other.status != http.StatusConflict || !strings.Contains(other.body, "already answered with “s” by “local”") {
			t.Errorf("another one: %d %s", other.status, other.body)
		}
		if len(e.given[run]) != 1 {
			t.Errorf("it was given %v", e.given[run])
		}
	})
}

func TestAGateIsAnsweredWithoutScripts(t *testing.T) {
	s, e, b := openAsker(t)
	run, gate := waits(b, storetest.Run{})
	s.waitsFor(run, 1)
	at := s.get("/runs/"+run).doc().Find("#gates form").AttrOr("action", "")
	if cross := s.form(at, url.Values{"choice": {"a"}}, "Sec-Fetch-Site", "cross-site"); cross.status != http.StatusForbidden {
		t.Errorf("from another site: %d", cross.status)
	}
	got := s.form(at, url.Values{"choice": {"a"}, "gate": {strconv.FormatInt(gate, 10)}})
	if got.status != http.StatusSeeOther || got.header.Get("Location") != "/runs/"+run {
		t.Errorf("%d to %q", got.status, got.header.Get("Location"))
	}
	if list := e.given[run]; len(list) != 1 || list[0].Choice != "a" {
		t.Errorf("it was given %v", list)
	}
}

func TestWhoAnswersFirst(t *testing.T) {
	s, e, b := openAsker(t)
	run, _ := waits(b, storetest.Run{})
	s.waitsFor(run, 1)
	var all sync.WaitGroup
	status := make([]int, 8)
	for i := range status {
		choice := []string{"s", "a"}[i%2]
		all.Go(func() {
			status[i] = s.json("/api/runs/"+run+"/gates/approve/answer", `{"choice": "`+choice+`"}`).status
		})
	}
	all.Wait()
	won := map[string]int{"s": 0, "a": 1}[e.given[run][0].Choice]
	for i, got := range status {
		if want := map[bool]int{true: 200, false: 409}[i%2 == won]; got != want {
			t.Errorf("answer %d got %d, want %d", i, got, want)
		}
	}
}

func TestAGateThatIsNotAnsweredHere(t *testing.T) {
	for name, row := range map[string]struct {
		with   func(*asker, *handlers.Config)
		run    func(b *storetest.Builder) string
		status int
		says   string
	}{
		"a terminal somewhere else": {with: func(e *asker, _ *handlers.Config) { e.held = map[string]bool{} }, status: 409, says: "host build-2, process 4711, terminal /dev/pts/3, user ada, command wave run ship-gate"},
		"a read-only console":       {with: func(_ *asker, c *handlers.Config) { c.ReadOnly = true }, status: 403, says: "read-only"},
		"a console without engine":  {with: func(_ *asker, c *handlers.Config) { c.Engine = nil }, status: 503, says: "--engine"},
		"a process that is gone":    {with: func(e *asker, _ *handlers.Config) { e.fails = runner.ErrNoTerminal }, status: 409, says: "is gone"},
		"a run that is being stopped": {run: func(b *storetest.Builder) string {
			run, _ := waits(b, storetest.Run{})
			b.Cancel(run)
			return run
		}, status: 409, says: "being stopped"},
	} {
		t.Run(name, func(t *testing.T) {
			var asked *asker
			s, e, b := openAsker(t, func(c *handlers.Config) {
				asked = c.Engine.(*asker)
				if row.with != nil {
					row.with(asked, c)
				}
			})
			var run string
			if row.run != nil {
				run = row.run(b)
			} else {
				run, _ = waits(b, storetest.Run{})
			}
			s.waitsFor(run, 1)
			got := s.json("/api/runs/"+run+"/gates/approve/answer", `{"choice": "s"}`)
			if got.status != row.status || !strings.Contains(got.body, row.says) {
				t.Errorf("%d %s", got.status, got.body)
			}
			if strings.Contains(got.body, "ghp_0123456789") {
				t.Error("a secret of the command is shown")
			}
			if len(e.given) > 0 {
				t.Errorf("an answer was given: %v", e.given)
			}
			if e.fails == nil && s.get("/runs/"+run).doc().Find("#gates form").Length() > 0 {
				t.Error("the page offers an answer")
			}
		})
	}
}

// TestAGateOfAChildRun: one process carries out both, and reads the answers for both.
func TestAGateOfAChildRun(t *testing.T) {
	s, e, b := openAsker(t)
	parent := b.Run(storetest.Run{Pipeline: "outer", Status: "running", Start: opened.Add(-5 * time.Minute), Heartbeat: opened.Add(-5 * time.Second)})
	b.Event(parent, storetest.Event{Step: "sub", State: "running"})
	e.held = map[string]bool{parent: true}
	child, gate := waits(b, storetest.Run{Pipeline: "ship-gate", Input: "v9", Parent: parent, ParentStep: "sub", Kind: "sub_pipeline_child"})
	b.Event(parent, storetest.Event{State: "gate_waiting", Message: "gate: approval — "})
	for _, run := range []string{parent, child} {
		if got := s.waitsFor(run, 1)[0]; got["run_id"] != child || got["answerable"] != true {
			t.Errorf("%s shows %v", run, got)
		}
	}
	if got := s.json("/api/runs/"+child+"/gates/approve/answer", `{"choice": "s"}`); got.status != http.StatusOK {
		t.Errorf("%d %s", got.status, got.body)
	}
	if list := e.given[parent]; len(list) != 1 || list[0].Gate != gate {
		t.Errorf("its process was given %v", e.given)
	}
	t.Run("two of one process", func(t *testing.T) {
		s := s.as(t)
		waits(b, storetest.Run{Pipeline: "ship-gate", Input: "v10", Parent: parent, ParentStep: "sub2", Kind: "sub_pipeline_child"})
		list := s.waitsFor(parent, 2)
		if list[1]["answerable"] != false || !strings.Contains(fmt.Sprint(list[1]["reason"]), "Several gates") {
			t.Errorf("%v", list[1])
		}
	})
}

// hostileGate replaces the definition of the gate.
func hostileGate(s *site, definition string) {
	s.t.Helper()
	path := filepath.Join(s.root, ".agents", "pipelines", "ship-gate.yaml")
	if err := os.WriteFile(path, []byte("metadata: {name: ship-gate}\nsteps:\n  - id: prepare\n    type: command\n    script: \"true\"\n  - id: approve\n    dependencies: [prepare]\n    gate:\n"+definition), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func TestHostileGates(t *testing.T) {
	s, e, b := openAsker(t)
	var choices strings.Builder
	for i := range 500 {
		fmt.Fprintf(&choices, "        - {key: k%d, label: %q, target: prepare}\n", i, strings.Repeat("long ", 15))
	}
	hostileGate(s, "      type: approval\n      freeform: true\n      prompt: \"<script>alert(1)</script> \\e]0;x\\a \\u202E {{ input }} "+strings.Repeat("p", 900<<10)+"\"\n      choices:\n"+
		"        - {key: \"a\\nb\", label: \"two lines\"}\n        - {key: \" s\", label: \"<b>blank</b>\"}\n        - {key: ok, label: \"fine\"}\n"+choices.String())
	run, _ := waits(b, storetest.Run{Pipeline: "ship-gate", Input: strings.Repeat("<i>\x1b[31m", 1<<18)})
	s.until("the definition is read", func() bool {
		list := s.gates(run)
		return len(list) == 1 && strings.Contains(fmt.Sprint(list[0]["prompt"]), "alert")
	})
	page := s.get("/runs/" + run)
	page.fits(t, "the page", 200_000)
	if asJSON, err := json.Marshal(s.gates(run)); err != nil || len(asJSON) > 20_000 { // the input of the run is whole there
		t.Errorf("the gate has %d bytes as JSON, %v", len(asJSON), err)
	}
	s.get("/runs/"+run+".txt").fits(t, "the text", 60_000)
	for _, raw := range []string{"<script>alert", "<b>blank", "<i>"} {
		if strings.Contains(page.body, raw) {
			t.Errorf("%q of the definition is markup", raw)
		}
	}
	if text := page.text("#gates"); strings.Contains(text, "\x1b") {
		t.Errorf("it has escapes of a terminal: %.200q", text)
	}
	disabled := 0
	page.doc().Find(`#gates button[name="choice"][disabled]`).Each(func(int, *goquery.Selection) { disabled++ })
	if disabled != 2 {
		t.Errorf("%d choices cannot be typed", disabled)
	}
	at := "/api/runs/" + run + "/gates/approve/answer"
	for body, status := range map[string]int{
		`{"choice": "a\nb"}`: 409, `{"choice": " s"}`: 409, `{"choice": "ok", "text": "` + strings.Repeat("x", runner.MaxNotes+1) + `"}`: 400,
	} {
		if got := s.json(at, body); got.status != status {
			t.Errorf("%.40s: %d %.200s", body, got.status, got.body)
		}
	}
	if got := s.json(at, `{"choice": "ok", "text": " a\r\nb\u001b[31m\n"}`); got.status != http.StatusOK {
		t.Errorf("%d %s", got.status, got.body)
	}
	if list := e.given[run]; len(list) != 1 || list[0].Text != "a b[31m" || !list[0].Asks {
		t.Errorf("it was given %v", list)
	}
}

func TestGatesNobodyAnswers(t *testing.T) {
	for name, row := range map[string]struct{ definition, kind, reason, without string }{
		"a timer":              {"      {type: timer, timeout: 1h, message: cool down}\n", "timer", "Nobody has to answer", "continues"},
		"one without choices":  {"      {type: approval, message: hm, timeout: 1h}\n", "approval", "offers no choices", "fails"},
		"one for pull request": {"      {type: pr_merge, pr_number: 4}\n", "pr_merge", "something outside", "fails"},
		"one that is gone":     {"      null\n", "approval", "definition", "waits"},
	} {
		t.Run(name, func(t *testing.T) {
			s, _, b := openAsker(t)
			hostileGate(s, row.definition)
			run, _ := waitsAt(b, storetest.Run{}, row.kind)
			s.until(name, func() bool {
				list := s.gates(run)
				return len(list) == 1 && strings.Contains(fmt.Sprint(list[0]["reason"]), row.reason)
			})
			if got := s.gates(run)[0]; got["on_timeout"] != row.without || got["answerable"] != false {
				t.Errorf("%v", got)
			}
		})
	}
}

func TestAGateWhoseTimeIsOver(t *testing.T) {
	s, e, b := openAsker(t, func(c *handlers.Config) { c.Budgets.GateTime = 5 * time.Millisecond })
	early, _ := waits(b, storetest.Run{})
	late, gate := waits(b, storetest.Run{Pipeline: "ship-gate", Start: opened.Add(-40 * time.Minute)})
	s.waitsFor(early, 1)
	s.until("the default is taken", func() bool { e.mu.Lock(); defer e.mu.Unlock(); return len(e.given[late]) > 0 })
	if list := e.given[late]; len(list) != 1 || list[0].Choice != "s" || list[0].Gate != gate || list[0].Who != "timeout" {
		t.Errorf("it was given %v", list)
	}
	if got := s.json("/api/runs/"+late+"/gates/approve/answer", `{"choice": "a"}`); got.status != http.StatusConflict || !strings.Contains(got.body, "by “timeout”") {
		t.Errorf("an answer that comes after it: %d %s", got.status, got.body)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.given[early]) > 0 {
		t.Errorf("one whose time is not over was given %v", e.given[early])
	}
}

// TestNobodyKeepsTheTime: where the engine does it itself, on a read-only console, and
// of a run in somebody's terminal.
func TestNobodyKeepsTheTime(t *testing.T) {
	for name, with := range map[string]func(*asker, *handlers.Config){
		"the engine does":     func(e *asker, _ *handlers.Config) { e.self = true },
		"a read-only console": func(_ *asker, c *handlers.Config) { c.ReadOnly = true },
		"another terminal":    func(e *asker, _ *handlers.Config) { e.held = map[string]bool{} },
	} {
		t.Run(name, func(t *testing.T) {
			s, e, b := openAsker(t, func(c *handlers.Config) {
				with(c.Engine.(*asker), c)
				c.Budgets.GateTime = time.Millisecond
			})
			run, _ := waits(b, storetest.Run{Pipeline: "ship-gate", Start: opened.Add(-40 * time.Minute)})
			s.waitsFor(run, 1)
			seen := s.store.Health().LastEventID
			b.Event(run, storetest.Event{Step: "prepare", State: "step_progress"})
			s.until("a change is seen after it", func() bool { return s.store.Health().LastEventID != seen })
			e.mu.Lock()
			defer e.mu.Unlock()
			if len(e.given[run]) > 0 {
				t.Errorf("it was given %v", e.given[run])
			}
		})
	}
}

func TestWhereAQuestionIsShown(t *testing.T) {
	s, _, b := openAsker(t)
	run, _ := waits(b, storetest.Run{})
	s.waitsFor(run, 1)
	s.until("it needs attention", func() bool { return strings.Contains(s.get("/attention").body, "Ship v9?") })
	doc := s.get("/attention").doc()
	if href := doc.Find("#run-"+run+" a.do").AttrOr("href", ""); href != "/runs/"+run+"#gates" {
		t.Errorf("attention leads to %q", href)
	}
	if row := s.get("/runs").doc().Find("#run-" + run); !strings.Contains(row.Text(), "Ship v9?") || row.Find(`[data-act="answer"]`).AttrOr("href", "") != "/runs/"+run+"#gates" {
		t.Errorf("the list says %q", row.Text())
	}
	card := s.get("/embed/v1/runs/" + run + "/card")
	if text := card.body; !strings.Contains(text, "Ship v9?") || !strings.Contains(text, "Ship it") || strings.Contains(text, "<form") {
		t.Errorf("the card says %q", text)
	}
	if got := s.get("/cmd?" + url.Values{"q": {"answer " + run}}.Encode()); got.status != http.StatusSeeOther || got.header.Get("Location") != "/runs/"+run+"#gates" {
		t.Errorf("the command leads to %d %q", got.status, got.header.Get("Location"))
	}
	if page := s.fragment("/runs/" + run + "/parts/gates"); !strings.Contains(page.body, "Ship v9?") || page.doc().Find(".top").Length() > 0 {
		t.Errorf("the part says %q", page.body)
	}
}
