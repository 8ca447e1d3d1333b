package main

import (
	"os"
	"path/filepath"
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
	t.Parallel()
	browser := browsertest.Start(t)
	root := everyoneProject(t)
	p := start(t, "--project", root, "--port", "0", "--token", testToken, "--engine", "local", "--data", t.TempDir())
	tab := browser.Tab(t)
	tab.LookForBarriers()
	tab.Expect("404 (Not Found)", "400 (Bad Request)", "405 (Method Not Allowed)", "409 (Conflict)", "422 (Unprocessable", "401 (Unauth", "410 (Gone)")

	prefer(tab, "prefers-reduced-motion", "reduce") // and colours are there at once
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
	for _, way := range []struct {
		name string
		see  func(person, string)
	}{
		{"in forced colours states are still told apart", person.seesForcedColours},
		{"status is told one at a time, and not more often than every ten seconds", person.hearsStatusOnce},
		{"what is chosen once holds on every page and comes back", person.choosesOnce},
		{"a run's file is as good to use as its page", person.keepsAFile},
	} {
		t.Run(way.name, func(t *testing.T) {
			tab.Within(t, func() { way.see(person{tab, t}, p.url) })
		})
	}
	tab.Open("about:blank") // before its server ends
}

// prefer sets what the system of the person prefers.
func prefer(tab *browsertest.Tab, feature, value string) {
	browsertest.Call(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: feature, Value: value}}})
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

// keepsAFile looks at a run as a file from the disk.
func (p person) keepsAFile(base string) {
	p.Open(base + "runs")
	content := browsertest.Eval[string](p.Tab, `fetch('/runs/`+everyDone+`/export').then(r => r.text())`)
	file := filepath.Join(p.t.TempDir(), "run.html")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		p.t.Fatal(err)
	}
	p.Open("file://" + file)
	p.Run(`document.querySelectorAll('details').forEach(d => d.open = true)
		document.querySelectorAll('.top, .foot').forEach(e => e.style.position = 'static')`)
	p.barriers("in the light")
	prefer(p.Tab, "prefers-color-scheme", "dark")
	p.barriers("in the dark", "color-contrast", "link-in-text-block")
	p.Do(chromedp.EmulateViewport(375, 812))
	for _, said := range browsertest.Eval[[]string](p.Tab, tooWide) {
		p.t.Errorf("on a phone: %s", said)
	}
	p.Do(chromedp.EmulateViewport(1440, 900))
}

func (p person) barriers(theme string, rules ...string) {
	for _, b := range p.Barriers(rules...) {
		p.t.Errorf("%s: %s", theme, b)
	}
}

