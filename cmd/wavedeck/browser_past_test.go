package main

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"

	"wavedeck/cmd/internal/browsertest"
)

const failedRun = "flaky-integration-20261123-003950-6a1d"

// goBackInTime moves the slider of a run and of the list: nothing later is shown,
// filters stay, and every link stays at its moment.
func goBackInTime(t *testing.T, p *program, tab *browsertest.Tab) {
	t.Helper()
	tab.Open(p.url + "runs/" + failedRun)
	follow(tab, `#head a[href*="at=event"]`)
	tab.Until(`document.querySelector('#failure') && document.querySelectorAll('#events tr[id]').length === 23`)
	tab.Run(`document.querySelector('#past input[type=range]').value = 200`)
	follow(tab, `#past button`)
	tab.Until(`location.search === '?at=200' && !document.querySelector('#failure') && !!document.querySelector('#e200') && !document.querySelector('#e202')`)
	follow(tab, `#past a[rel=next]`)
	tab.Until(`location.search === '?at=event%3A202' && !!document.querySelector('#e202')`)
	follow(tab, `.parts a[href*="/timeline"]`)
	tab.Until(`!!document.querySelector('#past') && document.querySelectorAll('#waterfall .tl-lane').length === 5`)
	tab.Open(p.url + "runs?at=event:100&q=status:running")
	tab.Until(`document.querySelectorAll('#runs tr.run').length > 0 && document.querySelectorAll('#runs tr.run:not(.running)').length === 0`)
	before := len(browsertest.Eval[[]string](tab, rowIDs))
	tab.Run(`document.querySelector('#past input[type=range]').value = 232`)
	follow(tab, `#past button`)
	tab.Until(`new URLSearchParams(location.search).get('q') === 'status:running' && document.querySelector('#filter-q').value === 'status:running'`)
	if after := len(browsertest.Eval[[]string](tab, rowIDs)); after >= before {
		t.Errorf("%d runs went on at event 100, %d at the last", before, after)
	}
	follow(tab, `#to-now`)
	tab.Until(`!document.querySelector('#past') && location.search === '?q=status%3Arunning'`)
}

// keepAsFile opens a run's file from the disk, without a network: it asks for
// nothing, complains of nothing, and leads to its own lines.
func keepAsFile(t *testing.T, p *program, tab *browsertest.Tab) {
	t.Helper()
	tab.Open(p.url + "runs/" + failedRun)
	href := browsertest.Eval[string](tab, `document.querySelector('a[download]').href`)
	resp, err := http.Get(href)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "run.html")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	browsertest.Call(tab, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		MatchedNetworkConditions: []*network.Conditions{{Offline: true}},
	})
	tab.Open((&url.URL{Scheme: "file", Path: file, Fragment: "L207"}).String())
	tab.Until(`document.querySelector('.l:target')?.id === 'L207'`)
	tab.Until(`(r => r.top >= 0 && r.bottom <= innerHeight)(document.querySelector('.l:target').getBoundingClientRect())`)
	for what, holds := range map[string]string{
		"it asks for nothing":           `performance.getEntriesByType('resource').length === 0`,
		"its looks are there":           `getComputedStyle(document.querySelector('.lines')).fontFamily.includes('mono')`,
		"its pictures are drawn":        `document.querySelector('#graph-part svg').getBoundingClientRect().height > 20 && document.querySelector('#waterfall').getBoundingClientRect().height > 50`,
		"it is no wider than it shows":  `document.documentElement.scrollWidth <= innerWidth`,
		"no link leads out of the file": `[...document.querySelectorAll('a[href]')].every(a => a.getAttribute('href').startsWith('#'))`,
	} {
		if !browsertest.Eval[bool](tab, holds) {
			t.Errorf("%s: no", what)
		}
	}
	tab.Click(`header a[href="#steps"]`)
	tab.Until(`location.hash === '#steps'`)
	tab.Click(`#steps summary`)
	tab.Until(`document.querySelector('#steps details').open`)
	if strings.Contains(string(content), "<script") {
		t.Error("the file has a script")
	}
}
