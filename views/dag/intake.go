package dag

import "fmt"

// link is an edge between indices: of steps at first, of boxes once folded.
type link struct {
	from, to int
	kind     EdgeKind
	label    string
	strict   bool // a dependency: a cycle of these is a problem
	back     bool // drawn against the reading direction, left out of the ranking
}

// take fills Steps and Edges with what is sound and reports the rest.
func (l *Layout) take(nodes []Node, edges []Edge) []link {
	l.step = make(map[string]int, len(nodes))
	for _, n := range nodes {
		if n.ID == "" {
			l.Problems = append(l.Problems, Problem{Kind: NamelessStep, Text: "a step has no id"})
			continue
		}
		if _, twice := l.step[n.ID]; twice {
			l.Problems = append(l.Problems, Problem{
				Kind: DuplicateStep, Step: n.ID,
				Text: fmt.Sprintf("step %q is defined more than once; the first is drawn", n.ID),
			})
			continue
		}
		if n.Label == "" {
			n.Label = n.ID
		}
		l.step[n.ID] = len(l.Steps)
		l.Steps = append(l.Steps, n)
	}
	return l.takeEdges(edges)
}

func (l *Layout) takeEdges(edges []Edge) []link {
	type pair struct{ from, to int }
	seen := make(map[pair]int, len(edges))
	missing := make(map[[2]string]bool)
	links := make([]link, 0, len(edges))
	for _, e := range edges {
		from, okFrom := l.step[e.From]
		to, okTo := l.step[e.To]
		if !okFrom || !okTo {
			if ends := [2]string{e.From, e.To}; !missing[ends] {
				missing[ends] = true
				if okTo {
					l.missing = append(l.missing, e)
				}
				l.Problems = append(l.Problems, unknownStep(e, okFrom, okTo))
			}
			continue
		}
		if e.Kind == "" {
			e.Kind = Dependency
		}
		k := link{from: from, to: to, kind: e.Kind, label: e.Label, strict: e.Kind == Dependency}
		if at, twice := seen[pair{from, to}]; twice {
			links[at].merge(k)
			l.Edges[at].Kind, l.Edges[at].Label = links[at].kind, links[at].label
			continue
		}
		seen[pair{from, to}] = len(links)
		links = append(links, k)
		l.Edges = append(l.Edges, e)
	}
	return links
}

// merge makes one line of two edges between the same steps: the more special
// kind gives the shape, and being a dependency is not lost.
func (k *link) merge(other link) {
	if k.kind == Dependency {
		k.kind = other.kind
	}
	k.strict = k.strict || other.strict
	switch {
	case other.label == "" || other.label == k.label:
	case k.label == "":
		k.label = other.label
	case len(k.label) < maxLabelBytes:
		k.label += ", " + other.label
	}
}

// maxLabelBytes stops a label from growing with every repeated edge.
const maxLabelBytes = 200

func unknownStep(e Edge, okFrom, okTo bool) Problem {
	switch {
	case !okFrom && !okTo:
		return Problem{
			Kind: UnknownStep, Other: []string{e.From, e.To},
			Text: fmt.Sprintf("an edge joins %q and %q, neither of which is a step", e.From, e.To),
		}
	case okTo:
		return Problem{
			Kind: UnknownStep, Step: e.To, Other: []string{e.From},
			Text: fmt.Sprintf("step %q depends on %q, which is not a step", e.To, e.From),
		}
	default:
		return Problem{
			Kind: UnknownStep, Step: e.From, Other: []string{e.To},
			Text: fmt.Sprintf("step %q leads to %q, which is not a step", e.From, e.To),
		}
	}
}
