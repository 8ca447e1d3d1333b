package main

import (
	"testing"

	"wavedeck/cmd/internal/browsertest"
	"wavedeck/store/storetest"
)

// tabsFollow watches the pictures of one run while it is played: each must be
// seen on its way, and say in the end what the server draws afresh.
func tabsFollow(t *testing.T, browser *browsertest.Browser) {
	const speed, run = 8, "fix-issue-20261123-003814-e2da"
	for _, page := range []struct{ name, partly string }{
		{"timeline", `!!document.querySelector('#tab line.tl-now') && document.querySelectorAll('#tab .tl-lane').length > 0`},
		{"graph", `!!document.querySelector('#tab .dag-node.running') && !!document.querySelector('#tab .dag-node.succeeded')`},
		{"artifacts", `document.querySelectorAll('#tab tbody tr').length > 0 && !document.querySelector('#head li.succeeded')`},
	} {
		t.Run(page.name, func(t *testing.T) {
			root, database := emptyProject(t)
			whole := recording(storetest.TapeText(t)).of(t, func(id string) bool { return id == run })
			first, rest := whole.split(1) // the row of the run, pending
			begin := begun()
			play(t, database, first, 0, begin).end(t)
			p := start(t, "--project", root, "--port", "0")
			tab := browser.Tab(t)
			tab.Open(p.url + "runs/" + run + "/" + page.name)
			tab.Until(live)
			tab.Run(stays)
			tab.Run(`window.partly = false
const look = () => { partly ||= ` + page.partly + ` }
look()
new MutationObserver(look).observe(document.body, {subtree: true, childList: true, attributes: true})`)
			play(t, database, rest, speed, begin).end(t)

			tab.Until(`document.querySelector('#head .meta li.succeeded b')?.textContent === 'succeeded'`)
			if !browsertest.Eval[bool](tab, `partly`) {
				t.Error("the run was never seen on its way")
			}
			fresh := browser.Tab(t)
			const drawn = `document.querySelector('#tab').outerHTML.replace(/ data-htmx-powered="[^"]*"/g, '').replace(/<time.*?<\/time>/g, '')`
			eventually(t, "the tab shows what the server draws afresh", func() bool {
				fresh.Open(p.url + "runs/" + run + "/" + page.name)
				return browsertest.Eval[string](fresh, drawn) == browsertest.Eval[string](tab, drawn)
			})
			if browsertest.Eval[bool](tab, reloaded) {
				t.Error("the page was loaded anew")
			}
		})
	}
}
