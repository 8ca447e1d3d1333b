package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"

	"wavedeck/cmd/internal/browsertest"
	"wavedeck/store"
)

// runIsStartedAndStopped starts a run from its form, has its server killed
// under it, and stops it from the page of the next one.
func runIsStartedAndStopped(t *testing.T, browser *browsertest.Browser) {
	for name, scripts := range map[string]bool{"with scripts": true, "without scripts": false} {
		t.Run(name, func(t *testing.T) {
			plant := newPlant(t)
			server := start(t, "--project", plant.root, "--port", "0", "--engine", "local")
			tab := browser.Tab(t)
			tab.Expect(downs...)
			if !scripts {
				browsertest.Call(tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
			}
			shows := func(state string) {
				told := `document.querySelector('#head .meta li.` + state + `') !== null`
				if scripts {
					tab.Until(told)
					return
				}
				at := browsertest.Eval[string](tab, `location.href`)
				eventually(t, "the page says "+state, func() bool {
					tab.Open(at)
					return browsertest.Eval[bool](tab, told)
				})
			}
			tab.Open(server.url + "pipelines/wait/start")
			tab.Run(`document.querySelector('#input').value = 'all <night>'`)
			follow(tab, `#start button.go`)
			tab.Until(`/^\/runs\/wait-/.test(location.pathname)`)
			id := strings.TrimPrefix(browsertest.Eval[string](tab, `location.pathname`), "/runs/")
			shows("running")
			if r := plant.run(id); r.Input != "all <night>" {
				t.Errorf("the run's input is %q", r.Input)
			}
			shell := plant.shell()

			if err := server.cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			<-server.done
			start(t, "--project", plant.root, "--port", server.port(), "--engine", "local")
			if r := plant.run(id); r.State != store.Running || gone(r.PID) || gone(shell) {
				t.Fatalf("without its server it is %s", r.State)
			}
			if scripts {
				tab.Until(live)
			}
			follow(tab, `a[data-act=cancel]`)
			follow(tab, `#stop button.danger`)
			shows("cancelled")
			pid := plant.run(id).PID
			eventually(t, "its processes are gone", func() bool { return gone(pid) && gone(shell) })
		})
	}
}

// runIsRepeated has a run fail, and repeats it from its page.
func runIsRepeated(t *testing.T, browser *browsertest.Browser) {
	plant := newPlant(t)
	definition := "kind: WavePipeline\nmetadata: {name: moody}\nsteps:\n" +
		"  - {id: a, type: command, script: 'echo {{ input }}'}\n" +
		"  - {id: b, type: command, dependencies: [a], script: 'test -e ../../../../mended || { echo not yet >&2; exit 3; }'}\n"
	if err := os.WriteFile(filepath.Join(plant.root, ".agents/pipelines/moody.yaml"), []byte(definition), 0o600); err != nil {
		t.Fatal(err)
	}
	server := start(t, "--project", plant.root, "--port", "0", "--engine", "local")
	tab := browser.Tab(t)
	tab.Open(server.url + "pipelines/moody/start")
	follow(tab, `#start button.go`)
	tab.Until(`document.querySelector('#head .meta li.failed') !== null`)
	tab.Until(`document.body.textContent.includes('not yet')`)
	first := strings.TrimPrefix(browsertest.Eval[string](tab, `location.pathname`), "/runs/")

	if err := os.WriteFile(filepath.Join(plant.root, "mended"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	follow(tab, `a[data-act=retry]`)
	follow(tab, `main form button.go`)
	tab.Until(`document.querySelector('#head .meta li.succeeded') !== null`)
	again := strings.TrimPrefix(browsertest.Eval[string](tab, `location.pathname`), "/runs/")
	if r := plant.run(again); again == first || r.ForkedFrom != first || r.StepsDone != 2 {
		t.Errorf("%s repeats %q, %d steps", again, r.ForkedFrom, r.StepsDone)
	}
	if _, err := os.Stat(filepath.Join(plant.root, ".agents/logs", again+".log")); errors.Is(err, os.ErrNotExist) {
		t.Error("it has no log")
	}
}
