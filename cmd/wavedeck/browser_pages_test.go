package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"wavedeck/cmd/internal/browsertest"
	"wavedeck/store/storetest"
)

// links are the addresses of the links that fit, as the page resolves them.
func links(tab *browsertest.Tab, selector string) []string {
	return browsertest.Eval[[]string](tab, `[...new Set([...document.querySelectorAll('`+selector+`')].map(a => a.href))]`)
}

// follow clicks the first element that fits and waits until the address is
// another one.
func follow(tab *browsertest.Tab, selector string) {
	from := browsertest.Eval[string](tab, `location.href`)
	tab.Click(selector)
	tab.Until(fmt.Sprintf(`location.href !== %q && document.readyState === 'complete'`, from))
}

// leave is follow where the page that comes may have the address of the one
// that goes, such as when a dialog over it is answered.
func leave(tab *browsertest.Tab, selector string) {
	tab.Run(`window.__here = true`)
	tab.Click(selector)
	tab.Until(`window.__here !== true && document.readyState === 'complete'`)
}

// rowIDs are those of the runs in a list, from the top.
const rowIDs = `[...document.querySelectorAll('#runs tr.run[id^=run-]')].map(tr => tr.id)`

func readableWithoutScripts(t *testing.T, browser *browsertest.Browser) {
	p := start(t, "--project", storetest.Project(t), "--port", "0", "--data", t.TempDir())
	eventually(t, "the runs are there", func() bool { return p.states(t)["completed"] > 0 })
	tab := browser.Tab(t)
	browsertest.Call(tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})

	tab.Open(p.url)
	tab.Until(`document.querySelectorAll('#runs tr.run[id^=run-]').length === 11`)
	tab.Until(`/^As of \d\d:\d\d:\d\d UTC/.test(document.querySelector('#live-text').textContent.trim())`)

	// By form.
	tab.Run(`document.querySelector('#filter select[name=pipeline]').value = 'fix-issue'`)
	follow(tab, `#filter button`)
	if at := browsertest.Eval[string](tab, `location.search`); !strings.Contains(at, "pipeline=fix-issue") {
		t.Errorf("the form leads to %s", at)
	}
	tab.Until(`[...document.querySelectorAll('#runs tr.run .name')].every(e => e.textContent === 'fix-issue')`)
	tab.Until(`document.querySelectorAll('#runs tr.run').length === 3`)
	follow(tab, `.filter a`) // clear
	tab.Click(`#filter input[name=q]`)
	tab.Do(chromedp.KeyEvent("staging\r"))
	tab.Until(`location.search.includes('q=staging') && document.querySelectorAll('#runs tr.run').length === 2`)

	// By link.
	tab.Open(p.url + "runs")
	follow(tab, `#states a.chip.failed, #states a[href*="state=failed"]`)
	tab.Until(`document.querySelectorAll('#runs tr.run').length > 0 && document.querySelectorAll('#runs tr.run:not(.failed)').length === 0`)

	// By page.
	tab.Open(p.url + "runs?limit=4")
	first := browsertest.Eval[[]string](tab, rowIDs)
	seen := map[string]bool{}
	for pages := 0; ; pages++ {
		for _, id := range browsertest.Eval[[]string](tab, rowIDs) {
			if seen[id] {
				t.Errorf("%s is on two pages", id)
			}
			seen[id] = true
		}
		if pages > 5 || len(links(tab, `.pager a[rel=next]`)) == 0 {
			break
		}
		follow(tab, `.pager a[rel=next]`)
	}
	if len(seen) != 11 {
		t.Errorf("the pages hold %d runs, want 11", len(seen))
	}
	follow(tab, `.pager a[rel=prev]`)
	follow(tab, `.pager a[rel=prev]`)
	if again := browsertest.Eval[[]string](tab, rowIDs); strings.Join(again, " ") != strings.Join(first, " ") {
		t.Errorf("the way back leads to %v, want %v", again, first)
	}

	// A run, with what is folded.
	tab.Open(p.url + "runs?pipeline=release-check")
	follow(tab, `#runs tr.run a.open`)
	tab.Until(`document.querySelectorAll('tr.step').length === 6 && document.querySelectorAll('#events tr[id]').length === 19`)
	tab.Open(p.url + "runs?state=failed")
	follow(tab, `#runs tr.run a.open`)
	tab.Until(`document.querySelector('#failure pre').textContent.trim() !== ''`)
	tab.Click(`#steps summary`)
	tab.Until(`document.querySelector('#steps details').open`)

	// Its timeline, graph, log and artifacts.
	tab.Open(p.url + "runs/" + everyParent)
	follow(tab, `.parts a[href$="/timeline"]`)
	tab.Until(`document.querySelectorAll('.tl-row .tl-track rect').length > 3`)
	follow(tab, `.tl-tools a[href*="scale=tokens"]`)
	tab.Until(`document.querySelector('.tl-tools a[aria-current]').textContent.trim() === 'Tokens'`)
	follow(tab, `.tl-kids a.tl-row`) // a child
	follow(tab, `.parts a[href$="/graph"]`)
	tab.Until(`document.querySelectorAll('svg.dag a').length === 2 && document.querySelectorAll('.dag-table tbody tr').length === 2`)
	follow(tab, `svg.dag a`)
	tab.Until(`location.hash.startsWith('#step-') && document.querySelector(CSS.escape(location.hash).replace('\\', '')).matches('tr.step')`)
	tab.Open(p.url + "runs/" + everyFailed)
	follow(tab, `.parts a[href$="/log"]`)
	tab.Until(`document.querySelectorAll('#lines .l').length > 5`)
	tab.Click(`#logsearch input[name=q], main input[name=q]`)
	tab.Do(chromedp.KeyEvent("suite\r"))
	tab.Until(`location.search.includes('q=suite') && document.querySelector('.hits b').textContent.trim() !== '' && document.querySelectorAll('#lines .l').length > 0`)
	follow(tab, `#lines .l a`) // a line has an address
	tab.Until(`/^#L\d+$/.test(location.hash)`)
	follow(tab, `.parts a[href$="/artifacts"]`)
	tab.Until(`document.querySelectorAll('table.artifacts td.c-name').length > 0`)

	// Views: kept, named again, put in order, opened and deleted.
	tab.Open(p.url + "runs?state=failed")
	for _, name := range []string{"on call", "broken"} {
		tab.Click(`#save-view summary`)
		tab.Until(`document.querySelector('#save-view').open`)
		tab.Click(`#save-view input[name=name]`)
		tab.Do(chromedp.KeyEvent(name))
		leave(tab, `#save-view button`)
		tab.Until(`document.querySelector('#views')?.textContent.includes('` + name + `')`)
		tab.Open(p.url + "runs?state=failed")
	}
	follow(tab, `#views a[href$="/views"]`)
	names := func(want string) {
		tab.Until(`[...document.querySelectorAll('.c-name .open')].map(a => a.textContent.trim()).join() === '` + want + `'`)
	}
	names("on call,broken")
	leave(tab, `tr[id^=view-] button[value=down]`)
	names("broken,on call")
	tab.Click(`tr[id^=view-] summary`)
	tab.Click(`tr[id^=view-] details input[name=name]`)
	tab.Do(chromedp.KeyEvent("really "))
	leave(tab, `tr[id^=view-] details form:first-of-type button`)
	tab.Until(`[...document.querySelectorAll('.c-name .open')].some(a => a.textContent.includes('really'))`)
	tab.Click(`tr[id^=view-] summary`)
	leave(tab, `tr[id^=view-] details form:last-of-type button`)
	names("on call")
	follow(tab, `.c-name .open`)
	tab.Until(`location.search.includes('failed') && document.querySelectorAll('#runs tr.run:not(.failed)').length === 0`)

	// Definitions.
	follow(tab, `.top nav a[href$="/pipelines"]`)
	tab.Until(`document.querySelectorAll('.pipelines tbody tr').length >= 6`)
	follow(tab, `.pipelines a[href*="/pipelines/"]`)
	tab.Until(`document.querySelectorAll('.defs tbody tr').length > 0`)
	follow(tab, `.top nav a[href$="/personas"]`)
	follow(tab, `.personas a[href*="/personas/"]`)
	tab.Until(`document.querySelector('h1').textContent.trim() !== ''`)

	goBackInTime(t, p, tab)
	keepAsFile(t, p, tab)
}
