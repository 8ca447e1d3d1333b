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
)

// gated asks between two steps.
const gated = `kind: WavePipeline
metadata: {name: gated}
steps:
  - id: approve
    gate:
      type: approval
      prompt: "Bring it to the real shop?"
      freeform: true
      timeout: 30m
      default: s
      choices: [{key: s, label: Ship it, target: publish}, {key: a, label: Abort, target: _fail}]
  - {id: publish, type: command, dependencies: [approve], script: 'echo published'}
`

func answerGates(t *testing.T, browser *browsertest.Browser)          { answerGate(t, browser, true) }
func answerWithoutScripts(t *testing.T, browser *browsertest.Browser) { answerGate(t, browser, false) }

// answerGate starts a run, and answers what it asks.
func answerGate(t *testing.T, browser *browsertest.Browser, scripts bool) {
	p := newPlant(t)
	if err := os.WriteFile(filepath.Join(p.root, ".agents/pipelines/gated.yaml"), []byte(gated), 0o600); err != nil {
		t.Fatal(err)
	}
	server := start(t, "--project", p.root, "--port", "0", "--engine", "local", "--data", t.TempDir())
	o := operator{browser.Tab(t), scripts}
	if !scripts {
		browsertest.Call(o.Tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	}
	if scripts {
		o.LookForBarriers()
	}
	o.Open(server.url + "pipelines/gated/start")
	follow(o.Tab, `#plan .btn.go`)
	run := o.at()
	o.sees(t, `document.querySelector('#gates .gate form')`)
	if scripts {
		person{o.Tab, t}.barriers("with a gate")
		// A key leads to it, and what is being written stays while the run goes on.
		press(o.Tab, "a")
		o.Until(`document.activeElement?.matches('#gates textarea')`)
		o.Do(chromedp.KeyEvent("looks good"))
		db, err := statedb.Open(t.Context(), storetest.StatePath(p.root))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.Exec(`INSERT INTO event_log (run_id, timestamp, step_id, state, message) SELECT run_id, timestamp, step_id, 'step_progress', 'still here' FROM event_log WHERE run_id = ? LIMIT 1`, run); err != nil {
			t.Fatal(err)
		}
		o.Until(`document.querySelector('#events')?.textContent.includes('still here')`)
		if text := browsertest.Eval[string](o.Tab, `document.querySelector('#gates textarea').value`); text != "looks good" {
			t.Errorf("what was written became %q", text)
		}
	}
	if asks := browsertest.Eval[string](o.Tab, `document.querySelector('#gates').textContent.replace(/\s+/g, ' ')`); !strings.Contains(asks, "Bring it to the real shop?") || !strings.Contains(asks, "without an answer: Ship it at") {
		t.Errorf("it asks %q", asks)
	}
	leave(o.Tab, `#gates button[value="s"]`)
	if at := o.at(); at != run {
		t.Errorf("an answer leads to %s", at)
	}
	o.sees(t, stateWord+` === 'succeeded'`)
	o.sees(t, `!document.querySelector('#gates .gate')`)
	notes, _ := os.ReadFile(filepath.Join(p.root, ".agents/workspaces", run, ".agents/artifacts/gate-approve-text"))
	if want := map[bool]string{true: "looks good"}[scripts]; string(notes) != want {
		t.Errorf("notes %q, want %q", notes, want)
	}
}
