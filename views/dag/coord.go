package dag

// Vertical sizes in pixels.
const (
	boxHeight   = 34
	boxSpace    = 14 // between two boxes
	wayBoxSpace = 13 // between a waypoint and a box
	waySpace    = 10 // between two waypoints
)

const (
	// settleRounds is enough for places to come to rest.
	settleRounds = 12
	// unit is a pixel: places are whole sixteenths, the same on every machine.
	unit = 16
	// jog is the step in pixels up to which an edge is made straight.
	jog = 12
	// longJog is the same within a long edge.
	longJog = 48
)

// apart is the least distance between the centres of two items that stand together.
func (s *layers) apart(v, w int) int {
	switch a, b := s.waypoint(v), s.waypoint(w); {
	case a && b:
		return waySpace
	case a || b:
		return wayBoxSpace + boxHeight/2
	default:
		return boxSpace + boxHeight
	}
}

// place chooses y. Starting from columns packed tight, each column in turn
// takes the places that are best for the edges to its neighbours: those with
// the least sum of squared steps that keep the order and the distances. Then
// edges with a small step in them are made straight.
func (s *layers) place() {
	for _, col := range s.cols {
		s.stack(col)
	}
	if s.part.grid {
		return
	}
	for v := range s.y {
		s.y[v] *= unit
	}
	f := newFit(s)
	last := len(s.cols) - 1
	for range settleRounds {
		for i := range s.cols {
			f.column(s, i)
		}
		for i := range s.cols {
			f.column(s, last-i)
		}
	}
	for v := range s.y {
		s.y[v] = floorDiv(s.y[v], unit)
	}
	s.spread()
	s.straighten()
}

// stack packs a column tight, its middle at 0; a grid begins at 0.
func (s *layers) stack(col []int) {
	y := 0
	for i, v := range col {
		if i > 0 {
			y += s.apart(col[i-1], v)
		}
		s.y[v] = y
	}
	if !s.part.grid {
		for _, v := range col {
			s.y[v] -= y / 2
		}
	}
}

// fit finds the best places of one column: isotonic regression, by pooling
// items that want to be closer than they may.
type fit struct {
	blocks []block
}

// block is a run of items that stand as close as they may.
type block struct {
	first  int // index in the column of its first item
	sum    int // of weight times wanted place of the first item of the column
	weight int
}

func newFit(s *layers) *fit {
	widest := 0
	for _, col := range s.cols {
		widest = max(widest, len(col))
	}
	return &fit{blocks: make([]block, 0, widest)}
}

func (f *fit) column(s *layers, i int) {
	f.blocks = f.blocks[:0]
	col := s.cols[i]
	offset := 0
	for at, v := range col {
		if at > 0 {
			offset += s.apart(col[at-1], v) * unit
		}
		sum, weight := s.wanted(v)
		b := block{first: at, sum: sum - offset*weight, weight: weight}
		for n := len(f.blocks); n > 0 && f.blocks[n-1].sum*b.weight >= b.sum*f.blocks[n-1].weight; n-- {
			before := f.blocks[n-1]
			b = block{first: before.first, sum: before.sum + b.sum, weight: before.weight + b.weight}
			f.blocks = f.blocks[:n-1]
		}
		f.blocks = append(f.blocks, b)
	}
	offset = 0
	for n, b := range f.blocks {
		end := len(col)
		if n+1 < len(f.blocks) {
			end = f.blocks[n+1].first
		}
		start := floorDiv(b.sum, b.weight)
		for at := b.first; at < end; at++ {
			if at > 0 {
				offset += s.apart(col[at-1], col[at]) * unit
			}
			s.y[col[at]] = start + offset
		}
	}
}

// wanted is where v's neighbours want it: the weighted sum of their places, and
// the weights' sum.
func (s *layers) wanted(v int) (sum, weight int) {
	for _, u := range s.up[v] {
		w := s.pull(u, v)
		sum, weight = sum+w*s.y[u], weight+w
	}
	for _, u := range s.down[v] {
		w := s.pull(v, u)
		sum, weight = sum+w*s.y[u], weight+w
	}
	if weight == 0 { // nothing pulls: it stays, and gives way to all that is pulled
		return s.y[v], 1
	}
	return sum, weight
}

