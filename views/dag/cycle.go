package dag

import (
	"fmt"
	"strconv"
	"strings"
)

// breakCycles marks links as back until the rest has no cycle. A cycle of
// dependencies is a problem; one that only closes through a loop, a rework or
// an arm is what the pipeline means to do.
func (g *graph) breakCycles(l *Layout) []Problem {
	for i := range g.links {
		if k := &g.links[i]; k.from == k.to {
			k.back = true
		}
	}
	problems := g.dependencyCycles(l)
	g.breakStrict()
	g.breakSoft()
	return problems
}

// dependencyCycles reports each set of steps that depend on each other once.
func (g *graph) dependencyCycles(l *Layout) []Problem {
	var problems []Problem
	for _, k := range g.links {
		if k.from == k.to && k.strict {
			id := l.Steps[g.boxes[k.from].Steps[0]].ID
			problems = append(problems, Problem{Kind: Cycle, Step: id, Text: fmt.Sprintf("step %q depends on itself", id)})
		}
	}
	strict := g.adjacency(func(k link) bool { return k.strict && !k.back })
	members := make(map[int][]int)
	component := strongComponents(strict)
	for b, c := range component {
		members[c] = append(members[c], b)
	}
	for b, c := range component {
		if m := members[c]; len(m) > 1 && m[0] == b {
			problems = append(problems, cycleProblem(l, g, m))
		}
	}
	return problems
}

func cycleProblem(l *Layout, g *graph, boxes []int) Problem {
	const shown = 8
	var ids, quoted []string
	for _, b := range boxes {
		for _, i := range g.boxes[b].Steps {
			ids = append(ids, l.Steps[i].ID)
		}
	}
	for _, id := range ids[:min(shown, len(ids))] {
		quoted = append(quoted, strconv.Quote(id))
	}
	text := "steps depend on each other in a circle: " + strings.Join(quoted, ", ")
	if more := len(ids) - shown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return Problem{Kind: Cycle, Other: ids, Text: text}
}

// breakStrict turns the dependencies that close a cycle back, found depth
// first: from the boxes nothing leads to, then in the order of the definition.
func (g *graph) breakStrict() {
	out := make([][]int, len(g.boxes)) // indices of links
	entered := make([]bool, len(g.boxes))
	for i, k := range g.links {
		if k.strict && !k.back {
			out[k.from] = append(out[k.from], i)
			entered[k.to] = true
		}
	}
	const fresh, open, done = 0, 1, 2
	colour := make([]int, len(g.boxes))
	next := make([]int, len(g.boxes))
	visit := func(root int) {
		stack := []int{root}
		colour[root] = open
		for len(stack) > 0 {
			b := stack[len(stack)-1]
			if next[b] == len(out[b]) {
				colour[b] = done
				stack = stack[:len(stack)-1]
				continue
			}
			k := &g.links[out[b][next[b]]]
			next[b]++
			switch colour[k.to] {
			case fresh:
				colour[k.to] = open
				stack = append(stack, k.to)
			case open:
				k.back = true
			}
		}
	}
	for _, roots := range [...]bool{true, false} {
		for b := range g.boxes {
			if colour[b] == fresh && (!roots || !entered[b]) {
				visit(b)
			}
		}
	}
}

// breakSoft turns the other links back that lie on a cycle and go against the
// order the dependencies give. Every cycle lies within one strong component,
// and what stays forward there goes up in that order, so none is left.
func (g *graph) breakSoft() {
	forward := func(k link) bool { return !k.back }
	component := strongComponents(g.adjacency(forward))
	place := topological(g.adjacency(func(k link) bool { return k.strict && !k.back }))
	for i := range g.links {
		k := &g.links[i]
		if !k.strict && !k.back && component[k.from] == component[k.to] && place[k.from] >= place[k.to] {
			k.back = true
		}
	}
}

func (g *graph) adjacency(take func(link) bool) [][]int {
	out := make([][]int, len(g.boxes))
	for _, k := range g.links {
		if take(k) {
			out[k.from] = append(out[k.from], k.to)
		}
	}
	return out
}

// topological gives each node of an acyclic graph its place, lowest index
// first among those that are free.
func topological(out [][]int) []int {
	waits := make([]int, len(out))
	for _, targets := range out {
		for _, t := range targets {
			waits[t]++
		}
	}
	var free []int
	for v := range out {
		if waits[v] == 0 {
			free = append(free, v)
		}
	}
	place := make([]int, len(out))
	for i := 0; i < len(free); i++ {
		v := free[i]
		place[v] = i
		for _, t := range out[v] {
			if waits[t]--; waits[t] == 0 {
				free = append(free, t)
			}
		}
	}
	return place
}

// strongComponents numbers the sets of nodes that reach each other.
func strongComponents(out [][]int) []int {
	n := len(out)
	t := tarjan{out: out, component: make([]int, n), index: make([]int, n), low: make([]int, n), next: make([]int, n)}
	for v := range t.component {
		t.component[v] = -1
	}
	for root := range out {
		if t.index[root] == 0 {
			t.visit(root)
		}
	}
	return t.component
}

// tarjan is Tarjan's algorithm with a stack of its own: the depth is an input's.
type tarjan struct {
	out       [][]int
	component []int // -1 until it is known
	index     []int // order of discovery from 1; 0: not found yet
	low       []int // the earliest node reached
	next      []int // how many of a node's targets were looked at
	held      []int // found, component not known
	count     int
	found     int
}

func (t *tarjan) visit(root int) {
	t.enter(root)
	path := []int{root}
	for len(path) > 0 {
		v := path[len(path)-1]
		if t.next[v] < len(t.out[v]) {
			w := t.out[v][t.next[v]]
			t.next[v]++
			if t.index[w] == 0 {
				t.enter(w)
				path = append(path, w)
			} else if t.component[w] < 0 {
				t.low[v] = min(t.low[v], t.index[w])
			}
			continue
		}
		path = path[:len(path)-1]
		if len(path) > 0 {
			parent := path[len(path)-1]
			t.low[parent] = min(t.low[parent], t.low[v])
		}
		if t.low[v] == t.index[v] {
			t.release(v)
		}
	}
}

func (t *tarjan) enter(v int) {
	t.count++
	t.index[v], t.low[v] = t.count, t.count
	t.held = append(t.held, v)
}

// release makes a component of all that was held since v.
func (t *tarjan) release(v int) {
	for {
		w := t.held[len(t.held)-1]
		t.held = t.held[:len(t.held)-1]
		t.component[w] = t.found
		if w == v {
			break
		}
	}
	t.found++
}
