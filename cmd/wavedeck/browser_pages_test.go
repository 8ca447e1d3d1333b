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
	p := start(t, "--project", storetest.Project(t), "--port", "0")
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

	// Definitions.
	follow(tab, `.top nav a[href$="/pipelines"]`)
	tab.Until(`document.querySelectorAll('.pipelines tbody tr').length >= 6`)
	follow(tab, `.pipelines a[href*="/pipelines/"]`)
	tab.Until(`document.querySelectorAll('.defs tbody tr').length > 0`)
	follow(tab, `.top nav a[href$="/personas"]`)
	follow(tab, `.personas a[href*="/personas/"]`)
	tab.Until(`document.querySelector('h1').textContent.trim() !== ''`)
}
