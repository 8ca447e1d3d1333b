package main

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
)

const (
	// same holds in the document that was marked with it.
	same = `window.__same === true`

	rowInFocus  = `document.activeElement.matches('tr.run')`
	lineInFocus = `document.activeElement.matches('.l')`
	parentRow   = `document.getElementById('run-` + keyParent + `')`
	failedPage  = "runs/" + keyFailed
	logPage     = failedPage + "/log"
	graphPage   = failedPage + "/graph"
	// asksToStop holds when a dialog asks, and its safe answer has the focus.
	asksToStop = `document.querySelector('dialog[open] form') && document.activeElement.textContent === 'Go back'`
	// visited has the list at its third row, the failed run, and opens it.
	visited = `sessionStorage.setItem('wd-list', JSON.stringify(location.origin + '/runs'))
sessionStorage.setItem('wd-at ' + location.origin + '/runs', JSON.stringify({row: 'run-` + keyFailed + `', runs: [
	['/runs/k-pending', 'run-k-pending'], ['/runs/` + keyFailed + `', 'run-` + keyFailed + `'], ['/runs/k-empty', 'run-k-empty']]}))`
)

// keyStories has a story for every binding, by its id.
func keyStories(last int64) map[string]keyStory {
	all := map[string]keyStory{}
	for _, part := range []map[string]keyStory{storiesEverywhere(), storiesOfRun(), storiesOfList(), storiesOfPicked(), storiesOfLog(last), storiesOfGraph()} {
		maps.Copy(all, part)
	}
	return all
}

// to is an address of the program as an expression.
func to(path string) string { return quoted("/" + path) }

func storiesEverywhere() map[string]keyStory {
	return map[string]keyStory{
		"help":         {page: "runs", then: `document.querySelector('dialog[open] #dialog-title')?.textContent === 'Keys'`},
		"palette":      {page: "runs", then: `document.querySelector('dialog[open] #dialog-title')?.textContent === 'Find'`},
		"widget":       {page: "runs", alone: true, then: rowInFocus},
		"command":      {page: "runs", then: `document.querySelector('dialog[open] #cmd-q') === document.activeElement`},
		"confirm":      {page: failedPage + "/resume", first: `document.querySelector('#start').addEventListener('submit', e => { e.preventDefault(); window.sent = e.submitter.textContent }, {once: true})`, then: `window.sent === 'Resume'`},
		"filter":       {page: "runs", then: `document.activeElement.name === 'q'`},
		"out":          {page: logPage, leads: to(failedPage)},
		"go-runs":      {page: "personas", leads: to("runs")},
		"go-pipelines": {page: "runs", leads: to("pipelines")},
		"go-personas":  {page: "runs", leads: to("personas")},
		"go-artifacts": {page: failedPage, leads: to(failedPage + "/artifacts")},
		"go-attention": {page: "runs", leads: to("attention")},
		"go-health":    {page: "runs", leads: to("health")},
		"view":         {page: "runs", leads: `"/cmd?run=&q=view+" + (%d + 1)`},
		"save":         {page: "runs?q=status%3Afailed", then: `document.activeElement.matches('#save-view[open] input[name=name]')`},
		"back":         {page: "runs", first: `history.pushState(null, '', '?limit=7')`, then: `location.search === ''`},
		"forward": {page: "runs", first: `history.pushState(null, '', '?limit=7')
await new Promise(done => { addEventListener('popstate', done, {once: true}); history.back() })`, then: `location.search === '?limit=7'`},
		"apply": {page: "runs", first: `window.spoiled = true
const live = document.querySelector('[data-choice=live]')
live.value = 'off'
live.dispatchEvent(new Event('change', {bubbles: true}))
document.addEventListener('htmx:after:swap', e => { window.applied = e.detail.ctx.sourceElement.id === 'page' })`, then: `window.applied`},
		"theme":    {page: "runs", then: `document.documentElement.dataset.theme === 'light'`},
		"zone":     {page: "runs", then: `document.documentElement.dataset.times === 'local'`},
		"density":  {page: "settings", then: `document.documentElement.dataset.density === 'comfortable'`},
		"live":     {page: "runs", first: `window.spoiled = true`, then: `document.documentElement.dataset.live === 'off' && document.querySelector('#live-text').textContent.includes('Paused')`},
		"copy":     {page: "runs", then: `window.pasted?.startsWith(location.origin + '/runs')`},
		"curl":     {page: "runs", then: `window.pasted?.startsWith("curl -sS '" + location.origin + '/api/runs')`},
		"settings": {page: "runs", leads: to("settings")},
	}
}

