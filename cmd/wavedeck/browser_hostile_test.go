package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"wavedeck/cmd/internal/browsertest"
	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
	"wavedeck/store/tape"
)

// hostile are texts that run a script, or leave their place, where something
// forgets to escape.
var hostile = []string{
	`<script>alert(1)</script>`,
	`</script><script>alert(1)</script>`,
	`<ScRiPt/x>alert(1)</sCrIpT>`,
	`<img src=x onerror=alert(1)>`,
	`<img src=x onerror="alert(1)"//`,
	`"><img src=x onerror=alert(1)>`,
	`'><svg onload=alert(1)>`,
	`<svg/onload=alert(1)>`,
	`<svg><script>alert(1)</script></svg>`,
	`<svg><animate onbegin=alert(1) attributeName=x dur=1s>`,
	`<body onload=alert(1)>`,
	`<iframe src="javascript:alert(1)"></iframe>`,
	`<iframe srcdoc="<script>alert(1)</script>"></iframe>`,
	`<object data="javascript:alert(1)">`,
	`<embed src="javascript:alert(1)">`,
	`<a href="javascript:alert(1)">click</a>`,
	`javascript:alert(1)`,
	`data:text/html,<script>alert(1)</script>`,
	`<math><mi xlink:href="javascript:alert(1)">x</mi></math>`,
	`<details open ontoggle=alert(1)>`,
	`<input autofocus onfocus=alert(1)>`,
	`<video><source onerror=alert(1)></video>`,
	`<marquee onstart=alert(1)>`,
	`<form action="javascript:alert(1)"><button>go</button></form>`,
	`<base href="https://evil.example/">`,
	`<meta http-equiv="refresh" content="0;url=https://evil.example/">`,
	`<link rel="stylesheet" href="https://evil.example/x.css">`,
	`<style>*{background:url(https://evil.example/)}</style>`,
	`<p style="background:url(https://evil.example/)">`,
	`" onmouseover="alert(1)" x="`,
	`' onfocus='alert(1)' autofocus='`,
	"` onload=`alert(1)`",
	`--><script>alert(1)</script><!--`,
	`]]><script>alert(1)</script>`,
	`</title><script>alert(1)</script>`,
	`</textarea><script>alert(1)</script>`,
	`</template><script>alert(1)</script>`,
	`<noscript><p title="</noscript><img src=x onerror=alert(1)>">`,
	`<div hx-get="/runs" hx-trigger="load" hx-on:click="alert(1)">`,
	`<hx-partial hx-target="body" hx-swap="innerHTML">gone</hx-partial>`,
	`{{constructor.constructor('alert(1)')()}} ${alert(1)}`,
	`&lt;script&gt;alert(1)&lt;/script&gt; &#60;img src=x onerror=alert(1)&#62;`,
	"\u2028alert(1)\u2029 \u202e)1(trela \x1b[31m\x07 \ufeff",
	`../../../../etc/passwd%00<script>alert(1)</script>`,
	`<xss id=live hx-sse:connect="/events" data-region>`,
}

// canary hears what a script of a hostile text would call.
const canary = `
window.__xss = []
for (const name of ['alert', 'confirm', 'prompt', 'print', 'open']) window[name] = (...args) => { __xss.push(name + '(' + args + ')') }`

// foreign are elements and attributes that none of our pages has in its content.
const foreign = `(document => [
	...[...document.querySelectorAll('#page *')].filter(e => /^(script|img|iframe|object|embed|style|link|base|meta|video|audio|source|math|marquee|textarea|template|noscript|animate|hx-partial|xss)$/i.test(e.tagName)
		&& !(e.matches('script') && !e.text && /^\/static\/[a-z]+\.[0-9a-f]+\.js$/.test(e.getAttribute('src')))),
	...[...document.querySelectorAll('*')].filter(e => [...e.attributes].some(a => /^(on|style$|srcdoc$|hx-on)/i.test(a.name)
		|| /^(href|src|action|data|xlink:href)$/i.test(a.name) && /^\s*(javascript|data|vbscript):/i.test(a.value) && e.rel !== 'icon')),
	...(document.querySelectorAll('#live, #page, #main').length > 3 ? [document.body] : []),
].map(e => e.outerHTML.slice(0, 200)))`

