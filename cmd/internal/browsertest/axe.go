package browsertest

import (
	_ "embed" // axe is
	"fmt"
	"strings"
)

// axe finds what keeps people from using a page. It is for tests only.
//
//go:embed vendor/axe.min.js
var axe string

// Barrier is something on a page that keeps people from using it.
type Barrier struct {
	Rule  string   `json:"id"`
	Help  string   `json:"help"`
	Where []string `json:"where"` // the first elements, each with what is wrong with it
}

func (b Barrier) String() string {
	return fmt.Sprintf("%s (%s):\n\t%s", b.Rule, b.Help, strings.Join(b.Where, "\n\t"))
}

// axeSettings: everything is looked at, trials that are sure of themselves too.
const axeSettings = `{
	resultTypes: ['violations'], preload: false, elementRef: false, ancestry: false, xpath: false,
	rules: Object.fromEntries(['label-content-name-mismatch', 'focus-order-semantics', 'td-has-header', 'table-fake-caption',
		'p-as-heading', 'css-orientation-lock', 'hidden-content', 'target-size'].map(id => [id, {enabled: true}])),
}`

// LookForBarriers makes what the tab opens from now on ready for Barriers. The
// browser compiles axe once; given to each page it would cost more than it finds.
func (tab *Tab) LookForBarriers() {
	tab.t.Helper()
	tab.Before(axe)
}

// Barriers returns what axe calls serious or critical on the page as it is, and
// what stands outside every landmark or in two of one name, which axe calls
// moderate. With rules only those are looked for. LookForBarriers goes before.
func (tab *Tab) Barriers(rules ...string) []Barrier {
	tab.t.Helper()
	only := ""
	if len(rules) > 0 {
		only = fmt.Sprintf(`settings.runOnly = %s; delete settings.rules`, `["`+strings.Join(rules, `","`)+`"]`)
	}
	return Eval[[]Barrier](tab, `(async () => {
		const settings = `+axeSettings+`
		`+only+`
		const { violations } = await axe.run(document, settings)
		return violations.filter(v => ['serious', 'critical'].includes(v.impact) || ['region', 'landmark-unique'].includes(v.id)).map(v => ({ id: v.id, help: v.help, where: v.nodes.slice(0, 5).map(n =>
			n.target.join(' ') + ' ' + n.html.slice(0, 160) + ' -- ' + n.any.concat(n.all, n.none).map(c => c.message).join('; ')) }))
	})()`)
}
