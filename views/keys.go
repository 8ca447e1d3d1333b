package views

import "wavedeck/views/keys"

// keyScope is the keys of one part of the console.
type keyScope struct {
	ID, Title string
	Bindings  []keys.Binding
}

// keyScopes are all keys in the order in which they are explained.
func keyScopes() []keyScope {
	var scopes []keyScope
	for _, scope := range []keys.Scope{keys.Everywhere, keys.List, keys.Picked, keys.Run, keys.Log, keys.Graph} {
		part := keyScope{ID: scopeWord(scope), Title: scope.Title()}
		for _, b := range keys.Table() {
			if b.Scope == scope {
				part.Bindings = append(part.Bindings, b)
			}
		}
		scopes = append(scopes, part)
	}
	return scopes
}

// scopeWord is a scope in a word, also of DOM ids.
func scopeWord(s keys.Scope) string {
	if s == keys.Everywhere {
		return "everywhere"
	}
	return string(s)
}

// PaletteView is what some words find.
type PaletteView struct {
	Layout
	Words  string
	Groups []PaletteGroup
	Runs   []RunRow
}

// PaletteGroup is findings of one kind.
type PaletteGroup struct {
	Title string
	Items []PaletteItem
}

// PaletteItem is one finding.
type PaletteItem struct{ Label, Detail, Href string }
