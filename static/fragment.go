package static

import (
	"bytes"
	"crypto/sha512"
	"encoding/base64"
	"regexp"
	"strings"
	"sync"
)

// FragmentStyle is the stylesheet for a fragment of the console in a page of somebody else: all of the console's looks,
// but for nothing outside of class wavedeck.
const FragmentStyle = "fragment.css"

// fragmentStyles are what FragmentStyle is made of.
//
//nolint:gochecknoglobals // a list cannot be a constant
var fragmentStyles = []string{"app.css", "timeline.css", "dag.css", "log.css", "ansi.css", "embed.css"}

// addScoped makes FragmentStyle. What a page has as its root is there the fragment.
func (c catalogue) addScoped() error {
	var all bytes.Buffer
	root := strings.NewReplacer(":root", ":scope", ".wavedeck", ":scope") // within a scope only :scope is its root
	all.WriteString("@scope (.wavedeck) {\n")
	for _, name := range fragmentStyles {
		if a, ok := c.byName[name]; ok {
			all.WriteString(root.Replace(string(a.plain)))
		}
	}
	all.WriteString("}\n")
	return c.add(FragmentStyle, all.Bytes())
}

// Integrity is what a page writes beside the address of the file name so that its browser takes no other content.
func Integrity(name string) string {
	a, ok := assets.byName[name]
	if !ok {
		return ""
	}
	sum := sha512.Sum384(a.plain)
	return "sha384-" + base64.StdEncoding.EncodeToString(sum[:])
}

// Text is the content of the files of these names, one after the other.
func Text(names ...string) []byte {
	var all []byte
	for _, name := range names {
		if a, ok := assets.byName[name]; ok {
			all = append(all, a.plain...)
		}
	}
	return all
}

// Symbol returns what the sprite draws for a state, in a box of 16 by 16.
func Symbol(state string) (svg string, ok bool) {
	svg, ok = symbols()[state]
	return svg, ok
}

var symbol = regexp.MustCompile(`<symbol id="([a-z]+)" viewBox="0 0 16 16">(.*)</symbol>`)

//nolint:gochecknoglobals // made once, then only read
var symbols = sync.OnceValue(func() map[string]string {
	found := map[string]string{}
	for _, m := range symbol.FindAllSubmatch(assets.byName["sprite.svg"].plain, -1) {
		found[string(m[1])] = string(m[2])
	}
	return found
})
