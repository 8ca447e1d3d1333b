package keys_test

import (
	"bytes"
	"flag"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"wavedeck/views/keys"
)

var update = flag.Bool("update", false, "write static/keys.json anew")

const file = "../../static/keys.json"

func TestTheBrowserHasThisTable(t *testing.T) {
	want, err := keys.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not the table: go test ./views/keys -update writes it anew", file)
	}
}

// beside reports whether the keys of two scopes can act at the same moment
// without one being the narrower: then they must differ.
func beside(a, b keys.Scope) bool { return a == b }

func TestNoKeyMeansTwoThings(t *testing.T) {
	table := keys.Table()
	for i, a := range table {
		for _, b := range table[i:] {
			if !beside(a.Scope, b.Scope) {
				continue
			}
			for m, x := range a.Keys {
				for n, y := range b.Keys {
					if a.ID == b.ID && m >= n {
						continue
					}
					if x == y || strings.HasPrefix(y, x+" ") || strings.HasPrefix(x, y+" ") {
						t.Errorf("%s: %q means %s and %s", a.Scope, x, a.ID, b.ID)
					}
				}
			}
		}
	}
}

func TestEveryBindingIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, b := range keys.Table() {
		if seen[b.ID] || !regexp.MustCompile(`^[a-z][a-z-]*$`).MatchString(b.ID) {
			t.Errorf("the id %q is taken or not plain", b.ID)
		}
		seen[b.ID] = true
		if b.Label == "" || b.Do.Verb == "" || len(b.Keys) == 0 || slices.Contains(b.Keys, "") {
			t.Errorf("%s lacks a label, a key or what it does", b.ID)
		}
	}
}

// TestTheBrowserKeepsItsKeys holds what console.md promises: of the browser's own
// keys only two are taken.
func TestTheBrowserKeepsItsKeys(t *testing.T) {
	for _, b := range keys.Table() {
		for _, key := range b.Keys {
			for stroke := range strings.SplitSeq(key, " ") {
				switch {
				case stroke == "Mod+k" || stroke == "Mod+Enter":
				case strings.Contains(stroke, "+") && stroke != "+":
					t.Errorf("%s takes %s", b.ID, stroke)
				case regexp.MustCompile(`^(F\d+|Tab|Home|End|PageUp|PageDown|Backspace)$`).MatchString(stroke):
					t.Errorf("%s takes %s", b.ID, stroke)
				case strings.HasPrefix(stroke, "Arrow") && !b.Scope.Focused(), stroke == "Space" && b.Scope != keys.List:
					t.Errorf("%s takes %s from scrolling", b.ID, stroke)
				}
			}
		}
	}
}

func TestStrokes(t *testing.T) {
	for key, want := range map[string]string{
		"j": "j", "J": "Shift+J", "g r": "g r", "g g": "g g", "ArrowDown": "↓", "Mod+k": "Ctrl+K", "Mod+Enter": "Ctrl+Enter", "?": "?", "Escape": "Esc", "{": "{", "Space": "Space",
	} {
		if got := strings.Join(keys.Strokes(key), " "); got != want {
			t.Errorf("%q is labelled %q, want %q", key, got, want)
		}
	}
}
