package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"wavedeck/cmd/internal/browsertest"
)

// TestBrowserEveryone shows every page to people who see it in the dark, enlarged,
// on a phone or not at all, and who have a keyboard only.
func TestBrowserEveryone(t *testing.T) {
	browser := browsertest.Start(t)
	root := everyoneProject(t)
	p := start(t, "--project", root, "--port", "0", "--token", testToken, "--engine", "local", "--data", t.TempDir())
	tab := browser.Tab(t)
	tab.LookForBarriers()
	tab.Expect("404 (Not Found)", "400 (Bad Request)", "405 (Method Not Allowed)", "409 (Conflict)", "422 (Unprocessable", "401 (Unauth", "410 (Gone)")

	browsertest.Call(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-reduced-motion", Value: "reduce"}, // and colours are there at once
	}})
	tab.Open(p.url + "runs")
	tab.Run(`document.querySelector('[name=token]').value = '` + testToken + `'; document.querySelector('form').requestSubmit()`)
	tab.Until(`document.querySelector('#runs tr.run')`)
	tab.Run(`localStorage.setItem('wd-times', 'local')`) // chosen once
	browsertest.Call(tab, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Asia/Kathmandu"})
	tab.Run(`Promise.all(['on call', 'b'].map(name => fetch('/views', {method: 'POST', body: new URLSearchParams({name, query: 'q=status:failed'})})))`)

	for _, l := range everyLook() {
		t.Run(l.name, func(t *testing.T) {
			tab.Within(t, func() { person{tab, t}.looksAt(p.url, l) })
		})
	}
	tab.Open("about:blank") // before its server ends
}

// person looks at a page in every way.
type person struct {
	*browsertest.Tab
	t *testing.T
}

func (p person) looksAt(base string, l look) {
	begun := time.Now()
	p.Open(base + l.path)
	if l.press != "" {
		p.Until(ready)
		press(p.Tab, l.press)
	}
	if l.do != "" {
		p.Until(ready)
		p.Run(l.do)
	}
	if l.then != "" {
		p.Until("document.readyState === 'complete' && (" + l.then + ")")
	}
	opened := time.Now()
	// All that can be unfolded is looked at, and nothing sticks over it by chance.
	p.Run(`document.querySelectorAll('details').forEach(d => d.open = true)
		document.querySelectorAll('.top, .foot').forEach(e => e.style.position = 'static')`)
	for _, said := range browsertest.Eval[[]string](p.Tab, outline) {
		p.t.Errorf("%s", said)
	}
	p.barriers("in the light")
	axed := time.Now()
	p.Run(`document.documentElement.dataset.theme = 'dark'`)
	p.barriers("in the dark", "color-contrast", "link-in-text-block")
	p.Run(`delete document.documentElement.dataset.theme`)
	darked := time.Now()
	p.tabsThrough()
	tabbed := time.Now()
	for what, width := range map[string]int64{"on a phone": 375, "at 200 %": 720} {
		p.Do(chromedp.EmulateViewport(width, 812))
		for _, said := range browsertest.Eval[[]string](p.Tab, tooWide) {
			p.t.Errorf("%s: %s", what, said)
		}
	}
	p.Do(chromedp.EmulateViewport(1440, 900))
	if testing.Verbose() {
		p.t.Logf("open %v axe %v dark %v tab %v width %v", opened.Sub(begun), axed.Sub(opened), darked.Sub(axed), tabbed.Sub(darked), time.Since(tabbed))
	}
}

func (p person) barriers(theme string, rules ...string) {
	for _, b := range p.Barriers(rules...) {
		p.t.Errorf("%s: %s", theme, b)
	}
}

// outline says what a reader of the outline alone would miss.
const outline = `(() => {
	const over = document.querySelector('dialog[open]') // the page beneath is not there meanwhile
	const said = [], all = selector => [...document.querySelectorAll(selector)].filter(e => over?.contains(e) ?? true), name = e => e.outerHTML.slice(0, 120)
	const frame = document.body.classList.contains('embed')
	if (!over && all('main').length !== 1) said.push(all('main').length + ' main')
	if (!document.title.replace('· wavedeck', '').trim()) said.push('no title')
	if (!frame && !over && all('h1').length !== 1) said.push(all('h1').length + ' h1')
	const levels = all('h1, h2, h3, h4, h5, h6').filter(h => !h.closest('.m-body')).map(h => +h.tagName[1])
	levels.forEach((level, i) => { if (level > (levels[i - 1] ?? (frame || over ? 5 : 0)) + 1) said.push('h' + level + ' after h' + levels[i - 1]) })
	const statuses = all('[role=status], [role=log]:not([aria-live=off]), [aria-live]:not([aria-live=off])')
	if (statuses.length > 1) said.push('status is told by ' + statuses.map(name))
	const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
	for (let text; !frame && (text = texts.nextNode());) {
		const e = text.parentElement
		if (/^UTC$|\d UTC\b|clock, UTC/.test(text.data) && !e.closest('option, script, noscript, .sec, .m-body, pre') && e.checkVisibility()) said.push('times are local, but: ' + text.data.trim())
	}
	const moving = document.getAnimations()
	if (moving.length) said.push(moving.map(a => a.animationName || a.transitionProperty) + ' moves')
	return said
})()`

// tooWide says what makes the page scroll sideways.
const tooWide = `(() => {
	const said = [], name = e => e.tagName + '.' + e.getAttribute('class') + '#' + e.id
	const wide = document.documentElement.scrollWidth
	if (wide > innerWidth) said.push(wide + ' px of ' + innerWidth + '; beyond are ' + [...document.querySelectorAll('body *')]
		.filter(e => e.getBoundingClientRect().right > innerWidth + .5).slice(0, 6).map(name))
	return said
})()`

// tabsThrough gives each element that can be reached by Tab the focus, as the
// keyboard does, and wants it shown.
func (p person) tabsThrough() {
	p.Run(`document.querySelector('a, button, input, summary, [tabindex]')?.focus({preventScroll: true})`)
	p.Do(chromedp.KeyEvent(kb.Tab))
	for _, hidden := range browsertest.Eval[[]string](p.Tab, focusShown) {
		p.t.Errorf("nothing shows the focus at %s", hidden)
	}
}

const focusShown = `(() => {
	const hidden = []
	for (const e of document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]')) {
		if (e.disabled || !e.checkVisibility({visibilityProperty: true}) || e.getAttribute('tabindex') === '-1') continue
		e.focus({preventScroll: true})
		if (document.activeElement !== e) continue
		const shown = [e, ...e.querySelectorAll('.dag-outline')].some(e => {
			const s = getComputedStyle(e)
			return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 1 || e.matches('.dag-outline') && parseFloat(s.strokeWidth) >= 3
		})
		if (!shown) hidden.push(e.outerHTML.slice(0, 160))
	}
	return hidden
})()`

var _ = fmt.Sprint
