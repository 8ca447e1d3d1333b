package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"wavedeck/cmd/internal/browsertest"
	"wavedeck/store/storetest"
	"wavedeck/views/keys"
)

// keyboard is somebody who has no mouse.
type keyboard struct {
	*browsertest.Tab
	url    string
	record string // folder of numbered pictures; empty: none are taken
	shots  int
}

// keys presses keys one after another.
func (k *keyboard) keys(list ...string) {
	for _, key := range list {
		press(k.Tab, key)
	}
}

// types writes into what has the focus.
func (k *keyboard) types(text string) { k.Do(chromedp.KeyEvent(text)) }

// comes waits for another page that hears keys.
func (k *keyboard) comes(condition string) {
	k.Until(`document.readyState === 'complete' && ` + ready + ` && ` + condition)
}

// opens begins at a page, with nothing kept in the browser.
func (k *keyboard) opens(page string) {
	k.Open(k.url + "healthz")
	k.Run(`sessionStorage.clear(); localStorage.clear()`)
	k.Open(k.url + page)
	k.comes(`true`)
}

// TestBrowserConsole is what people do who never touch the mouse.
func TestBrowserConsole(t *testing.T) {
	t.Parallel()
	browser := browsertest.Start(t)
	root, _ := keyProject(t)
	b := storetest.At(t, storetest.StatePath(root))
	p := start(t, "--project", root, "--port", "0")
	eventually(t, "the runs are there", func() bool { return p.states(t)["completed"] > 0 })
	k := &keyboard{Tab: browser.Tab(t), url: p.url}
	for _, story := range []struct {
		name string
		tell func(*testing.T, *keyboard)
	}{
		{"a command is completed, and is about the run in focus", commandsAreTyped},
		{"what needs attention is a list like any other", attentionIsReached},
		{"runs are selected and taken to the rehearsal", runsAreSelected},
		{"elements name the keys that press them", shortcutsAreNamed},
		{"keys are switched off and changed", keysAreChanged},
		{"what an input method composes is no key", composedIsNoKey},
		{"focus, selection and place survive what comes", func(t *testing.T, k *keyboard) { placeIsKept(t, k, b) }},
	} {
		t.Run(story.name, func(t *testing.T) { k.Within(t, func() { story.tell(t, k) }) })
	}
	t.Run("somebody finds the failed run, reads why, retries it and watches it pass", func(t *testing.T) { failureIsMended(t, browser) })
}

func commandsAreTyped(t *testing.T, k *keyboard) {
	const input = `document.querySelector('dialog[open] #cmd-q')`
	const first = input + `?.parentElement.querySelector('[role=option]')`
	k.opens("runs/" + keyRunning)
	k.keys(":")
	k.Until(input + ` === document.activeElement`)
	k.types("canc")
	k.Until(first + `?.dataset.text === 'cancel '`)
	k.keys("ArrowDown", "Enter")
	k.Until(input + `.value === 'cancel '`)
	k.keys("Enter")
	k.comes(`location.pathname === '/runs/` + keyRunning + `/cancel'`)
	if word := browsertest.Eval[string](k.Tab, `document.activeElement.textContent`); word != "Go back" {
		t.Errorf("the focus is at %q, which is not the safe answer", word)
	}

	k.opens("runs")
	k.keys("f", "j", "j", ":")
	k.Until(input)
	k.types("logs")
	k.Until(first + `?.dataset.text === 'logs '`)
	k.keys("Escape", "Enter") // the ways to go on are closed, not the dialog
	k.comes(`location.pathname === '/` + logPage + `'`)

	// Escape leaves, and the row has the focus again.
	k.opens("runs")
	k.keys("f", "j", ":")
	k.Until(input)
	k.keys("Escape")
	k.Until(`!document.querySelector('dialog[open]') && document.activeElement.id === 'run-k-pending'`)

	// Without the dialog: the page behind its link, which keeps what was typed and says what is wrong.
	k.Expect("400 (Bad Request)")
	k.keys(":")
	k.Until(input)
	k.types("lgos\r")
	k.comes(`document.querySelector('#cmd-q-wrong mark')?.textContent === 'lgos'`)
}