func storiesOfRun() map[string]keyStory {
	attempt := `[...document.querySelectorAll('ol.attempts > li')]`
	return map[string]keyStory{
		"tab":              {page: failedPage, leads: `document.querySelectorAll('.parts a')[%d].getAttribute('href')`},
		"step-next":        {page: failedPage, first: `document.querySelector('#step-provision').focus()`, then: `document.activeElement.id === 'step-integration'`},
		"step-previous":    {page: failedPage, first: `document.querySelector('#step-integration').focus()`, then: `document.activeElement.id === 'step-provision'`},
		"attempt-next":     {page: failedPage, then: attempt + `.indexOf(document.activeElement) === 0 && document.activeElement.closest('details').open`},
		"attempt-previous": {page: failedPage, first: `document.querySelector('#events-title').tabIndex = -1; document.querySelector('#events-title').focus()`, then: attempt + `.indexOf(document.activeElement) === 2`},
		"error-next":       {page: failedPage, then: `document.activeElement.id === 'failure'`},
		"error-previous":   {page: failedPage, first: `document.querySelector('#step-integration').focus()`, then: `document.activeElement.id === 'failure'`},
		"input":            {page: failedPage, then: `document.querySelector('#input').open`},
		"answer":           {page: "runs/k-waiting", then: `document.activeElement.matches('#gates .gate, #gates .gate *')`},
		"why":              {page: "runs/" + keyRunning, then: `document.activeElement.closest('#why') && (document.querySelector('#why').localName === 'section' || document.querySelector('#why').open)`},
		"compare-run":      {page: failedPage, leads: to("compare?left=" + keyFailed + "&right=last-green")},
		"retry-run":        {page: failedPage, leads: to(failedPage + "/retry")},
		"resume-run":       {page: failedPage, leads: to(failedPage + "/resume")},
		"cancel-run":       {page: "runs/" + keyRunning, then: asksToStop},
		"run-next":         {page: failedPage, first: visited, leads: to("runs/k-empty")},
		"run-previous":     {page: failedPage, first: visited, leads: to("runs/k-pending")},
	}
}

func storiesOfList() map[string]keyStory {
	rows := `[...document.querySelectorAll('#runs tr.run[id^=run-]')]`
	third := rows + `[2].focus()`
	at := func(place string) string { return rows + `.at(` + place + `) === document.activeElement` }
	unfold := parentRow + `.nextElementSibling.querySelector('details').open = true; ` + parentRow + `.focus()`
	return map[string]keyStory{
		"down":          {page: "runs", then: at("1")},
		"up":            {page: "runs", first: third, then: at("1")},
		"first":         {page: "runs", first: third, then: at("0")},
		"last":          {page: "runs", then: at("-1")},
		"open-run":      {page: "runs", first: third, leads: to(failedPage)},
		"unfold":        {page: "runs", first: parentRow + `.focus()`, then: parentRow + `.nextElementSibling.querySelector('details').open`},
		"fold":          {page: "runs", first: unfold, then: `!` + parentRow + `.nextElementSibling.querySelector('details').open`},
		"row-log":       {page: "runs", first: third, leads: to(logPage)},
		"row-artifacts": {page: "runs", first: third, leads: to(failedPage + "/artifacts")},
		"row-details":   {page: "runs", first: third, then: `document.querySelector('dialog[open]')?.textContent.includes('no capacity')`},
		"compare":       {page: "runs", first: third, leads: to("compare?left=" + keyFailed + "&right=last-green")},
		"retry":         {page: "runs", first: third, leads: to(failedPage + "/retry")},
		"resume":        {page: "runs", first: third, leads: to(failedPage + "/resume")},
		"cancel":        {page: "runs", then: asksToStop},
		"pick":          {page: "runs", first: third, then: picked(2)},
		"extend-down":   {page: "runs", first: third, then: picked(2, 3) + ` && ` + at("3")},
		"extend-up":     {page: "runs", first: third, then: picked(1, 2) + ` && ` + at("1")},
		"pick-all":      {page: "runs", then: `document.querySelector('#bulk [name=all]').checked`},
		"state":         {page: "runs", leads: `document.querySelectorAll('#states a.chip')[%d].getAttribute('href')`},
	}
}

// picked holds when just the rows at these places are selected.
func picked(places ...int) string {
	var list []string
	for _, place := range places {
		list = append(list, strconv.Itoa(place))
	}
	return `[...document.querySelectorAll('#runs [name=run]')].flatMap((box, i) => box.checked ? i : []).join() === '` + strings.Join(list, ",") + `'`
}

func storiesOfPicked() map[string]keyStory {
	const first = `document.querySelector('#runs [name=run]').click()
document.querySelector('#bulk').addEventListener('submit', e => { e.preventDefault(); window.sent = new URL(e.target.action).pathname + ' ' + new FormData(e.target, e.submitter).get('do') }, {once: true})`
	return map[string]keyStory{
		"retry-picked":  {page: "runs", first: first, then: `window.sent === '/runs/bulk retry'`},
		"cancel-picked": {page: "runs", first: first, then: `window.sent === '/runs/bulk cancel'`},
	}
}

