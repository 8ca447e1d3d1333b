package dag

import "slices"

// part is a set of connected boxes, laid out by itself. Indices into boxes and
// links of the graph; in the slices of a part, boxes are numbered from 0.
type part struct {
	boxes []int // part index to box
	links []link
	rank  []int // column of each box
	grid  bool  // boxes without any link
}

const (
	gridColumns = 5
	// wrapAt is how many boxes a column holds before the next one takes the rest.
	wrapAt = 32
	// tightenRounds is enough for slack to travel: it moves whole chains per round.
	tightenRounds = 3
)

// components splits the graph, in the order of the definition; boxes without
// links come last, together.
func (g *graph) components() []*part {
	root := make([]int, len(g.boxes))
	for b := range root {
		root[b] = b
	}
	find := func(b int) int {
		for root[b] != b {
			root[b] = root[root[b]]
			b = root[b]
		}
		return b
	}
	linked := make([]bool, len(g.boxes))
	for _, k := range g.links {
		if k.from == k.to {
			continue
		}
		linked[k.from], linked[k.to] = true, true
		if a, b := find(k.from), find(k.to); a != b {
			root[max(a, b)] = min(a, b)
		}
	}
	var parts []*part
	single := &part{grid: true}
	at := make([]int, len(g.boxes))   // box to index in its part
	of := make([]*part, len(g.boxes)) // root to part
	for b := range g.boxes {
		p := single
		if linked[b] {
			r := find(b)
			if of[r] == nil {
				of[r] = &part{}
				parts = append(parts, of[r])
			}
			p = of[r]
		}
		at[b] = len(p.boxes)
		p.boxes = append(p.boxes, b)
	}
	for _, k := range g.links {
		if k.from != k.to {
			p := of[find(k.from)]
			k.from, k.to = at[k.from], at[k.to]
			p.links = append(p.links, k)
		}
	}
	if len(single.boxes) > 0 {
		parts = append(parts, single)
	}
	return parts
}

// assign puts each box into a column right of all it comes after: the leftmost
// one first, then moved towards its neighbours where that shortens edges.
func (p *part) assign() {
	n := len(p.boxes)
	p.rank = make([]int, n)
	if p.grid {
		for v := range p.rank {
			p.rank[v] = v % gridColumns
		}
		return
	}
	out, in := make([][]int, n), make([][]int, n)
	for _, k := range p.links {
		if !k.back {
			out[k.from] = append(out[k.from], k.to)
			in[k.to] = append(in[k.to], k.from)
		}
	}
	order := make([]int, n)
	for v, place := range topological(out) {
		order[place] = v
	}
	for _, v := range order {
		p.rank[v] = p.after(in[v])
	}
	for range tightenRounds {
		if !p.tighten(order, out, in) {
			break
		}
	}
	p.closeUp()
	p.wrap()
}

// after is the first column right of all of before.
func (p *part) after(before []int) int {
	column := 0
	for _, u := range before {
		column = max(column, p.rank[u]+1)
	}
	return column
}

// tighten moves boxes with more edges out than in to the right, as far as
// their edges allow, and those with more in than out to the left.
func (p *part) tighten(order []int, out, in [][]int) (moved bool) {
	for _, v := range slices.Backward(order) {
		if len(out[v]) <= len(in[v]) {
			continue
		}
		column := p.rank[out[v][0]] - 1
		for _, w := range out[v][1:] {
			column = min(column, p.rank[w]-1)
		}
		if column > p.rank[v] {
			p.rank[v], moved = column, true
		}
	}
	for _, v := range order {
		if len(in[v]) > len(out[v]) {
			if column := p.after(in[v]); column < p.rank[v] {
				p.rank[v], moved = column, true
			}
		}
	}
	return moved
}

// closeUp leaves no column without a box.
func (p *part) closeUp() {
	column := make([]int, len(p.boxes)+1)
	for _, r := range p.rank {
		column[r] = 1
	}
	used := 0
	for r, has := range column {
		column[r] = used
		used += has
	}
	for v, r := range p.rank {
		p.rank[v] = column[r]
	}
}

// wrap lets a column with too many boxes go on in the next: boxes of one column
// have no edge between them, so each may move right as long as all later
// columns do. It is left when the edges get so much longer that the picture
// would not be smaller for it.
func (p *part) wrap() {
	narrow, before := p.rank, p.waypoints()
	p.rank = slices.Clone(narrow)
	p.spreadRanks()
	if p.waypoints() > before+len(p.boxes) {
		p.rank = narrow
	}
}

func (p *part) spreadRanks() {
	last := 0
	for _, r := range p.rank {
		last = max(last, r)
	}
	size := make([]int, last+1)
	for _, r := range p.rank {
		size[r]++
	}
	start, height := make([]int, last+1), make([]int, last+1)
	column := 0
	for r, n := range size {
		start[r] = column
		columns := (n + wrapAt - 1) / wrapAt
		column += columns
		height[r] = (n + columns - 1) / columns
	}
	taken := make([]int, last+1)
	for v, r := range p.rank {
		p.rank[v] = start[r] + taken[r]/height[r]
		taken[r]++
	}
}
