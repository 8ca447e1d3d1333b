package main

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"

	"wavedeck/cmd/internal/browsertest"
)

// TestBrowserPrint prints the list of runs and a run on a narrow sheet: what
// only a screen can use is left out, and no cell is cut.
func TestBrowserPrint(t *testing.T) {
	t.Parallel()
	b := browsertest.Start(t)
	root, _ := keyProject(t)
	p := start(t, "--project", root, "--port", "0")
	for _, page := range []string{"runs", "runs/" + keyFailed} {
		tab := b.Tab(t)
		browsertest.Call(tab, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 700, Height: 990, DeviceScaleFactor: 1})
		tab.Open(p.url + page)
		tab.Until(ready)
		browsertest.Call(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
		if got := browsertest.Eval[string](tab, `[...document.querySelectorAll('.top nav, .tools, .keybar, #forms, .filter, .pager, .parts, #bulk, #doing')].filter(e => e.checkVisibility()).map(e => e.id || e.className || e.localName).join(', ')`); got != "" {
			t.Errorf("%s prints %s", page, got)
		}
		if got := browsertest.Eval[string](tab, `[...document.querySelectorAll('td, td .st > span, td .line > *')].filter(e => e.checkVisibility({visibilityProperty: true}) && getComputedStyle(e).overflowX !== 'visible' && e.scrollWidth > e.clientWidth + 1).map(e => e.innerText).join(' | ')`); got != "" {
			t.Errorf("%s prints cut: %s", page, got)
		}
	}
}

// TestBrowserAttentionColor sees the count of the header in color while a run
// needs attention, and as plain as its entry when none does.
func TestBrowserAttentionColor(t *testing.T) {
	t.Parallel()
	b := browsertest.Start(t)
	root, _ := keyProject(t)
	p := start(t, "--project", root, "--port", "0")
	tab := b.Tab(t)
	tab.Open(p.url + "runs")
	tab.Until(ready)
	const colored = `(n => { const a = document.querySelector('#attention-link'); a.dataset.attention = n; return getComputedStyle(a.querySelector('b')).color !== getComputedStyle(a).color })`
	if !browsertest.Eval[bool](tab, colored+`(3)`) {
		t.Error("3 runs need attention, and the count has the color of its entry")
	}
	if browsertest.Eval[bool](tab, colored+`(0)`) {
		t.Error("no run needs attention, and the count has a color of its own")
	}
}
