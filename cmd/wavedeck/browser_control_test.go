package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"wavedeck/cmd/internal/browsertest"
	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
	"wavedeck/store/wave"
)

// mendable fails at its second step until there is a file.
const mendable = `kind: WavePipeline
metadata: {name: mend}
input: {source: cli, required: true, example: "acme/widgets 42"}
steps:
  - {id: make, type: command, script: 'echo made; echo x >> ../../../../made', output_artifacts: [{name: out, source: stdout}]}
  - {id: check, type: command, dependencies: [make], script: 'test -e ../../../../ready || { echo not ready yet >&2; exit 3; }'}
  - {id: last, type: command, dependencies: [check], script: 'echo done'}
`

// operator is somebody at a browser, with or without scripts.
type operator struct {
	*browsertest.Tab
	scripts bool
}

// sees waits until the page shows something: by itself, or without scripts when
// it is asked for again and again.
func (o operator) sees(t *testing.T, condition string) {
	t.Helper()
	if o.scripts {
		o.Until(condition)
		return
	}
	eventually(t, condition, func() bool {
		o.Do(chromedp.Reload())
		return browsertest.Eval[bool](o.Tab, "!!("+condition+")")
	})
}

// at is the run that the page is about.
func (o operator) at() string {
	return browsertest.Eval[string](o.Tab, `decodeURIComponent(location.pathname.split('/')[2] ?? '')`)
}

// runIDs are all runs in a database.
func runIDs(t testing.TB, database string) (ids []string) {
	t.Helper()
	db, err := statedb.Open(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Select(&ids, `SELECT run_id FROM pipeline_run ORDER BY started_at, run_id`); err != nil {
		t.Fatal(err)
	}
	return ids
}

const stateWord = `document.querySelector('.meta li b')?.textContent.trim()`

func steerRuns(t *testing.T, browser *browsertest.Browser)           { steer(t, browser, true) }
func steerWithoutScripts(t *testing.T, browser *browsertest.Browser) { steer(t, browser, false) }

// steer starts, stops, repeats and resumes runs as an operator does.
func steer(t *testing.T, browser *browsertest.Browser, scripts bool) {
	p := newPlant(t)
	if err := os.WriteFile(filepath.Join(p.root, ".agents/pipelines/mend.yaml"), []byte(mendable), 0o600); err != nil {
		t.Fatal(err)
	}
	server := start(t, "--project", p.root, "--port", "0", "--engine", "local", "--data", t.TempDir())
	o := operator{browser.Tab(t), scripts}
	if !scripts {
		browsertest.Call(o.Tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	}
	database := storetest.StatePath(p.root)

	// Start: chosen from the list of runs, and the button pressed twice.
	o.Open(server.url)
	follow(o.Tab, `.head a.btn.go`)
	follow(o.Tab, `a.open[href$="/pipelines/wait/start"]`)
	o.Until(`document.querySelector('#plan-a')`)
	from := browsertest.Eval[string](o.Tab, `location.href`)
	x, y := o.Point(`#plan .btn.go`)
	o.Do(chromedp.MouseClickXY(x, y), chromedp.MouseClickXY(x, y))
	o.Until(`location.href !== '` + from + `' && document.readyState === 'complete' && location.pathname.startsWith('/runs/wait-')`)
	run := o.at()
	o.sees(t, stateWord+` === 'running'`)
	shell := p.shell()
	if ids := runIDs(t, database); len(ids) != 1 || ids[0] != run {
		t.Fatalf("a double click started %v, the page is about %s", ids, run)
	}

	// Stop: asked first, and its process is gone in the end.
	o.Click(`#acts [data-act=cancel]`) // a dialog, or without scripts a page
	o.Until(`document.querySelector('#stop a.btn')`)
	leave(o.Tab, `#stop a.btn`)
	if gone(shell) {
		t.Error("it was stopped although nobody said so")
	}
	o.Click(`#acts [data-act=cancel]`)
	o.Until(`document.querySelector('#stop button')`)
	leave(o.Tab, `#stop button`)
	if at := o.at(); at != run {
		t.Errorf("stopping leads to %s", at)
	}
	o.sees(t, stateWord+` === 'cancelled'`)
	o.sees(t, `document.querySelector('.meta li a').getAttribute('href').includes('/audit?run=')`)
	eventually(t, "its process is gone", func() bool { return gone(shell) })

	// A field that is wrong is said at the field.
	o.Open(server.url + "pipelines/mend/start?timeout=soon&input=acme")
	o.Until(`document.querySelector('#error-timeout')?.textContent.includes('number of minutes')`)
	o.Open(server.url + "pipelines/mend/start?input=acme%2Fwidgets+7")
	follow(o.Tab, `#plan .btn.go`)
	failed := o.at()
	o.sees(t, stateWord+` === 'failed'`)
	o.sees(t, `document.querySelector('#failure')?.textContent.includes('not ready yet')`)

	// Retry: the same again, linked to the first.
	follow(o.Tab, `#acts [data-act=again]`)
	again := o.at()
	o.sees(t, stateWord+` === 'failed'`)
	if r := p.run(again); r.ForkedFrom != "" || r.Input != "acme/widgets 7" {
		t.Errorf("the retry is %+v", r)
	}
	o.sees(t, `document.querySelector('#family')?.textContent.includes('Retry of') && document.querySelector('#family').innerHTML.includes('/runs/`+failed+`')`)

	// Resume: at the step that failed, without doing again what was done.
	if err := os.WriteFile(filepath.Join(p.root, "ready"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	follow(o.Tab, `#acts [data-act=resume]`)
	o.Until(`document.querySelector('input[name=from_step]:checked').value === 'check'`)
	o.Until(`document.querySelector('#plan-make').textContent.includes('reused') && document.querySelector('#plan-last').textContent.includes('runs')`)
	if !browsertest.Eval[bool](o.Tab, `document.querySelector('input[name=from_step][value=last]').disabled`) {
		t.Error("it can be resumed behind the step that failed")
	}
	o.Click(`input[name=from_step][value=make]`)
	if scripts {
		o.Until(`document.querySelector('#plan-make').textContent.includes('runs')`)
	} else {
		follow(o.Tab, `#plan .btn:not(.go)`)
		o.Until(`document.querySelector('#plan-make').textContent.includes('runs')`)
	}
	o.Click(`input[name=from_step][value=check]`)
	follow(o.Tab, `#plan .btn.go`)
	o.sees(t, stateWord+` === 'succeeded'`)
	if r := p.run(o.at()); r.Parent != again || r.State != wave.Succeeded {
		t.Errorf("the resumed run is %+v", r)
	}
	if made, err := os.ReadFile(filepath.Join(p.root, "made")); err != nil || strings.Count(string(made), "x") != 2 {
		t.Errorf("the first step ran %d times, %v", strings.Count(string(made), "x"), err)
	}

	// Each is in the audit log.
	o.Open(server.url + "audit")
	for _, action := range []string{"start", "cancel", "retry", "resume"} {
		o.Until(`document.querySelector('main').textContent.includes('` + action + `')`)
	}
}