func harmless(t *testing.T, tab *browsertest.Tab) {
	t.Helper()
	at := browsertest.Eval[string](tab, `location.href`)
	if called := browsertest.Eval[[]string](tab, `__xss`); len(called) > 0 {
		t.Errorf("%s: a script ran: %q", at, called)
	}
	if found := browsertest.Eval[[]string](tab, foreign+`(document)`); len(found) > 0 {
		t.Errorf("%s: foreign elements: %q", at, found)
	}
}

// hostileHistory has each text in every column that holds one.
func hostileHistory(t *testing.T, database string) (runs []string) {
	b := storetest.At(t, database)
	b.Clock = time.Now().Add(-time.Hour)
	for i, text := range hostile {
		status := []string{"failed", "running", "completed", "cancelled"}[i%4]
		run := b.Run(storetest.Run{
			ID: fmt.Sprintf("%02d-%s", i, text), Pipeline: text, Status: status, Input: text + "\n" + text, CurrentStep: text, Error: text,
			Tags: []string{text, strconv.Itoa(i)}, Branch: text, ParentStep: text, ForkedFrom: text, Kind: text, SubPipeline: text,
			Heartbeat: time.Now(),
		})
		b.Step(run, storetest.Step{ID: text, State: "failed", Error: text})
		b.Step(run, storetest.Step{ID: text + "2", State: "running"})
		b.Attempt(run, storetest.Attempt{Step: text, N: 1, State: "failed", Error: text, FailureClass: text,
			Extra: statedb.Row{"stdout_tail": text}})
		b.Attempt(run, storetest.Attempt{Step: text, N: 2, State: "failed", Error: text + "2", FailureClass: text})
		b.Metric(run, storetest.Metric{Step: text, Pipeline: text, Persona: text, Error: text})
		b.Event(run, storetest.Event{
			Step: text, State: text, Persona: text, Message: text, Model: text, Adapter: text, ConfiguredModel: text, Tokens: 5,
		})
		b.Event(run, storetest.Event{Step: text, State: "contract_failed", Message: text})
		b.Artifact(run, storetest.Artifact{Step: text, Name: text, Path: text, Type: text})
		b.Outcome(run, storetest.Outcome{Step: text, Label: text, Value: text, Description: text})
		runs = append(runs, run)
	}
	return runs
}

