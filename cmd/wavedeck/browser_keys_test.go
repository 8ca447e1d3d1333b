package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"wavedeck/cmd/internal/browsertest"
	"wavedeck/store/storetest"
	"wavedeck/views/keys"
)

// A keyStory shows that a key does what the table says.
type keyStory struct {
	page  string // below the program's address
	first string // a script that runs before, with the focus where the key acts
	alone bool   // not with the list in focus: there it does something else, or it is done already
	then  string // what is so once the key has acted, and was not before
}

// ready holds when the page hears keys.
const ready = `'keysReady' in document.documentElement.dataset`

// into puts the focus where a scope's keys act.
func into(scope keys.Scope) string {
	switch scope {
	case keys.List:
		return `document.querySelector('[data-keys=list] tr.run[tabindex="0"]').focus()`
	case keys.Log:
		return `document.querySelector('#lines').focus()`
	case keys.Graph:
		return `document.querySelector('[data-keys=graph]').focus()`
	default:
		return `document.activeElement.blur()`
	}
}

// press types one alternative of a binding, stroke by stroke, as a keyboard does.
func press(tab *browsertest.Tab, key string) {
	for stroke := range strings.SplitSeq(key, " ") {
		rest, mod := strings.CutPrefix(stroke, "Mod+")
		typed, ok := map[string]string{
			"ArrowDown": "\u0301", "ArrowUp": "\u0304", "ArrowLeft": "\u0302", "ArrowRight": "\u0303",
			"Enter": "\r", "Escape": "\u001b", "Space": " ",
		}[rest]
		if !ok {
			typed = rest
		}
		if mod {
			tab.Do(chromedp.KeyEvent(typed, chromedp.KeyModifiers(chromedp.ModifierCtrl)))
		} else {
			tab.Do(chromedp.KeyEvent(typed))
		}
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

func TestBrowserKeys(t *testing.T) {
	b := browsertest.Start(t)
	root, last := keyProject(t)
	p := start(t, "--project", root, "--port", "0")
	eventually(t, "the runs are there", func() bool { return p.states(t)["completed"] > 0 })
	tab := b.Tab(t)
	stories := keyStories(last)
	for _, binding := range keys.Table() {
		for n, key := range binding.Keys {
			t.Run(binding.ID+" by "+key, func(t *testing.T) {
				story, ok := stories[binding.ID]
				if !ok {
					t.Fatal("no story shows this key")
				}
				k := pressed{tab, t, p.url, binding, key, story}
				if len(binding.Keys) > 2 {
					k.then = fmt.Sprintf(k.then, n)
				}
				tab.Within(t, k.tell)
			})
		}
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
	k.open()
	if k.binding.Scope.Focused() {
		k.prepare()
		k.Run(into(keys.Everywhere))
		k.press()
		if k.holds() {
			k.t.Errorf("%s acts although the %s has not the focus", k.key, k.binding.Scope)
		}
	}
	k.prepare()
	k.press()
	k.Until(k.then)
	if k.binding.Scope == keys.Everywhere && k.page == "runs" && !k.alone {
		k.open()
		k.prepare()
		k.Run(into(keys.List))
		k.press()
		k.Until(k.then)
	}
}

// open begins anew: the page, with nothing kept of what the keys before did.
func (k pressed) open() {
	k.Open(k.url + "healthz")
	k.Run(`sessionStorage.clear(); localStorage.clear()`)
	k.Open(k.url + k.page)
	k.Until(ready)
}

// prepare puts the focus where the key acts, and what it acts on in its place.
func (k pressed) prepare() {
	k.Run(into(k.binding.Scope))
	if k.first != "" {
		browsertest.Eval[chromedp.Void](k.Tab, "(async () => {"+k.first+"\n})()")
	}
	if k.holds() {
		k.t.Fatalf("before the key is pressed it is so already: %s", k.then)
	}
}

func (k pressed) holds() bool { return browsertest.Eval[bool](k.Tab, `!!(`+k.then+`)`) }

func (k pressed) press() { press(k.Tab, k.key) }
