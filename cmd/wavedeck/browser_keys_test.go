package main

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp/kb"

	"wavedeck/cmd/internal/browsertest"
	"wavedeck/store/storetest"
	"wavedeck/views/keys"
)

// A keyStory shows that a key does what the table says.
type keyStory struct {
	page  string // below the program's address
	first string // a script that runs before, with the focus where the key acts
	alone bool   // not with the list in focus: there it does something else, or it is done already
	leads string // an expression for the address that the key leads to; it is not followed
	then  string // instead: what is so once the key has acted, and was not before
}

// ready holds when the page hears keys.
const ready = `'keysReady' in document.documentElement.dataset`

// noticed keeps what the page gives away: where it would go, while it is told to
// stay, and what it put on the clipboard.
const noticed = `
navigation.addEventListener('navigate', e => {
	if (!window.staying || !e.cancelable || e.navigationType === 'traverse') return
	e.preventDefault()
	const url = new URL(e.destination.url)
	window.led = url.pathname + url.search
})
if (navigator.clipboard) {
	const write = navigator.clipboard.writeText.bind(navigator.clipboard)
	navigator.clipboard.writeText = async text => { await write(text); window.pasted = text }
}`

// again undoes what a key before may have done to the page. What cannot be undone
// spoils it.
const anew = `
window.staying = window.sent = window.applied = window.led = window.pasted = window.whole = window.from = undefined
document.querySelector('dialog[open]')?.close()
for (const fold of document.querySelectorAll('main details')) fold.open = fold.was ??= fold.open
for (const box of document.querySelectorAll('main input:checked')) if (box.type === 'checkbox') box.click()
for (const select of document.querySelectorAll('[data-choice]')) if (select.value) {
	select.value = ''
	select.dispatchEvent(new Event('change', {bubbles: true}))
}
sessionStorage.clear()
localStorage.clear()
document.activeElement.blur()
scrollTo(0, 0)`

// into puts the focus where a scope's keys act.
func into(scope keys.Scope) string {
	switch scope {
	case keys.List, keys.Picked:
		return `document.querySelector('[data-keys=list] tr.run').focus()`
	case keys.Log:
		return `document.querySelector('#lines').focus()`
	case keys.Graph:
		return `document.querySelector('[data-keys=graph]').focus()`
	default:
		return `document.activeElement.blur()`
	}
}

// press presses one alternative of a binding, stroke by stroke, as a keyboard
// does: what a script prevents goes no further.
func press(tab *browsertest.Tab, key string) {
	for stroke := range strings.SplitSeq(key, " ") {
		name, mod := strings.CutPrefix(stroke, "Mod+")
		p := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: name, Text: name}
		switch name {
		case "Enter":
			p.Text, p.WindowsVirtualKeyCode = "\r", 13
		case "Space":
			p.Key, p.Text, p.WindowsVirtualKeyCode = " ", " ", 32
		case "Escape":
			p.Text, p.WindowsVirtualKeyCode = "", 27
		case "ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown":
			p.Text, p.WindowsVirtualKeyCode = "", int64(37+slices.Index([]string{"ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown"}, name))
		default:
			if strings.ToLower(name) != name || strings.ContainsAny(name, "?:*+{}") {
				p.Modifiers = int64(kb.ModifierShift)
			}
		}
		if mod {
			p.Text, p.Modifiers = "", int64(kb.ModifierCtrl)
		}
		browsertest.Call(tab, input.DispatchKeyEvent, p)
		p.Type, p.Text = input.DispatchKeyEventTypeKeyUp, ""
		browsertest.Call(tab, input.DispatchKeyEvent, p)
	}
}

// The runs of TestBrowserKeys that stand above those of the sample, newest first.
const (
	keyRunning = "k-running"
	keyFailed  = "k-failed" // its pipeline is defined, its failed step was tried three times, its log is long
	keyParent  = "nightly-audit-20261123-003816-b6f6"
)

// keyProject is the sample with runs of eight states, and the last event of one of them.
func keyProject(t testing.TB) (root string, last int64) {
	root = storetest.Project(t)
	b := storetest.At(t, storetest.StatePath(root))
	now := time.Now()
	for i, r := range []storetest.Run{
		{ID: keyRunning, Status: "running", Heartbeat: now, PID: os.Getpid()},
		{ID: "k-pending", Status: "pending"},
		{ID: keyFailed, Status: "failed", Pipeline: "flaky-integration", Input: "staging\nand more", Error: "no capacity"},
		{ID: "k-empty", Status: "completed_empty"},
		{ID: "k-waiting", Status: "running", Heartbeat: now, PID: os.Getpid()},
	} {
		r.Start = now.Add(-time.Duration(i+1) * time.Second)
		b.Run(r)
	}
	b.Event("k-waiting", storetest.Event{Step: "approve", State: "running", Message: "gate step: approval"})
	b.Event("k-waiting", storetest.Event{State: "gate_waiting"})
	b.Step(keyFailed, storetest.Step{ID: "provision"})
	b.Step(keyFailed, storetest.Step{ID: "integration", State: "failed", Error: "no capacity"})
	for n := range 3 {
		b.Attempt(keyFailed, storetest.Attempt{Step: "integration", N: n + 1, State: "failed", Error: "no capacity"})
	}
	for i := range 150 {
		e := storetest.Event{Step: "integration", State: "stream_activity", Message: fmt.Sprintf("line %d", i)}
		if i%50 == 49 {
			e.State, e.Message = "failed", "no capacity"
		}
		last = b.Event(keyFailed, e)
	}
	return root, last
}