func attentionIsReached(_ *testing.T, k *keyboard) {
	k.opens("runs")
	k.keys("g n")
	k.comes(`location.pathname === '/attention' && document.querySelectorAll('tr.run').length > 1`)
	k.keys("f", "j")
	k.Until(`document.activeElement === document.querySelectorAll('tr.run')[1]`)
	to := browsertest.Eval[string](k.Tab, `document.activeElement.querySelector('a.open').pathname`)
	k.keys("Enter")
	k.comes(`location.pathname === ` + quoted(to))
}

func runsAreSelected(_ *testing.T, k *keyboard) {
	selected := func(n int) string {
		return fmt.Sprintf(`document.querySelectorAll('#runs [name=run]:checked').length === %d && document.querySelectorAll('#runs tr[aria-selected=true]').length === %[1]d`, n)
	}
	k.opens("runs")
	k.keys("f", "J", "J")
	k.Until(selected(3) + ` && document.activeElement.id === 'run-` + keyFailed + `'`)
	k.keys("K") // the way back lets go
	k.Until(selected(2) + ` && document.activeElement.id === 'run-k-pending'`)
	k.keys("Space")
	k.Until(selected(1))
	k.keys("*")
	k.Until(`document.querySelector('#bulk [name=all]').checked`)
	k.keys("Escape")
	k.Until(selected(0) + ` && !document.querySelector('#bulk [name=all]').checked`)
	k.keys("Space", "c")
	k.comes(`location.pathname === '/runs/bulk' && document.querySelector('#touched')`)
	// Their number is asked for: without it nothing is sent.
	k.keys("Mod+Enter")
	k.Until(`document.querySelector('#count:invalid') === document.activeElement`)
	k.types("7")
	k.Expect("400 (Bad Request)")
	k.keys("Mod+Enter")
	k.comes(`document.querySelector('#error-count')`)
}

// shortcut is what an element says of its keys.
type shortcut struct {
	Selector string
	Place    int
	Keys     string
}

// shortcuts are those of the table that press or focus an element.
func shortcuts() (list []shortcut) {
	spelled := func(all []string) string {
		var alone []string
		for _, key := range all {
			switch {
			case strings.Contains(key, " "):
				continue
			case len(key) == 1 && key >= "A" && key <= "Z":
				key = "Shift+" + key
			}
			alone = append(alone, strings.Replace(key, "Mod+", "Control+", 1))
		}
		return strings.Join(alone, " ")
	}
	for _, b := range keys.Table() {
		switch b.Do.Verb {
		case "click", "focus", "stay", "command":
			list = append(list, shortcut{b.Do.Arg, 0, spelled(b.Keys)})
		case "row":
			list = append(list, shortcut{`tr[tabindex="0"] ` + b.Do.Arg, 0, spelled(b.Keys)})
		case "nth", "staynth":
			for n, key := range b.Keys {
				list = append(list, shortcut{b.Do.Arg, n, spelled([]string{key})})
			}
		}
	}
	return list
}

func shortcutsAreNamed(t *testing.T, k *keyboard) {
	wanted, err := json.Marshal(shortcuts())
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range []string{"runs", "runs/" + keyRunning, failedPage, logPage + "?q=capacity", failedPage + "/resume"} {
		k.opens(page)
		if page == "runs" {
			k.keys("f", "j", "j")
		}
		wrong := browsertest.Eval[[]string](k.Tab, `(() => {
	const wanted = new Map(), wrong = []
	for (const {Selector, Place, Keys} of `+string(wanted)+`) {
		const e = document.querySelectorAll(Selector)[Place]
		if (e && Keys) wanted.set(e, Keys)
	}
	for (const e of new Set([...wanted.keys(), ...document.querySelectorAll('[aria-keyshortcuts]')])) {
		const says = e.getAttribute('aria-keyshortcuts') ?? 'nothing'
		if (says !== (wanted.get(e) ?? 'nothing')) wrong.push(e.outerHTML.slice(0, 120) + ' says ' + says + ', not ' + wanted.get(e))
	}
	if (wanted.size < 3) wrong.push('only ' + wanted.size + ' have keys')
	return wrong
})()`)
		if len(wrong) > 0 {
			t.Errorf("%s: %q", page, wrong)
		}
	}
}