// pull is how much the edge from u to v wants to be level. Long edges want it
// most; the edges that join or leave one at a waypoint share their pull, or a
// trunk with many would be dragged along by them.
func (s *layers) pull(u, v int) int {
	const (
		short = 16
		ends  = 32
		inner = 128
	)
	switch a, b := s.waypoint(u), s.waypoint(v); {
	case a && b:
		return inner
	case a:
		return max(1, ends/len(s.down[u]))
	case b:
		return max(1, ends/len(s.up[v]))
	default:
		return short
	}
}

// spread restores the distances that rounding may have taken a pixel from.
func (s *layers) spread() {
	for _, col := range s.cols {
		for i := 1; i < len(col); i++ {
			s.y[col[i]] = max(s.y[col[i]], s.y[col[i-1]]+s.apart(col[i-1], col[i]))
		}
	}
}

// straighten puts runs of items that are each other's middle neighbour on one
// line, as far as the items above and below leave room.
func (s *layers) straighten() {
	before := make([]int, len(s.rank)) // the item a run comes from, or -1
	for v := range before {
		before[v] = -1
		if u := s.middle(v, s.up[v]); u >= 0 && s.middle(u, s.down[u]) == v && s.nearlyLevel(u, v) {
			before[v] = u
		}
	}
	after := make([]int, len(s.rank))
	for v := range after {
		after[v] = -1
	}
	for v, u := range before {
		if u >= 0 {
			after[u] = v
		}
	}
	var run []int
	for v := range before {
		if before[v] >= 0 || after[v] < 0 {
			continue
		}
		run = run[:0]
		for w := v; w >= 0; w = after[w] {
			run = append(run, w)
		}
		s.level(run)
	}
}

func (s *layers) nearlyLevel(u, v int) bool {
	step := abs(s.y[u] - s.y[v])
	return step <= jog || (step <= longJog && s.waypoint(u) && s.waypoint(v))
}

// middle is the one of near that v should be level with: the next waypoint of
// a long edge, else the middle one by place, of two the closer; -1 for none.
func (s *layers) middle(v int, near []int) int {
	if len(near) == 0 {
		return -1
	}
	if s.waypoint(v) {
		for _, u := range near {
			if s.waypoint(u) {
				return u
			}
		}
	}
	places := s.places(nil, near)
	col := s.cols[s.rank[near[0]]]
	upper, lower := col[places[(len(places)-1)/2]], col[places[len(places)/2]]
	if abs(s.y[lower]-s.y[v]) < abs(s.y[upper]-s.y[v]) {
		return lower
	}
	return upper
}

// level puts a run on one line, or on several one after the other where there
// is no room for one.
func (s *layers) level(run []int) {
	for len(run) > 0 {
		low, high := s.room(run[0])
		sum, n := s.y[run[0]], 1
		for n < len(run) {
			a, b := s.room(run[n])
			if max(low, a) > min(high, b) {
				break
			}
			low, high = max(low, a), min(high, b)
			sum += s.y[run[n]]
			n++
		}
		y := min(max(floorDiv(sum, n), low), high)
		for _, v := range run[:n] {
			s.y[v] = y
		}
		run = run[n:]
	}
}

// room is how far up and down v may move with all others in place.
func (s *layers) room(v int) (low, high int) {
	const far = 1 << 40
	low, high = -far, far
	col, at := s.cols[s.rank[v]], s.pos[v]
	if at > 0 {
		low = s.y[col[at-1]] + s.apart(col[at-1], v)
	}
	if at+1 < len(col) {
		high = s.y[col[at+1]] - s.apart(v, col[at+1])
	}
	return low, high
}

// floorDiv rounds down for negative numbers too.
func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
