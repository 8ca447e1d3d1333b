package main

import (
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"wavedeck/cmd/internal/browsertest"
	"wavedeck/store/storetest"
)

// inputsAreCompleted types a filter and a command as far as needed and lets the
// server complete them, with keys alone.
func inputsAreCompleted(t *testing.T, browser *browsertest.Browser) {
	p := start(t, "--project", storetest.Project(t), "--port", "0")
	eventually(t, "the runs are there", func() bool { return p.states(t)["completed"] > 0 })
	tab := browser.Tab(t)
	tab.Expect("400 (Bad Request)")
	const expanded = `document.querySelector('[role=combobox]').getAttribute('aria-expanded') === `
	value := func(want string) { tab.Until(`document.querySelector('[role=combobox]').value === ` + quoted(want)) }

	tab.Open(p.url + "runs")
	tab.Click(`#filter-q`)
	tab.Do(chromedp.KeyEvent("sta"))
	tab.Until(expanded + `'true' && document.querySelectorAll('#filter-q-list [role=option]').length === 1`)
	tab.Do(chromedp.KeyEvent(kb.ArrowDown))
	tab.Until(`document.activeElement.getAttribute('aria-activedescendant') === document.querySelector('#filter-q-list [aria-selected=true]').id`)
	press(tab, "Enter")
	value("status:")
	tab.Until(`document.querySelector('#filter-q-list [role=option]').dataset.text.startsWith('status:')`)
	tab.Do(chromedp.KeyEvent("fai"))
	tab.Until(`document.querySelector('#filter-q-list [role=option]')?.textContent.startsWith('failed')`)
	tab.Do(chromedp.KeyEvent(kb.ArrowDown))
	press(tab, "Enter")
	value("status:failed ")
	tab.Do(chromedp.KeyEvent("-err"))
	tab.Until(`document.querySelector('#filter-q-list [role=option]')?.textContent.startsWith('error:')`)
	tab.Do(chromedp.KeyEvent(kb.Escape))
	tab.Until(expanded + `'false' && document.activeElement.id === 'filter-q'`)
	tab.Do(chromedp.KeyEvent("or:provision\r"))
	tab.Until(`location.search.includes('q=status') && document.querySelectorAll('#runs tr.run').length === 1`)

	// A term is taken out by its chip.
	follow(tab, `#terms li:last-child a`)
	tab.Until(`document.querySelector('#filter-q').value === 'status:failed' && document.querySelectorAll('#runs tr.run').length === 2`)

	// A wrong word is marked, and what was typed is still there.
	tab.Open(p.url + "runs?q=login+statsu%3Afailed")
	tab.Until(`document.querySelector('#filter-q-wrong mark').textContent === 'statsu' && document.querySelector('#filter-q').value === 'login statsu:failed'`)

	tab.Open(p.url + "cmd")
	tab.Click(`#cmd-q`)
	tab.Do(chromedp.KeyEvent("logs 6a1d integ"))
	tab.Until(`document.querySelector('#cmd-q-list [role=option]')?.textContent.trim() === 'integration'`)
	tab.Click(`#cmd-q-list [role=option]`)
	value("logs 6a1d integration ")
	tab.Until(`document.querySelectorAll('#cmd-q-list [role=option]').length === 3`) // its attempts
	tab.Do(chromedp.KeyEvent("2\r"))
	tab.Until(`location.pathname.endsWith('6a1d/log') && location.search.includes('step=integration')`)

	// What the list does not find is looked for in all events, and leads to its line.
	indexed := func() bool {
		_, body := p.get(t, "api/search?q=validating")
		return strings.Contains(body, `"event_id"`)
	}
	eventually(t, "the events are indexed", indexed)
	tab.Open(p.url + "runs?q=validating")
	follow(tab, `#runs a[href*="/search?"]`)
	tab.Until(`document.querySelector('.rungroup li mark')?.textContent.toLowerCase() === 'validating'`)
	follow(tab, `.rungroup li a`)
	tab.Until(`location.hash.startsWith('#L') && document.querySelector(location.hash) !== null`)

	// The index is rebuilt at will.
	tab.Open(p.url + "search?q=validating")
	leave(tab, `#search-index button`)
	tab.Until(`location.search === '?q=validating' && document.querySelector('#search-index') !== null`)
	eventually(t, "the events are indexed again", indexed)

	// The same without scripts.
	browsertest.Call(tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	tab.Open(p.url + "cmd")
	tab.Click(`#cmd-q`)
	tab.Do(chromedp.KeyEvent("run slow-soak\r"))
	tab.Until(`document.querySelectorAll('main .chips a').length === 2`) // which of them
	follow(tab, `main .chips a`)
	if at := browsertest.Eval[string](tab, `location.pathname`); !strings.Contains(at, "/runs/slow-soak-") {
		t.Errorf("it leads to %s", at)
	}
}

func quoted(text string) string { return strconv.Quote(text) }