func keysAreChanged(_ *testing.T, k *keyboard) {
	const help = `document.querySelector('dialog[open] #dialog-title')?.textContent === 'Keys'`
	k.opens("settings")
	k.Run(`document.querySelector('[name=settings]').focus()`)
	k.types("?\t") // that of the help
	k.Until(`document.querySelector('#remap-trouble').textContent.includes('is taken') && document.querySelector('[name=settings]').ariaInvalid === 'true'`)
	k.Run(`document.querySelector('[name=help]').focus()`)
	k.types("g x\t")
	k.Until(`document.querySelector('#remap-trouble').hidden`)
	k.Run(`document.querySelector('[name=settings]').value = ''; document.querySelector('[name=settings]').focus()`)
	k.types("x\t")
	k.Open(k.url + "runs")
	k.comes(`document.querySelector('[data-nav=settings]').ariaKeyShortcuts === 'x'`)
	k.keys("?", ",", "g x")
	k.Until(help + ` && location.pathname === '/runs'`)
	k.keys("Escape", "x")
	k.comes(`location.pathname === '/settings'`)

	// Off: what acts without a focus is heard no more, the rest is.
	k.Run(`document.querySelector('#keys-reset').click(); document.querySelector('#keys-off').click()`)
	k.Open(k.url + "runs")
	k.comes(`!document.querySelector('[data-nav=settings]').ariaKeyShortcuts`)
	k.keys("?", "x", ":", ",", "g p", "/")
	k.Run(`document.querySelector('tr.run[tabindex="0"]').focus()`)
	k.keys("?", "j")
	k.Until(`document.activeElement.id === 'run-k-pending' && location.pathname === '/runs' && !document.querySelector('dialog[open]')`)
	k.keys("Mod+k")
	k.Until(`document.querySelector('dialog[open] #dialog-title')?.textContent === 'Find'`)
}

func composedIsNoKey(t *testing.T, k *keyboard) {
	k.opens("runs")
	k.Run(`window.compose = (key, isComposing) => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key, isComposing, bubbles: true, cancelable: true}))`)
	// compose reports whether the page left the key alone.
	for _, on := range []struct{ focus, key string }{
		{`document.activeElement.blur()`, "/"},
		{`document.querySelector('tr.run').focus()`, "j"},
		{`document.querySelector('#filter-q').focus()`, "Escape"},
		{`document.querySelector('#filter-q').focus()`, "ArrowDown"},
	} {
		k.Run(on.focus + `; window.at = document.activeElement`)
		if !browsertest.Eval[bool](k.Tab, `compose(`+quoted(on.key)+`, true) && document.activeElement === window.at`) {
			t.Errorf("%s is heard while something is composed", on.key)
		}
		if browsertest.Eval[bool](k.Tab, `compose(`+quoted(on.key)+`, false) && document.activeElement === window.at`) {
			t.Errorf("%s is not heard at all", on.key)
		}
	}
}