// TestBrowserKeys presses every key of the table. Keys of one page are pressed
// one after another in it: it is reopened only where one has left it, or has
// done what cannot be undone.
func TestBrowserKeys(t *testing.T) {
	t.Parallel()
	b := browsertest.Start(t)
	root, last := keyProject(t)
	p := start(t, "--project", root, "--port", "0")
	eventually(t, "the runs are there", func() bool { return p.states(t)["completed"] > 0 })
	for n := range 9 {
		p.post(t, "api/views", url.Values{"name": {fmt.Sprint("view ", n+1)}, "query": {fmt.Sprint("limit=", n+1)}})
	}
	tab := b.Tab(t)
	tab.Allow("clipboard-write")
	tab.Before(noticed)
	tab.Open(p.url + "healthz")
	stories := keyStories(last)
	var all []pressed
	for _, binding := range keys.Table() {
		story, ok := stories[binding.ID]
		if !ok {
			t.Errorf("no story shows %s", binding.ID)
			continue
		}
		for n, key := range binding.Keys {
			k := pressed{tab, t, p.url, binding, key, story}
			if len(binding.Keys) > 2 {
				k.then = strings.ReplaceAll(k.then, "%d", strconv.Itoa(n))
				k.leads = strings.ReplaceAll(k.leads, "%d", strconv.Itoa(n))
			}
			all = append(all, k)
		}
	}
	slices.SortStableFunc(all, func(a, b pressed) int { return strings.Compare(a.page, b.page) })
	for _, k := range all {
		t.Run(k.binding.ID+" by "+k.key, func(t *testing.T) {
			k.t = t
			tab.Within(t, k.tell)
		})
	}
}

// pressed is one key of one binding, tried.
type pressed struct {
	*browsertest.Tab
	t       *testing.T
	url     string
	binding keys.Binding
	key     string
	keyStory
}

func (k pressed) tell() {
	if k.leads != "" {
		k.then = `window.led !== undefined && window.led === (` + k.leads + `)`
	}
	if k.binding.Scope.Focused() {
		acts := true
		for range 3 { // a live swap may give the focus back between the two
			k.prepare(k.binding.Scope)
			k.Run(into(keys.Everywhere))
			k.press()
			if acts = k.holds(); !acts {
				break
			}
		}
		if acts {
			k.t.Errorf("%s acts although the %s has not the focus", k.key, k.binding.Scope)
		}
	}
	k.act(k.binding.Scope)
	if k.binding.Scope == keys.Everywhere && k.page == "runs" && !k.alone {
		k.act(keys.List)
	}
}

// act presses the key with the focus in a scope.
func (k pressed) act(scope keys.Scope) {
	k.prepare(scope)
	k.press()
	k.Until(k.then)
	if k.leads != "" {
		k.answers(browsertest.Eval[string](k.Tab, `window.led`))
	}
}

// answers holds that there is a page at an address.
func (k pressed) answers(address string) {
	r, err := http.Get(strings.TrimSuffix(k.url, "/") + address)
	if err != nil {
		k.t.Fatal(err)
	}
	_ = r.Body.Close()
	if r.StatusCode != http.StatusOK {
		k.t.Errorf("%s leads to %s, which answers %s", k.key, address, r.Status)
	}
}

// prepare has the page as it is before the key, with the focus in a scope.
func (k pressed) prepare(scope keys.Scope) {
	if !browsertest.Eval[bool](k.Tab, `location.href === `+quoted(k.url+k.page)+` && !window.spoiled && `+ready) || !k.set(scope) {
		k.Run(anew)
		k.Open(k.url + k.page)
		k.Until(ready)
		if !k.set(scope) {
			k.t.Fatalf("before the key is pressed it is so already: %s", k.then)
		}
	}
}

// set reports whether the page could be set to what it is before the key.
func (k pressed) set(scope keys.Scope) bool {
	script := anew + "\n" + into(scope) + "\n;" + k.first
	if k.leads != "" {
		script += "\nwindow.staying = true"
	}
	return browsertest.Eval[bool](k.Tab, "(async () => {"+script+"\nreturn !("+k.then+")})()")
}

func (k pressed) holds() bool { return browsertest.Eval[bool](k.Tab, `!!(`+k.then+`)`) }

func (k pressed) press() { press(k.Tab, k.key) }
