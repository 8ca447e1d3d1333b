package main

import (
	"fmt"
	"testing"
	"time"

	protocol "github.com/chromedp/cdproto/browser"

	"wavedeck/cmd/internal/browsertest"
	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
)

// recordNotices stands for what the desktop shows: every notification of all
// tabs, in order, and where a click on one leads. Permission is asked of the browser itself.
const recordNotices = `
const Real = window.Notification
window.Notification = class {
	static requestPermission() { return Real.requestPermission() }
	constructor(title, { tag, body }) {
		localStorage.notices = JSON.stringify([...JSON.parse(localStorage.notices || '[]'), { title, tag, body }])
		window.lastNotice = this
	}
}
window.open = (url, name) => { localStorage.opened = url + ' in ' + name }`

// watchedRunIsTold watches runs in one tab and reads something else in others.
func watchedRunIsTold(t *testing.T, browser *browsertest.Browser) {
	root, database := emptyProject(t)
	b := storetest.At(t, database)
	for i := range 3 {
		b.Insert("pipeline_run", newRun(fmt.Sprint("watched-", i), time.Now()))
	}
	end := func(run, status string) {
		b.Update("pipeline_run", statedb.Row{"run_id": run, "status": status, "completed_at": time.Now().Unix()})
	}
	p := start(t, "--project", root, "--port", "0", "--data", t.TempDir())
	tab := browser.Tab(t)
	tab.Before(recordNotices)
	const button = `document.querySelector('[data-watch]')`
	const said = button + `.nextElementSibling.textContent`
	tab.Open(p.url + "runs/watched-0")
	tab.Until(live)
	tab.Run(stays)
	tab.Permit(protocol.PermissionSettingDenied)
	tab.Click(`[data-watch]`)
	tab.Until(said + `.startsWith('Notifications are blocked') && ` + button + `.textContent === 'Notify me'`)
	tab.Permit(protocol.PermissionSettingGranted)
	tab.Click(`[data-watch]`)
	tab.Until(button + `.textContent === 'Do not notify me' && ` + said + `.startsWith('You are notified')`)

	// A swap of what is around the button changes neither.
	b.Update("pipeline_run", statedb.Row{"run_id": "watched-0", "tags_json": `["seen"]`})
	tab.Until(`document.querySelector('#head .tag')?.textContent === 'seen'`)
	tab.Until(button + `.textContent === 'Do not notify me' && !` + button + `.hidden`)

	other := tab.Beside()
	other.Before(recordNotices)
	other.Open(p.url + "views") // which follows nothing
	if title := browsertest.Eval[string](other, `document.title`); title != "Views · wavedeck" {
		t.Errorf("nothing needs attention, and the title is %q", title)
	}
	// What it asks is told once, and what is watched stays watched.
	b.Event("watched-0", storetest.Event{Step: "approve", State: "running", Message: "gate step: approval"})
	other.Until(`JSON.parse(localStorage.notices || '[]').length === 1`)
	if got := browsertest.Eval[string](other, `JSON.parse(localStorage.notices)[0].title`); got != "build waits for an answer" {
		t.Errorf("told %q", got)
	}
	if got := browsertest.Eval[string](other, `localStorage['wd-watch/events']`); got != `["watched-0"]` {
		t.Errorf("then it watches %s", got)
	}
	b.Event("watched-0", storetest.Event{Step: "approve", State: "completed"})
	other.Run(`localStorage.removeItem('notices')`)

	list := tab.Beside()
	list.Before(recordNotices)
	list.Open(p.url + "attention")
	list.Until(`document.title === 'Needs attention · wavedeck'`)
	list.Until(live)
	end("watched-0", "failed")
	const notices = `JSON.parse(localStorage.notices || '[]')`
	other.Until(notices + `.length === 1`)
	for want, expression := range map[string]string{
		"watched-0":    notices + `[0].tag`,
		"build failed": notices + `[0].title`,
		"[]":           `localStorage['wd-watch/events']`,
	} {
		if got := browsertest.Eval[string](other, expression); got != want {
			t.Errorf("%s is %q, want %q", expression, got, want)
		}
	}
	tab.Until(`!` + button)
	tab.Run(`lastNotice.onclick()`) // the page is of that very run
	if browsertest.Eval[bool](tab, `'opened' in localStorage`) {
		t.Error("a click on what was told of the page's own run opens it again")
	}

	// The title follows: what failed is counted, and no more once it was seen.
	list.Until(`document.title === '(1) Needs attention · wavedeck' && document.querySelector('#icon').href.endsWith('?n=1')`)
	list.Until(`document.querySelector('#attention tbody button')`) // the list may come after the count
	leave(list, `#attention tbody button`)
	list.Until(`document.title === 'Needs attention · wavedeck' && document.querySelector('#icon').href.endsWith('?n=0')`)
	if browsertest.Eval[bool](tab, reloaded) {
		t.Error("the page was loaded anew")
	}

	// When the tab that follows closes, another takes over: the first is left where it follows nothing.
	watcher := tab.Beside()
	watcher.Before(recordNotices)
	watcher.Open(p.url + "runs/watched-1")
	watcher.Click(`[data-watch]`)
	watcher.Until(button + `.textContent === 'Do not notify me'`)
	other.Until(`localStorage['wd-watch/events'] === '["watched-1"]'`)
	watcher.Close()
	tab.Open(p.url + "help/keys")
	end("watched-1", "completed")
	other.Until(notices + `.length === 2`)
	if got := browsertest.Eval[string](other, notices+`[1].title`); got != "build succeeded" {
		t.Errorf("told %q", got)
	}

	// A click leads to the run, from whichever tab it was told in.
	for _, teller := range []*browsertest.Tab{other, list, tab} {
		teller.Run(`window.lastNotice?.onclick()`)
	}
	if got := browsertest.Eval[string](other, `localStorage.opened`); got != "/runs/watched-1 in watched-1" {
		t.Errorf("a click on what was told opens %q", got)
	}

	// What cannot be read of the storage is nothing that is watched.
	tab.Before(`localStorage['wd-watch/events'] = '{'`)
	tab.Open(p.url + "runs/watched-2")
	tab.Until(button + `.textContent === 'Notify me'`)
}