// placeIsKept changes what a page shows under somebody who is at work in it.
func placeIsKept(t *testing.T, k *keyboard, b *storetest.Builder) {
	now := time.Now()
	come := 0
	comes := func() { // a run that stands above all others
		come++
		b.Run(storetest.Run{ID: fmt.Sprint("k-new-", come), Status: "completed", Start: now.Add(time.Duration(come) * time.Second)})
	}
	const place = `[document.activeElement.id, Math.round(document.activeElement.getBoundingClientRect().top), [...document.querySelectorAll('#runs [name=run]:checked')].map(box => box.value).join(), getSelection().toString()].join(' ')`
	browsertest.Call(k.Tab, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 1440, Height: 500})
	k.opens("runs")
	k.Until(live)
	k.keys("f", "G", "J", "Space", "K", "K")
	k.Run(`scrollBy(0, -7); getSelection().selectAllChildren(document.activeElement.querySelector('.name'))`)
	at := browsertest.Eval[string](k.Tab, place)
	if browsertest.Eval[float64](k.Tab, `scrollY`) == 0 || strings.Count(at, ",") != 2 {
		t.Fatalf("before something comes it is at %s", at)
	}
	stays := func(what string) {
		t.Helper()
		if now := browsertest.Eval[string](k.Tab, place); now != at {
			t.Errorf("%s: it was at %s, now at %s", what, at, now)
		}
	}
	comes()
	k.Until(`document.querySelector('#held')?.textContent === '1 new run'`)
	stays("a run came")
	b.Exec(`UPDATE pipeline_run SET status = 'completed', completed_at = ? WHERE run_id = ?`, now.Unix(), keyRunning)
	b.Event(keyRunning, storetest.Event{State: "completed"})
	k.Until(`document.querySelector('#run-` + keyRunning + `').classList.contains('succeeded')`)
	stays("a run ended")
	// What waits is applied, then the whole page is read again.
	kept := `document.activeElement.id === ` + quoted(strings.Fields(at)[0]) + ` && document.querySelectorAll('#runs [name=run]:checked').length === 3`
	k.keys(".")
	k.Until(`!document.querySelector('#held') && document.querySelector('#run-k-new-1') && ` + kept)
	k.Run(`document.addEventListener('htmx:after:swap', e => { window.applied ||= e.detail.ctx.sourceElement.id === 'page' })`)
	k.keys("t l", ".")
	k.Until(`window.applied && ` + kept)
	k.Run(`sessionStorage.clear()`)

	// Back: at the row that was left, although it stands elsewhere now.
	k.opens("runs")
	k.keys("f", "j", "j", "j", "Enter")
	left := `document.activeElement.id === 'run-` + keyFailed + `'`
	k.comes(`location.pathname === '/` + failedPage + `'`)
	comes()
	k.keys("[")
	k.comes(`location.pathname === '/runs' && ` + left)
	k.keys("Enter")
	k.comes(`location.pathname === '/` + failedPage + `'`)
	k.keys("Escape") // one level out is the list, too
	k.comes(`location.pathname === '/runs' && ` + left)

	// A step of a run keeps the focus, and a state filter leads into the list.
	k.opens(failedPage)
	k.Until(live)
	k.keys("j", "j")
	step := browsertest.Eval[string](k.Tab, `document.activeElement.id`)
	b.Event(keyFailed, storetest.Event{Step: "integration", State: "stream_activity", Message: "one more"})
	k.Until(`document.querySelector('#events').textContent.includes('one more')`)
	if now := browsertest.Eval[string](k.Tab, `document.activeElement.id`); step == "" || now != step {
		t.Errorf("the focus was at %q, now at %q", step, now)
	}
	k.opens("runs")
	k.keys("f", "1")
	k.comes(`location.search !== '' && ` + rowInFocus)
}

// flaky fails the first time it is tried.
const flaky = `kind: WavePipeline
metadata: {name: publish}
input: {source: cli, required: true, example: "acme/widgets 42"}
steps:
  - {id: build, type: command, script: 'echo compiled 128 files; echo linked widgets'}
  - {id: upload, type: command, dependencies: [build], script: 'test -e ../../../../tried || { touch ../../../../tried; echo "registry answered 503 Service Unavailable" >&2; exit 7; }; echo uploaded widgets 42'}
  - {id: announce, type: command, dependencies: [upload], script: 'echo announced'}
`

