package dag

import (
	"slices"
	"strconv"
)

// neighbours is how many boxes Next and Prev name: what arrow keys can use.
const neighbours = 8

// drawLines draws the part's edges, dependencies first so that the rarer kinds lie on top.
func (l *Layout) drawLines(g *graph, f *frame) {
	labels := make(map[int]int) // labels that end at a box so far
	at := make([]int, len(f.part.links))
	for i, n := range f.lanes {
		at[n.link] = i
	}
	first := len(l.Lines)
	for i, k := range f.part.links {
		line := Line{From: f.part.boxes[k.from], To: f.part.boxes[k.to], Kind: k.kind, Back: k.back}
		line.Label = clip(k.label, detailSize, labelWidth)
		if k.back {
			f.drawBack(&line, k, f.lanes[at[i]])
		} else {
			f.drawForward(&line, k, f.route[i])
			if line.Label != "" {
				line.LabelX, line.LabelEnd = f.x[f.rank[k.to]]-12, true
				line.LabelY = f.y[k.to] - 6 - 12*labels[k.to]
				labels[k.to]++
			}
		}
		l.Lines = append(l.Lines, line)
		connect(g.boxes, line.From, line.To)
	}
	slices.SortStableFunc(l.Lines[first:], func(a, b Line) int { return weight(a) - weight(b) })
}

func weight(l Line) int {
	switch {
	case l.Back:
		return 2
	case l.Kind != Dependency:
		return 1
	default:
		return 0
	}
}

func connect(boxes []Box, from, to int) {
	if len(boxes[from].Next) < neighbours {
		boxes[from].Next = append(boxes[from].Next, to)
	}
	if len(boxes[to].Prev) < neighbours {
		boxes[to].Prev = append(boxes[to].Prev, from)
	}
}

// drawForward bends in each gap and passes each column at its waypoint.
func (f *frame) drawForward(line *Line, k link, route []int) {
	c := f.rank[k.from]
	p := newPath(f.x[c]+f.w[c], f.y[k.from])
	for _, v := range route {
		c = f.rank[v]
		p.bend(f.x[c], f.y[v])
		p.across(f.x[c] + f.w[c])
	}
	p.bend(f.x[f.rank[k.to]], f.y[k.to])
	line.D = p.arrow()
}

// drawBack goes round the boxes on the edge's lane.
func (f *frame) drawBack(line *Line, k link, n lane) {
	port := portOffset
	if n.above {
		port = -portOffset
	}
	from, to := f.rank[k.from], f.rank[k.to]
	right := f.x[from] + f.w[from]
	turnOut := right + 8 + n.out%backTurns*backSpace
	turnIn := f.x[to] - 14 - n.in%backTurns*backSpace
	p := newPath(right, f.y[k.from]+port)
	p.corner(turnOut, f.y[k.from]+port, turnOut, n.y)
	p.corner(turnOut, n.y, turnIn, n.y)
	p.corner(turnIn, n.y, turnIn, f.y[k.to]+port)
	p.corner(turnIn, f.y[k.to]+port, f.x[to], f.y[k.to]+port)
	p.across(f.x[to])
	line.D = p.arrow()
	line.LabelX, line.LabelY = (turnOut+turnIn)/2, n.y-4
}

// sortLanes puts short back edges first, ties in the order of the definition.
func (f *frame) sortLanes() {
	slices.SortStableFunc(f.lanes, func(a, b lane) int {
		a1, a2 := f.columnsOf(f.part.links[a.link])
		b1, b2 := f.columnsOf(f.part.links[b.link])
		return (a2 - a1) - (b2 - b1)
	})
}

// path writes SVG path data.
type path struct {
	d    []byte
	x, y int
}

func newPath(x, y int) *path {
	p := &path{d: make([]byte, 0, 96), x: x, y: y}
	p.op('M', x, y)
	return p
}

func (p *path) op(command byte, numbers ...int) {
	p.d = append(p.d, command)
	for i, n := range numbers {
		if i > 0 {
			p.d = append(p.d, ' ')
		}
		p.d = strconv.AppendInt(p.d, int64(n), 10)
	}
}

// across goes straight to x.
func (p *path) across(x int) {
	if x != p.x {
		p.op('H', x)
		p.x = x
	}
}

// bend goes to a point, level at both ends.
func (p *path) bend(x, y int) {
	if y == p.y {
		p.across(x)
		return
	}
	middle := (p.x + x) / 2
	p.op('C', middle, p.y, middle, y, x, y)
	p.x, p.y = x, y
}

// corner goes towards (x, y) and turns there, rounded, towards (nextX, nextY).
func (p *path) corner(x, y, nextX, nextY int) {
	radius := min(6, (abs(x-p.x)+abs(y-p.y))/2, (abs(nextX-x)+abs(nextY-y))/2)
	p.op('L', x-radius*sign(x-p.x), y-radius*sign(y-p.y))
	p.x, p.y = x+radius*sign(nextX-x), y+radius*sign(nextY-y)
	p.op('Q', x, y, p.x, p.y)
}

// arrow ends the path with a head that points right, each side a stroke of its
// own: a dash pattern starts again with it, so the head is whole on dashed lines.
func (p *path) arrow() string {
	for _, side := range [...]int{-4, 4} {
		p.op('M', p.x, p.y)
		p.d = append(p.d, 'l')
		p.d = strconv.AppendInt(p.d, -5, 10)
		p.d = append(p.d, ' ')
		p.d = strconv.AppendInt(p.d, int64(side), 10)
	}
	return string(p.d)
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	default:
		return 0
	}
}