// outline says what a reader of the outline alone would miss.
const outline = `(() => {
	const over = document.querySelector('dialog[open]') // the page beneath does not exist meanwhile
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

// tooWide says what makes the page scroll sideways, and which of our own words are cut.
const tooWide = `(() => {
	const said = [], name = e => e.tagName + '.' + e.getAttribute('class') + '#' + e.id
	const wide = document.documentElement.scrollWidth
	if (wide > innerWidth) said.push(wide + ' px of ' + innerWidth + '; beyond are ' + [...document.querySelectorAll('body *')]
		.filter(e => e.getBoundingClientRect().right > innerWidth + .5).slice(0, 6).map(name))
	for (const e of document.querySelectorAll('.st')) {
		const word = e.textContent.trim()
		const cut = [e, ...e.querySelectorAll('*')].some(e => e.clientWidth && e.scrollWidth > e.clientWidth + 1)
		if (word.length < 20 && cut && e.checkVisibility()) said.push('“' + word + '” is cut')
	}
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

// seesForcedColours wants each mark to be a shape in a colour that is not the
// ground's, and each bar and box to have something that is drawn.
func (p person) seesForcedColours(base string) {
	prefer(p.Tab, "forced-colors", "active")
	defer prefer(p.Tab, "", "")
	p.Until(`matchMedia('(forced-colors: active)').matches`)
	for path, drawn := range map[string]string{
		"runs?limit=100":                    ".mark, .seg path",
		"runs/" + everyFailed + "/timeline": ".mark, .tl-track rect:not(.tl-break)",
		"runs/" + everyFailed + "/graph":    ".dag-outline, .dag-line, .dag use",
		"attention":                         ".mark",
	} {
		p.Open(base + path)
		if n := browsertest.Eval[int](p.Tab, `document.querySelectorAll('`+drawn+`').length`); n < 2 {
			p.t.Errorf("%s draws %d of %s", path, n, drawn)
		}
		for _, lost := range browsertest.Eval[[]string](p.Tab, `(() => {
			const ground = getComputedStyle(document.body).backgroundColor
			const seen = colour => colour !== ground && colour !== 'none' && !/^rgba.*, 0\)$/.test(colour)
			return [...document.querySelectorAll('`+drawn+`')].filter(e => {
				const s = getComputedStyle(e)
				return !(e.matches('.mark, use') ? seen(s.color) : seen(s.fill) || seen(s.stroke))
			}).map(e => e.outerHTML.slice(0, 120))
		})()`) {
			p.t.Errorf("%s: cannot be seen: %s", path, lost)
		}
	}
	p.Open(base + "runs?limit=100")
	shapes := browsertest.Eval[map[string]string](p.Tab, `Object.fromEntries([...document.querySelectorAll('.c-state .st')].map(e => [e.textContent.trim(), e.querySelector('use').getAttribute('href').split('#')[1]]))`)
	words := map[string]string{}
	for word, shape := range shapes {
		if other, ok := words[shape]; ok {
			p.t.Errorf("%s and %s have the same mark", word, other)
		}
		words[shape] = word
	}
	if len(shapes) < 6 {
		p.t.Errorf("only %d states are shown: %v", len(shapes), shapes)
	}
}

// hearsStatusOnce lets four things happen within a moment, and time go on.
func (p person) hearsStatusOnce(base string) {
	p.Open(base + "runs")
	p.Run(`
		window.heard = []
		const said = document.querySelector('[role=status]')
		let now = Date.now()
		Date.now = () => now // the test's clock: a busy machine moves no time on
		window.skip = ms => { now += ms }
		new MutationObserver(() => { if (said.textContent) heard.push(said.textContent) }).observe(said, {childList: true, characterData: true, subtree: true})
		for (const detail of ['one', 'two', 'three', 'four']) document.dispatchEvent(new CustomEvent('say', {detail}))`)
	p.Until(`heard.join() === 'one'`)
	p.Run(`skip(9000); dispatchEvent(new Event('x'))`)
	p.Run(`document.dispatchEvent(new CustomEvent('say', {detail: 'five'}))`)
	if heard := browsertest.Eval[string](p.Tab, `heard.join()`); heard != "one" {
		p.t.Errorf("within ten seconds %s is told", heard)
	}
	p.Run(`skip(1100)`)
	p.Until(`heard.join() === 'one,five'`)
}

// choosesOnce chooses a theme and how times are shown, and goes on to other pages.
func (p person) choosesOnce(base string) {
	p.Open(base + "settings")
	scheme := `getComputedStyle(document.documentElement).colorScheme`
	ground := func() string {
		return browsertest.Eval[string](p.Tab, `getComputedStyle(document.body).backgroundColor`)
	}
	choose := func(name, value string) {
		p.Run(`{const s = document.querySelector('main [data-choice=` + name + `]'); s.value = '` + value + `'; s.dispatchEvent(new Event('change', {bubbles: true}))}`)
	}
	// As the system prefers until something is chosen.
	var light, dark string
	for _, preferred := range []string{"dark", "light"} {
		prefer(p.Tab, "prefers-color-scheme", preferred)
		light, dark = ground(), light
	}
	if light == dark {
		p.t.Errorf("in both themes the ground is %s", light)
	}
	choose("theme", "dark")
	choose("times", "utc")
	for _, path := range []string{"runs", "runs/" + everyFailed, "login"} {
		p.Open(base + path)
		if is := ground(); is != dark {
			p.t.Errorf("%s has the ground %s, in the dark it is %s (%s)", path, is, dark, browsertest.Eval[string](p.Tab, scheme))
		}
	}
	for choice, pattern := range map[string]string{
		"utc": `/^\d+ [A-Z][a-z]{2}( \d{4})? \d\d:\d\d UTC$/`, "local": `/^\d+ [A-Z][a-z]{2}( \d{4})? \d\d:\d\d GMT\+5:45$/`, "": `/ago$|^now$/`,
	} {
		p.Open(base + "settings")
		choose("times", choice)
		for _, path := range []string{"runs?limit=3", "attention", "runs/" + everyRunning} {
			p.Open(base + path)
			p.Until(`[...document.querySelectorAll('time[data-as=ago]')].every(e => ` + pattern + `.test(e.textContent.trim()))`)
		}
	}
	p.Open(base + "settings")
	choose("theme", "")
	if is := ground(); is != light {
		p.t.Errorf("as the system prefers the ground is %s, not %s", is, light)
	}
	prefer(p.Tab, "", "")
}