// hostileDefinitions puts the texts into the manifest and a pipeline.
func hostileDefinitions(t *testing.T, root string) {
	t.Helper()
	quoted := func(s string) string { // JSON is YAML
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	var manifest, steps strings.Builder
	manifest.WriteString("apiVersion: v1\nkind: WaveManifest\nmetadata:\n  name: " + quoted(hostile[0]) + "\npersonas:\n")
	for _, text := range hostile {
		q := quoted(text)
		fmt.Fprintf(&manifest, "  %s: {adapter: %s, description: %s, model: %s, system_prompt_file: %s, permissions: {allowed_tools: [%s], deny: [%s]}}\n",
			q, q, q, q, q, q, q)
		fmt.Fprintf(&steps, "  - {id: %s, persona: %s, exec: {type: prompt, source: %s}, dependencies: [%s]}\n", q, q, q, quoted(hostile[0]))
	}
	pipeline := "kind: WavePipeline\nmetadata: {name: " + quoted(hostile[3]) + ", description: " + quoted(strings.Join(hostile, " ")) + "}\n" +
		"input: {source: cli, example: " + quoted(hostile[3]) + "}\nsteps:\n" + steps.String()
	for path, text := range map[string]string{
		"wave.yaml": manifest.String(), ".agents/pipelines/hostile.yaml": pipeline,
		".agents/pipelines/" + strings.ReplaceAll(hostile[3], "/", "") + ".yaml": "steps: [" + hostile[0] + "\n",
	} {
		if err := os.WriteFile(filepath.Join(root, path), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func hostileTextsStayTexts(t *testing.T, browser *browsertest.Browser) {
	root, database := emptyProject(t)
	hostileDefinitions(t, root)
	runs := hostileHistory(t, database)
	p := start(t, "--project", root, "--port", "0")
	eventually(t, "the runs are there", func() bool { return p.states(t)["failed"] > 0 })
	tab := browser.Tab(t)
	tab.Before(canary)

	pages := []string{"runs?limit=100", "pipelines", "personas"}
	var others []string
	for i, text := range hostile {
		q, id := url.QueryEscape(text), url.PathEscape(text)
		at := []string{"runs/" + url.PathEscape(runs[i]), "pipelines/" + id, "personas/" + id, "runs?q=" + q + "&pipeline=" + q + "&tag=" + q}
		others = append(others, at...)
		if i%9 == 0 { // the same templates each time
			pages = append(pages, at...)
		}
	}
	tab.Expect("404 (Not Found)", "400 (Bad Request)") // an error page shows what was asked for
	for _, page := range pages {
		tab.Open(p.url + page)
		harmless(t, tab)
	}
	tab.Open(p.url + "runs?limit=100")
	list, err := json.Marshal(others)
	if err != nil {
		t.Fatal(err)
	}
	// Parsed as a browser does, which is quicker than to load everything.
	for page, found := range browsertest.Eval[map[string][]string](tab, fmt.Sprintf(`Promise.all(%s.map(async page => {
		const text = await (await fetch(%q + page)).text()
		return [page, %s(new DOMParser().parseFromString(text, 'text/html'))]
	})).then(Object.fromEntries)`, list, p.url, foreign)) {
		if len(found) > 0 {
			t.Errorf("%s: foreign elements: %q", page, found)
		}
	}
	if shown := browsertest.Eval[int](tab, `document.querySelectorAll('#runs tr.run').length`); shown != len(hostile) {
		t.Errorf("%d of %d runs are shown", shown, len(hostile))
	}
	for _, from := range []string{"runs?limit=100", "pipelines", "personas"} {
		tab.Open(p.url + from)
		for _, link := range links(tab, `a[href]`) {
			if !strings.HasPrefix(link, p.url) {
				t.Errorf("%s links to %s", from, link)
			}
		}
	}

	t.Run("one that was not escaped would be found", func(t *testing.T) {
		tab := browser.Tab(t) // without a policy that complains
		for _, text := range hostile {
			if strings.HasPrefix(text, "<") && len(browsertest.Eval[[]string](tab, fmt.Sprintf(
				`%s(new DOMParser().parseFromString('<div id=page>' + %q + '>', 'text/html'))`, foreign, text))) == 0 {
				t.Errorf("%s was not found", text)
			}
		}
	})
	t.Run("what is swapped in too", func(t *testing.T) {
		run := runs[1]
		tab.Open(p.url + "runs/" + url.PathEscape(run))
		tab.Until(live)
		var more recording
		for _, text := range hostile {
			more.add(0, tape.Insert, "event_log", statedb.Row{
				"run_id": run, "timestamp": time.Now().Unix(), "step_id": text, "state": text, "persona": text, "message": "swapped in: " + text,
			})
		}
		play(t, database, more, 0, time.Time{}).end(t)
		tab.Until(fmt.Sprintf(`[...document.querySelectorAll('#events .c-msg')].filter(e => e.textContent.includes('swapped in: ')).length === %d`, len(hostile)))
		harmless(t, tab)
	})
	t.Run("in the sample too", func(t *testing.T) {
		tab := browser.Tab(t)
		tab.Before(canary)
		p := start(t, "--project", storetest.Project(t), "--port", "0")
		eventually(t, "the runs are there", func() bool { return p.states(t)["completed"] > 0 })
		tab.Open(p.url + "runs")
		harmless(t, tab)
		tab.Open(p.url + "runs?q=" + url.QueryEscape("<img src=x onerror=alert(1)>"))
		follow(tab, `#runs tr.run a.open`)
		tab.Until(`document.querySelector('#events').textContent.includes('<img src=x onerror=alert(1)>')`)
		harmless(t, tab)
		tab.Open("about:blank") // before its server ends
	})
}
