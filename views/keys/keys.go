// Package keys is the one table of what the keyboard does. The browser's
// bindings, the searchable help, the palette, the hint bar, the documentation
// and the tests are all made from it.
package keys

import "strings"

// Scope says where a key acts. A printable key is never the only way to
// anything, and beyond Everywhere and Run it acts only while its part of the
// page has the focus (WCAG 2.1.4).
type Scope string

// The scopes, the narrowest last: where two bindings share a key, that of the
// narrower scope wins. Each but Everywhere and Picked is the value of a data-keys
// attribute on the element that it is about.
const (
	Everywhere Scope = ""
	Run        Scope = "run"    // any page of a run
	List       Scope = "list"   // a list of runs has the focus
	Picked     Scope = "picked" // so it has, and runs are selected
	Log        Scope = "log"    // the lines of a log have the focus
	Graph      Scope = "graph"  // a step graph has the focus
)

// Focused reports whether a scope's keys act only while its part of the page has
// the focus.
func (s Scope) Focused() bool { return s == List || s == Picked || s == Log || s == Graph }

// Title is the scope's heading.
func (s Scope) Title() string {
	switch s {
	case Run:
		return "Run page"
	case List:
		return "List of runs, while it has the focus"
	case Picked:
		return "List of runs, while it has the focus and runs are selected"
	case Log:
		return "Log, while it has the focus"
	case Graph:
		return "Step graph, while it has the focus"
	default:
		return "Everywhere"
	}
}

// Binding is what some keys do.
type Binding struct {
	ID    string   // for ever: remaps that readers keep name it
	Keys  []string // alternatives; each is one key or several in turn, spelled as KeyboardEvent.key
	Scope Scope
	Label string // what happens, for whoever looks for it
	Hint  string // a word for the hint bar; empty: not shown there
	Do    Action
}

// Action is what keys.js does: one of its verbs, with an argument. Needs is a
// selector; while nothing in the page fits it, the binding is not offered.
type Action struct{ Verb, Arg, Needs string }

// Click presses the first element that fits selector.
func Click(selector string) Action { return Action{"click", selector, selector} }

// ClickIn presses the first element that fits selector in the row that has the focus.
func ClickIn(selector string) Action { return Action{"row", selector, selector} }

// ClickNth presses the element that fits selector whose place is the place of
// the key among the binding's keys.
func ClickNth(selector string) Action { return Action{"nth", selector, selector} }

// Stay is Click for what leads to another look at the same thing: the focus
// goes to the same part of the new page.
func Stay(selector string) Action { return Action{"stay", selector, selector} }

// Focus moves the focus to the first element that fits selector.
func Focus(selector string) Action { return Action{"focus", selector, selector} }

// Command runs a function of keys.js, or of log.js and graph.js through it.
func Command(name, arg, needs string) Action { return Action{name, arg, needs} }

// Remappable reports whether a reader may give the binding another key. What is
// taken from the browser, and keys that count, stay as they are.
func (b Binding) Remappable() bool {
	return len(b.Keys) <= 2 && !strings.HasPrefix(b.Keys[0], "Mod+")
}

// Strokes splits one alternative into its strokes as they are labelled on a
// keyboard: "g r" is [g] [r], "J" is [Shift+J].
func Strokes(key string) []string {
	strokes := strings.Split(key, " ")
	for i, stroke := range strokes {
		strokes[i] = labelled(stroke)
	}
	return strokes
}

func labelled(stroke string) string {
	rest, shifted := strings.CutPrefix(stroke, "Shift+")
	rest, mod := strings.CutPrefix(rest, "Mod+")
	switch rest {
	case "ArrowUp":
		rest = "↑"
	case "ArrowDown":
		rest = "↓"
	case "ArrowLeft":
		rest = "←"
	case "ArrowRight":
		rest = "→"
	case "Escape":
		rest = "Esc"
	default:
		if len(rest) == 1 && rest >= "A" && rest <= "Z" {
			shifted = true
		}
	}
	switch {
	case mod:
		if len(rest) == 1 {
			rest = strings.ToUpper(rest)
		}
		return "Ctrl+" + rest
	case shifted:
		return "Shift+" + rest
	default:
		return rest
	}
}

// InPalette reports whether the binding is a command to look for by name: one
// that does not only move the focus by a row or a line.
func (b Binding) InPalette() bool {
	switch b.Do.Verb {
	case "move", "fold", "half", "edge", "beside", "out", "nth", "staynth", "extend", "view":
		return false
	default:
		return b.ID != "palette"
	}
}
