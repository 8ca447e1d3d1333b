package main

import (
	"strings"
	"testing"

	"wavedeck/cmd/internal/browsertest"
	"wavedeck/store/storetest"
)

// TestPagesOfOtherSites is what a page of another site can and cannot do with the
// console of somebody who has it open, in a real browser.
func TestPagesOfOtherSites(t *testing.T) {
	t.Parallel()
	browser := browsertest.Start(t)
	for _, story := range []struct {
		name string
		tell func(*testing.T, *browsertest.Browser)
	}{
		{"who is signed in and follows a link arrives at the page", linkArrives},
		{"what a page asks for is refused, and loads nothing", subresourcesAreRefused},
	} {
		t.Run(story.name, func(t *testing.T) { story.tell(t, browser) })
	}
}

func linkArrives(t *testing.T, browser *browsertest.Browser) {
	p := start(t, "--project", storetest.Project(t), "--port", "0", "--token", testToken)
	other := openPortal(t)
	other.console = p.url
	path := "runs/" + embeddedRun
	link := other.put("/", `<a id="run" href="CONSOLE/`+path+`">the run</a>
<form action="CONSOLE/runs"><input name="q" value="fix-issue"><button id="find">Find</button></form>`)
	tab := browser.Tab(t)
	tab.Expect("401 (Unauthorized)")
	tab.Open(link)
	tab.Click("#run")
	tab.Until(`location.pathname === '/login' && document.querySelector('input[name=next]').value === '/` + path + `'`)
	tab.Run(`document.querySelector('[name=token]').value = '` + testToken + `'; document.querySelector('form').requestSubmit()`)
	tab.Until(`location.pathname === '/` + path + `'`)
	tab.Until(live)

	for click, arrives := range map[string]string{"#run": "/" + path, "#find": "/runs"} {
		tab.Open(link)
		tab.Click(click)
		tab.Until(`location.pathname === '` + arrives + `' && document.querySelector('header nav')`)
		tab.Until(live)
	}
}

// attempt asks for a path in each way that a page has, and notes what came of it.
const attempt = `(async path => {
	const element = (name, attributes) => new Promise(done => {
		const e = document.createElement(name)
		e.onload = () => done('loaded')
		e.onerror = () => done('refused')
		Object.assign(e, attributes)
		document.body.append(e)
	})
	const asked = options => fetch(path, options).then(r => r.type === 'opaque' ? 'opaque' : 'read ' + r.status, () => 'refused')
	return {
		image: await element('img', {src: path}),
		script: await element('script', {src: path}),
		style: await element('link', {rel: 'stylesheet', href: path}),
		fetch: await asked({}),
		noCORS: await asked({mode: 'no-cors', credentials: 'include'}),
		post: await asked({mode: 'no-cors', method: 'POST', body: 'x', credentials: 'include'}),
	}
})`

func subresourcesAreRefused(t *testing.T, browser *browsertest.Browser) {
	p := start(t, "--project", storetest.Project(t), "--port", "0", "--data", t.TempDir())
	other := openPortal(t)
	other.console = p.url
	origin := strings.TrimSuffix(p.url, "/")
	other.policy = "default-src 'self' " + origin + " 'unsafe-inline'"
	tab := browser.Tab(t)
	tab.Expect("CORS", "Failed to load resource", "Refused to", "MIME", "net::ERR", "Cross-Origin")
	tab.Open(other.put("/", `<p>Elsewhere</p>`))
	for _, path := range []string{"runs", "runs/" + embeddedRun, "runs/" + embeddedRun + ".json", "api/runs", "runs.csv", "badge/v1/pipelines/fix-issue.svg", "api/health", "healthz", "events", "favicon.svg"} {
		tab.Run(`window.came = null; ` + attempt + `('` + p.url + path + `').then(r => { came = r }); true`)
		tab.Until(`came`)
		came := browsertest.Eval[map[string]string](tab, `came`)
		for how, what := range came {
			if what != "refused" {
				t.Errorf("%s by %s: %s", path, how, what)
			}
		}
	}
	log := p.stderr.String()
	for line := range strings.Lines(log) {
		if strings.Contains(line, "msg=request ") && strings.Contains(line, "status=200") {
			t.Errorf("answered: %s", line)
		}
	}
	if n := strings.Count(log, "status=403"); n < 30 {
		t.Errorf("%d requests came and were refused", n)
	}
}
