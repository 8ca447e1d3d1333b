package dag

import "slices"

// layers is a part in columns. Its items are the part's boxes, then waypoints:
// the places where a long edge passes a column.
type layers struct {
	part  *part
	rank  []int
	up    [][]int // neighbours in the column before
	down  [][]int // neighbours in the column after
	cols  [][]int // items of each column, top first
	pos   []int   // index of an item in its column
	route [][]int // waypoints of each of part.links, from left to right
	y     []int   // centre of each item
}

func (s *layers) waypoint(v int) bool { return v >= len(s.part.boxes) }

// trunks shares waypoints. Edges that leave one box for far columns run
// together until they part; edges that come from far to one box join before it.
// Only plain dependencies share: a dashed or labelled edge keeps its own way.
type trunks struct {
	out, in []int // how many long plain edges leave, enter each box
}

func plain(k link) bool { return k.kind == Dependency && k.label == "" }

func (p *part) span(k link) int { return p.rank[k.to] - p.rank[k.from] }

func (p *part) trunks() trunks {
	t := trunks{out: make([]int, len(p.boxes)), in: make([]int, len(p.boxes))}
	for _, k := range p.links {
		if !k.back && p.span(k) > 1 && plain(k) {
			t.out[k.from]++
			t.in[k.to]++
		}
	}
	return t
}

// bySource reports whether k runs along the trunk of the box it leaves.
func (t trunks) bySource(k link) bool { return t.out[k.from] >= t.in[k.to] }

// waypoints counts what layers will make, without making it.
func (p *part) waypoints() int {
	t := p.trunks()
	left, right := make([]int, len(p.boxes)), make([]int, len(p.boxes))
	own := 0
	for _, k := range p.links {
		length := p.span(k) - 1
		switch {
		case k.back || length < 1:
		case !plain(k):
			own += length
		case t.bySource(k):
			left[k.from] = max(left[k.from], length)
		default:
			right[k.to] = max(right[k.to], length)
		}
	}
	for v := range left {
		own += left[v] + right[v]
	}
	return own
}

// layers gives each long edge its waypoints and each item its neighbours.
func (p *part) layers() *layers {
	n := len(p.boxes)
	s := &layers{
		part: p, rank: slices.Clone(p.rank),
		up: make([][]int, n), down: make([][]int, n), route: make([][]int, len(p.links)),
	}
	t := p.trunks()
	leaving, entering := make([][]int, n), make([][]int, n) // waypoints, nearest to the box first
	for i, k := range p.links {
		length := p.span(k) - 1
		switch {
		case k.back:
		case length < 1:
			s.join(k.from, k.to)
		case !plain(k):
			s.route[i] = s.chain(nil, k.from, length)
			s.join(s.route[i][length-1], k.to)
		case t.bySource(k):
			leaving[k.from] = s.chain(leaving[k.from], k.from, length)
			s.route[i] = leaving[k.from][:length]
			s.join(leaving[k.from][length-1], k.to)
		default:
			s.route[i] = s.enter(entering, k, length)
		}
	}
	s.columns()
	return s
}

// chain makes trunk, which leaves box v to the right, at least length long.
func (s *layers) chain(trunk []int, v, length int) []int {
	for len(trunk) < length {
		before := v
		if len(trunk) > 0 {
			before = trunk[len(trunk)-1]
		}
		d := s.add(s.rank[before] + 1)
		s.join(before, d)
		trunk = append(trunk, d)
	}
	return trunk
}

// enter leads k along the trunk that enters its target and returns its waypoints.
func (s *layers) enter(entering [][]int, k link, length int) []int {
	trunk := entering[k.to]
	for len(trunk) < length {
		after := k.to
		if len(trunk) > 0 {
			after = trunk[len(trunk)-1]
		}
		d := s.add(s.rank[after] - 1)
		s.join(d, after)
		trunk = append(trunk, d)
	}
	entering[k.to] = trunk
	s.join(k.from, trunk[length-1])
	route := make([]int, length)
	for i := range route {
		route[i] = trunk[length-1-i]
	}
	return route
}

func (s *layers) add(rank int) int {
	s.rank = append(s.rank, rank)
	s.up = append(s.up, nil)
	s.down = append(s.down, nil)
	return len(s.rank) - 1
}

func (s *layers) join(u, v int) {
	s.down[u] = append(s.down[u], v)
	s.up[v] = append(s.up[v], u)
}

// columns fills the columns depth first, from the leftmost box of the
// definition on: what belongs together starts together.
func (s *layers) columns() {
	last := 0
	for _, r := range s.rank {
		last = max(last, r)
	}
	s.cols = make([][]int, last+1)
	s.pos = make([]int, len(s.rank))
	s.y = make([]int, len(s.rank))
	seen := make([]bool, len(s.rank))
	var stack []int
	for v := range s.rank {
		if seen[v] || len(s.up[v]) > 0 {
			continue
		}
		stack = append(stack[:0], v)
		for len(stack) > 0 {
			u := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if seen[u] {
				continue
			}
			seen[u] = true
			s.pos[u] = len(s.cols[s.rank[u]])
			s.cols[s.rank[u]] = append(s.cols[s.rank[u]], u)
			for _, w := range slices.Backward(s.down[u]) {
				if !seen[w] {
					stack = append(stack, w)
				}
			}
		}
	}
}