func storiesOfLog(last int64) map[string]keyStory {
	lines := `[...document.querySelectorAll('.l')]`
	hits := logPage + "?q=capacity&show=all"
	first := lines + `[0].tabIndex = -1; ` + lines + `[0].focus()`
	return map[string]keyStory{
		"line-next":     {page: logPage, then: lineInFocus},
		"line-previous": {page: logPage + "?at=1", first: lines + `[3].tabIndex = -1; ` + lines + `[3].focus()`, then: lines + `[2] === document.activeElement`},
		"half-down":     {page: logPage + "?at=1", first: `scrollTo(0, 0)`, then: `scrollY > 100`},
		"half-up":       {page: logPage, first: `scrollTo(0, 1e6); window.from = scrollY`, then: `window.from > 500 && scrollY < window.from - 100`},
		"log-end":       {page: logPage + "?at=1", first: `scrollTo(0, 0)`, then: `scrollY > 100 && scrollY + innerHeight >= document.documentElement.scrollHeight - 24`},
		"follow": {page: logPage + "?at=2", // another page: it toggles what G has begun
			first: `scrollTo(0, 0)`, then: `scrollY > 100 && scrollY + innerHeight >= document.documentElement.scrollHeight - 24`},
		"hit-next":     {page: hits + "&at=1", first: `window.__same = true`, then: `!(` + same + `) && document.activeElement.id === 'lines'`},
		"hit-previous": {page: fmt.Sprintf("%s&at=%d", hits, last), first: `window.__same = true`, then: `!(` + same + `) && document.activeElement.id === 'lines'`},
		"mark":         {page: logPage, first: first, then: `document.querySelectorAll('.l.mk').length === 1 && location.search.includes('L=')`},
		"wrap":         {page: logPage, then: `location.search.includes('wrap=off') && document.activeElement.id === 'lines'`},
		"clock":        {page: logPage, then: `location.search.includes('times=') && document.activeElement.id === 'lines'`},
		"fold-group":   {page: logPage, first: first, then: `document.querySelector('.lines details:not([open])')`},
		"fold-all":     {page: logPage, then: `!document.querySelector('.lines details[open]')`},
	}
}

func storiesOfGraph() map[string]keyStory {
	node := func(i string) string {
		return `const node = document.querySelectorAll('.dag-node')[` + i + `].firstElementChild; node.setAttribute('tabindex', '-1'); node.focus()
window.from = document.activeElement.parentElement`
	}
	edge := func(way string) string {
		return `window.from && window.from !== document.activeElement.parentElement && window.from.dataset.` + way + `.split(' ').includes(document.activeElement.parentElement.id)`
	}
	top := `document.activeElement.getBoundingClientRect().top`
	box := `document.querySelector('.dag').getAttribute('viewBox')`
	return map[string]keyStory{
		"edge-out": {page: graphPage, first: node("0"), then: edge("next")},
		"edge-in":  {page: graphPage, first: node("1"), then: edge("prev")},
		"beside-down": {page: forkPage, first: `for (const e of document.querySelectorAll('.dag-node > *')) e.setAttribute('tabindex', '-1');
[...document.querySelectorAll('.dag-node > *')].sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top)[0].focus(); window.top0 = ` + top, then: `document.activeElement.closest('.dag-node') && ` + top + ` > window.top0 + 2`},
		"beside-up": {page: forkPage, first: `for (const e of document.querySelectorAll('.dag-node > *')) e.setAttribute('tabindex', '-1');
[...document.querySelectorAll('.dag-node > *')].sort((a, b) => b.getBoundingClientRect().top - a.getBoundingClientRect().top)[0].focus(); window.top0 = ` + top, then: `document.activeElement.closest('.dag-node') && ` + top + ` < window.top0 - 2`},
		"failed-next": {page: graphPage, then: `document.activeElement.closest('.dag-node.failed')`},
		"zoom-in":     {page: graphPage, first: `window.whole = ` + box, then: `window.whole && window.whole !== ` + box},
		"zoom-out":    {page: graphPage, first: zoomed("0.5") + `; window.whole = ` + box, then: `window.whole && window.whole !== ` + box},
		"zoom-none":   {page: graphPage, first: zoomed("") + `; window.whole = ` + box + `; ` + zoomed("0.5"), then: `window.whole === ` + box},
		"twin":        {page: graphPage, then: `document.activeElement.matches('.dag-table-region')`},
	}
}

// forkPage shows a graph with steps above each other.
const forkPage = "runs/release-check-20261123-003812-6e22/graph"

func zoomed(by string) string {
	return `document.dispatchEvent(new CustomEvent('key', {detail: ['zoom', '` + by + `']}))`
}
