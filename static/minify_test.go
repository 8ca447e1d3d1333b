package static

import (
	"io/fs"
	"regexp"
	"testing"
)

// TestNoScriptIsReordered holds what the minifier needs: of declarations that
// stand together it puts those that take values apart first, also before what
// they are made of.
func TestNoScriptIsReordered(t *testing.T) {
	scripts, err := fs.Glob(embedded, "*.js")
	if err != nil {
		t.Fatal(err)
	}
	apart := regexp.MustCompile(`(?m)^ *(?:const|let) +(\w+) = .*\n *(?:const|let) +[\[{].* = (.*)`)
	for _, name := range scripts {
		content, err := fs.ReadFile(embedded, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range apart.FindAllStringSubmatch(string(content), -1) {
			if regexp.MustCompile(`\b` + found[1] + `\b`).MatchString(found[2]) {
				t.Errorf("%s takes apart what the line before it declares:\n%s", name, found[0])
			}
		}
	}
}
