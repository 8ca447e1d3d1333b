package main

import (
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp/kb"

	"wavedeck/cmd/internal/browsertest"
)

// TestBrowserKeyboardLayouts presses keys as keyboards of other layouts, and with
// CapsLock, report them: what they print, and where they are on the keyboard.
func TestBrowserKeyboardLayouts(t *testing.T) {
	t.Parallel()
	b := browsertest.Start(t)
	root, _ := keyProject(t)
	p := start(t, "--project", root, "--port", "0")
	const (
		shift     = int64(kb.ModifierShift)
		ctrl      = int64(kb.ModifierCtrl)
		onSecond  = `document.activeElement === document.querySelectorAll('tr.run')[1]`
		selected  = `document.querySelector('[data-keys=list] input:checked')`
		palette   = `document.querySelector('#dialog[open] [role=combobox]')`
		inFilter  = `document.activeElement.matches('input[type=search], [name=q]')`
		onCommand = `document.querySelector('#dialog[open] form')`
	)
	for _, c := range []struct {
		name, key, code string
		modifiers       int64
		then            string
	}{
		{"a Russian layout moves by the key of j", "о", "KeyJ", 0, onSecond},
		{"a Greek layout moves by the key of j", "ξ", "KeyJ", 0, onSecond},
		{"a Russian layout finds by Ctrl and the key of k", "л", "KeyK", ctrl, palette},
		{"a Russian layout has the colon where a US one has", "Ж", "Semicolon", shift, onCommand},
		{"CapsLock moves by j all the same", "J", "KeyJ", 0, onSecond},
		{"CapsLock finds by Ctrl+K all the same", "K", "KeyK", ctrl, palette},
		{"a slash that is elsewhere is a slash", "/", "Backslash", shift, inFilter},
	} {
		t.Run(c.name, func(t *testing.T) {
			tab := b.Tab(t)
			tab.Open(p.url + "runs")
			tab.Until(ready)
			if c.then == onSecond {
				tab.Run(`document.querySelector('tr.run').focus()`)
			}
			text := c.key
			if c.modifiers == ctrl {
				text = ""
			}
			k := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: c.key, Code: c.code, Text: text, Modifiers: c.modifiers}
			browsertest.Call(tab, input.DispatchKeyEvent, k)
			tab.Until(`!!(` + c.then + `)`)
			if browsertest.Eval[bool](tab, `!!(`+selected+`)`) {
				t.Error("a run was selected")
			}
		})
	}
}