// failureIsMended is told with keys alone once the first page is there. With
// WAVEDECK_RECORD=DIR each step leaves a picture.
func failureIsMended(t *testing.T, browser *browsertest.Browser) {
	plant := newPlant(t)
	if err := os.WriteFile(filepath.Join(plant.root, ".agents/pipelines/publish.yaml"), []byte(flaky), 0o600); err != nil {
		t.Fatal(err)
	}
	server := start(t, "--project", plant.root, "--port", "0", "--engine", "local", "--data", t.TempDir())
	for _, pipeline := range []string{"say", "publish"} {
		server.post(t, "api/pipelines/"+pipeline+"/start", url.Values{"input": {"acme/widgets 42"}})
	}
	eventually(t, "one run has failed and one has not", func() bool { s := server.states(t); return s["failed"] == 1 && s["completed"] == 1 })

	k := &keyboard{Tab: browser.Tab(t), url: server.url, record: os.Getenv("WAVEDECK_RECORD")}
	k.opens("runs")
	k.shot(t, "the list of runs")
	k.keys("?")
	k.Until(`document.querySelector('dialog[open] [role=combobox]')`)
	k.types("filter")
	k.Until(`document.querySelector('dialog[open] [aria-selected=true]:not([hidden])')?.textContent.includes('Filter')`)
	k.shot(t, "which key filters")
	k.keys("Enter")
	k.Until(`document.activeElement.id === 'filter-q'`)
	k.types("status:fai")
	k.Until(`document.querySelector('#filter-q-list [role=option]')?.dataset.text === 'status:failed '`)
	k.keys("ArrowDown")
	k.shot(t, "the filter is completed")
	k.keys("Enter", "Enter")
	k.comes(`location.search.includes('failed') && document.querySelectorAll('#runs tr.run').length === 1`)
	k.keys("f")
	k.Until(rowInFocus)
	k.shot(t, "the failed run")
	k.keys("Enter")
	k.comes(`document.querySelector('#failure')?.textContent.includes('503 Service Unavailable')`)
	failed := browsertest.Eval[string](k.Tab, `location.pathname`)
	k.keys("e")
	k.Until(`document.activeElement.id === 'failure'`)
	k.shot(t, "why it failed")
	k.keys("4")
	k.comes(`location.pathname === '` + failed + `/log' && document.querySelector('#lines')?.textContent.includes('503')`)
	k.keys("e", "e")
	k.Until(`document.activeElement.matches('.l.bad')`)
	k.shot(t, "what it said before")
	k.keys("Escape", "Escape") // out of the lines, then out of the log
	k.comes(`location.pathname === '` + failed + `'`)
	k.keys("r")
	k.comes(`location.pathname === '` + failed + `/retry' && document.querySelector('#start')`)
	k.shot(t, "the retry, before it is confirmed")
	k.keys("Mod+Enter")
	k.comes(`location.pathname.startsWith('/runs/publish-') && location.pathname !== '` + failed + `' && !location.pathname.endsWith('/retry')`)
	k.Run(stays)
	k.shot(t, "it is at work")
	k.Until(stateWord + ` === 'succeeded'`)
	if browsertest.Eval[bool](k.Tab, reloaded) {
		t.Error("the page was loaded anew")
	}
	k.shot(t, "it has passed")
	passed := browsertest.Eval[string](k.Tab, `location.pathname`)
	k.keys(":")
	k.Until(`document.querySelector('dialog[open] #cmd-q')`)
	k.types("diff " + passed[len(passed)-4:] + " " + failed[len(failed)-4:])
	k.shot(t, "what is different, asked")
	k.keys("Enter")
	k.comes(`location.pathname === '/compare' && document.querySelector('main').textContent.includes('503')`)
	k.shot(t, "what is different now")
}

// post sends a form that must be accepted.
func (p *program) post(t testing.TB, path string, form url.Values) {
	t.Helper()
	r, err := http.PostForm(p.url+path, form)
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	if r.StatusCode/100 != 2 {
		t.Fatalf("POST %s is answered %s", path, r.Status)
	}
}

// shot takes a picture of a step of a story.
func (k *keyboard) shot(t *testing.T, what string) {
	if k.record == "" {
		return
	}
	k.shots++
	name := fmt.Sprintf("%02d %s.png", k.shots, what)
	if err := os.MkdirAll(k.record, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(k.record, name), browsertest.Shot(k.Tab), 0o600); err != nil {
		t.Fatal(err)
	}
}
