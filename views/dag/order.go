package dag

import (
	"math/rand/v2"
	"slices"
)

const (
	sweeps = 24
	// patience is how many sweeps may bring nothing before the search ends.
	patience = 4
	// swapRounds bounds the exchange of neighbours within one column.
	swapRounds = 8
	// A graph of up to startBudget/maxStarts items is tried from maxStarts starts.
	startBudget = 1500
	maxStarts   = 12
)

// order arranges each column for few crossings and returns how many are left.
// The search ends in a local minimum that depends on where it starts, so small
// graphs, where that shows and time is no matter, are tried from several starts.
func (s *layers) order() int {
	c := newSearch(s)
	first := s.arrangement()
	best, fewest := first, c.all(s)
	starts := min(maxStarts, max(1, startBudget/len(s.rank)))
	// A fixed seed: the same definition always gives the same picture.
	random := rand.New(rand.NewPCG(1, 2))
	for start := 0; start < starts && fewest > 0; start++ {
		if start > 0 {
			s.shuffle(first, random)
		}
		if found, n := s.improve(c); n < fewest {
			best, fewest = found, n
		}
	}
	s.arrange(best)
	return fewest
}

// improve looks for fewer crossings from the present arrangement. Sweeps go
// right and left in turn, each column sorted by where its neighbours are (their
// mean, then their median); then neighbours change places while that helps.
func (s *layers) improve(c *search) (best [][]int, fewest int) {
	best, fewest = s.arrangement(), c.all(s)
	idle := 0
	for sweep := 0; sweep < sweeps && fewest > 0 && idle < patience; sweep++ {
		median := sweep%4 >= 2
		if sweep%2 == 0 {
			for i := 1; i < len(s.cols); i++ {
				s.sortColumn(c, i, s.up, median)
			}
		} else {
			for i := len(s.cols) - 2; i >= 0; i-- {
				s.sortColumn(c, i, s.down, median)
			}
		}
		s.swapNeighbours(c)
		if n := c.all(s); n < fewest {
			fewest, idle = n, 0
			best = s.arrangement()
			continue
		}
		idle++
	}
	return best, fewest
}

func (s *layers) shuffle(cols [][]int, random *rand.Rand) {
	s.arrange(cols)
	for _, col := range s.cols {
		random.Shuffle(len(col), func(i, j int) { col[i], col[j] = col[j], col[i] })
	}
	s.arrange(s.cols)
}

// arrange takes a copy of cols as the present arrangement.
func (s *layers) arrange(cols [][]int) {
	for i, col := range cols {
		copy(s.cols[i], col)
		for at, v := range col {
			s.pos[v] = at
		}
	}
}

func (s *layers) arrangement() [][]int {
	cols := make([][]int, len(s.cols))
	for i, col := range s.cols {
		cols[i] = slices.Clone(col)
	}
	return cols
}

// keyed is an item with where its neighbours are.
type keyed struct{ key, item int }

// sortColumn orders column i by the places of its items' neighbours on one
// side. Items without neighbours there keep their place.
func (s *layers) sortColumn(c *search, i int, neighbours [][]int, median bool) {
	col := s.cols[i]
	c.moving = c.moving[:0]
	for _, v := range col {
		if len(neighbours[v]) > 0 {
			c.moving = append(c.moving, keyed{s.centre(c, neighbours[v], median), v})
		}
	}
	slices.SortStableFunc(c.moving, func(a, b keyed) int { return a.key - b.key })
	next := 0
	for at, v := range col {
		if len(neighbours[v]) > 0 {
			v = c.moving[next].item
			next++
		}
		col[at] = v
		s.pos[v] = at
	}
}

// centre is the mean or the median of places, in 1/256 of a place.
func (s *layers) centre(c *search, items []int, median bool) int {
	const scale = 256
	if len(items) == 1 {
		return s.pos[items[0]] * scale
	}
	if median {
		c.places = s.places(c.places[:0], items)
		return (c.places[(len(items)-1)/2] + c.places[len(items)/2]) * scale / 2
	}
	sum := 0
	for _, v := range items {
		sum += s.pos[v]
	}
	return sum * scale / len(items)
}

// places appends the sorted positions of items to dst.
func (s *layers) places(dst, items []int) []int {
	first := len(dst)
	for _, v := range items {
		dst = append(dst, s.pos[v])
	}
	slices.Sort(dst[first:])
	return dst
}

// swapNeighbours lets two items that stand together change places where fewer
// of their own edges cross then.
func (s *layers) swapNeighbours(c *search) {
	for _, col := range s.cols {
		c.places = c.places[:0]
		for _, v := range col {
			first := len(c.places)
			c.places = s.places(c.places, s.up[v])
			middle := len(c.places)
			c.places = s.places(c.places, s.down[v])
			// A slice stays right when places moves to a larger array: what is written is not written again.
			c.up[v], c.down[v] = c.places[first:middle:middle], c.places[middle:len(c.places):len(c.places)]
		}
		for range swapRounds {
			if !s.swapColumn(col, c.up, c.down) {
				break
			}
		}
	}
}

func (s *layers) swapColumn(col []int, up, down [][]int) (swapped bool) {
	for i := 1; i < len(col); i++ {
		v, w := col[i-1], col[i]
		now := crossing(up[v], up[w]) + crossing(down[v], down[w])
		if now == 0 {
			continue
		}
		if then := crossing(up[w], up[v]) + crossing(down[w], down[v]); then < now {
			col[i-1], col[i] = w, v
			s.pos[v], s.pos[w] = i, i-1
			swapped = true
		}
	}
	return swapped
}

// crossing counts the pairs where an upper item's edge ends below a lower
// one's; both slices are sorted.
func crossing(upper, lower []int) int {
	n, j := 0, 0
	for _, u := range upper {
		for j < len(lower) && lower[j] < u {
			j++
		}
		n += j
	}
	return n
}

// search is the working memory of order; its tree counts crossings (Fenwick,
// over the places of a column).
type search struct {
	tree     []int
	heads    []int
	places   []int
	moving   []keyed
	up, down [][]int // sorted places of each item's neighbours
}

func newSearch(s *layers) *search {
	widest := 0
	for _, col := range s.cols {
		widest = max(widest, len(col))
	}
	return &search{tree: make([]int, widest+1), up: make([][]int, len(s.rank)), down: make([][]int, len(s.rank))}
}

func (c *search) all(s *layers) int {
	n := 0
	for i := 0; i+1 < len(s.cols); i++ {
		n += c.between(s, i)
	}
	return n
}

// between counts the crossings of the edges from column i to the next: for
// each edge, the edges that start above it and end below it.
func (c *search) between(s *layers, i int) int {
	size := len(s.cols[i+1])
	clear(c.tree[:size+1])
	n, before := 0, 0
	for _, v := range s.cols[i] {
		c.heads = c.heads[:0]
		for _, w := range s.down[v] {
			c.heads = append(c.heads, s.pos[w])
		}
		for _, head := range c.heads {
			n += before - c.upTo(head+1)
		}
		for _, head := range c.heads {
			for at := head + 1; at <= size; at += at & -at {
				c.tree[at]++
			}
		}
		before += len(c.heads)
	}
	return n
}

// upTo is how many edges so far end in the first n places.
func (c *search) upTo(n int) int {
	sum := 0
	for ; n > 0; n -= n & -n {
		sum += c.tree[n]
	}
	return sum
}
