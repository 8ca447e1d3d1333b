package dag

// Horizontal sizes in pixels.
const (
	margin      = 14
	partSpace   = 30 // between unconnected parts
	narrowBox   = 92
	wideBox     = 208
	iconWidth   = 32 // state icon with its space
	boxPadding  = 12
	narrowGap   = 44 // between two columns
	wideGap     = 104
	steepness   = 12 // pixels of height that widen a gap by one
	labelWidth  = 130
	labelIndent = 34 // of a gap that a label does not use
	portOffset  = 9  // of a back edge's port from the middle of the box
	backSpace   = 7  // between back edges that turn in one gap
	backTurns   = 6  // how many turn side by side before they overlap
)

// frame is where the columns of one part stand.
type frame struct {
	*layers
	x, w   []int // of each column
	gap    []int // left of each column, and right of the last
	top    []int // of each column: upper end of what it holds, lanes of back edges included
	bottom []int
	turns  []int // back edges that turn in each gap
	lanes  []lane
}

// lane is the way of a back edge: out to the right, past all boxes between its
// ends, above or below them, and in from the left.
type lane struct {
	link  int // index in part.links
	y     int
	above bool
	out   int // which turn in the gap right of the source
	in    int // which turn in the gap left of the target
}

// draw turns the parts' places into the Layout's coordinates: one part below
// the other, all from the left.
func (l *Layout) draw(g *graph, parts []*layers) {
	y := margin
	for _, s := range parts {
		f := l.frame(s)
		f.layLanes()
		f.measureGaps()
		top, bottom := f.extent()
		f.shift(y - top)
		y += bottom - top + partSpace

		x := margin
		for c := range f.x {
			x += f.gap[c]
			f.x[c] = x
			x += f.w[c]
		}
		l.Width = max(l.Width, x+f.gap[len(f.x)]+margin)
		l.set(f)
		l.drawLines(g, f)
	}
	if len(parts) > 0 {
		l.Height = y - partSpace + margin
	}
}

func (l *Layout) frame(s *layers) *frame {
	n := len(s.cols)
	f := &frame{
		layers: s, x: make([]int, n), w: make([]int, n), gap: make([]int, n+1),
		top: make([]int, n), bottom: make([]int, n), turns: make([]int, n+1),
	}
	for c, col := range s.cols {
		f.w[c] = narrowBox
		for i, v := range col {
			top, bottom := s.y[v], s.y[v]
			if !s.waypoint(v) {
				top, bottom = top-boxHeight/2, bottom+boxHeight/2
				f.w[c] = max(f.w[c], min(wideBox, l.boxWidth(s.part.boxes[v])))
			}
			if i == 0 {
				f.top[c], f.bottom[c] = top, bottom
			}
			f.top[c], f.bottom[c] = min(f.top[c], top), max(f.bottom[c], bottom)
		}
	}
	return f
}

// boxWidth is what a box's text needs.
func (l *Layout) boxWidth(b int) int {
	box := &l.Boxes[b]
	width := textWidth(clip(box.Label, labelSize, wideBox), labelSize)
	if len(box.Steps) > 1 {
		width = max(width, foldedTextWidth)
	} else {
		width = max(width, textWidth(clip(l.Steps[box.Steps[0]].Detail, detailSize, wideBox), detailSize))
	}
	return width + iconWidth + boxPadding
}

// foldedTextWidth is room for "×1280 · 1280 failed", whatever happens later.
const foldedTextWidth = 112

// layLanes gives each back edge a lane, short ones nearest to the boxes.
func (f *frame) layLanes() {
	for i, k := range f.part.links {
		if k.back {
			f.lanes = append(f.lanes, lane{link: i})
		}
	}
	f.sortLanes()
	for i := range f.lanes {
		n := &f.lanes[i]
		k := f.part.links[n.link]
		first, last := f.columnsOf(k)
		top, bottom := f.top[first], f.bottom[first]
		for c := first; c <= last; c++ {
			top, bottom = min(top, f.top[c]), max(bottom, f.bottom[c])
		}
		space := 11
		if k.label != "" {
			space = 19
		}
		from, to := f.y[k.from], f.y[k.to]
		n.above = from-top+to-top < bottom-from+bottom-to
		n.y = bottom + space
		if n.above {
			n.y = top - space + 5
			if k.label == "" {
				n.y = top - space
			}
		}
		for c := first; c <= last; c++ {
			if n.above {
				f.top[c] = top - space
			} else {
				f.bottom[c] = bottom + space
			}
		}
		out, in := f.rank[k.from]+1, f.rank[k.to]
		n.out, n.in = f.turns[out], f.turns[in]
		f.turns[out]++
		f.turns[in]++
	}
}

func (f *frame) columnsOf(k link) (first, last int) {
	a, b := f.rank[k.from], f.rank[k.to]
	return min(a, b), max(a, b)
}

// measureGaps makes room between columns for steep edges, labels and turns.
func (f *frame) measureGaps() {
	last := len(f.gap) - 1
	for c := 1; c < last; c++ {
		f.gap[c] = narrowGap
	}
	for c, col := range f.cols {
		for _, v := range col {
			for _, w := range f.down[v] {
				steep := narrowGap + abs(f.y[v]-f.y[w])/steepness
				f.gap[c+1] = max(f.gap[c+1], min(wideGap, steep))
			}
		}
	}
	for _, k := range f.part.links {
		if c := f.rank[k.to]; k.label != "" && !k.back && c > 0 {
			f.gap[c] = max(f.gap[c], labelIndent+textWidth(clip(k.label, detailSize, labelWidth), detailSize))
		}
	}
	for c := range f.gap {
		if n := f.turns[c]; n > 0 {
			f.gap[c] += min(n, backTurns) * backSpace
			if c == 0 || c == last {
				f.gap[c] += 8
			}
		}
	}
}

// extent is the upper and lower end of the part.
func (f *frame) extent() (top, bottom int) {
	top, bottom = f.top[0], f.bottom[0]
	for c := range f.top {
		top, bottom = min(top, f.top[c]), max(bottom, f.bottom[c])
	}
	return top, bottom
}

func (f *frame) shift(by int) {
	for v := range f.y {
		f.y[v] += by
	}
	for i := range f.lanes {
		f.lanes[i].y += by
	}
}

// set places the part's boxes. All boxes of a column are equally wide, so an
// edge that passes the column straight and bends only in the gaps meets none.
func (l *Layout) set(f *frame) {
	for v, b := range f.part.boxes {
		box := &l.Boxes[b]
		c := f.rank[v]
		box.X, box.Y, box.W = f.x[c], f.y[v]-boxHeight/2, f.w[c]
		box.Label = clip(box.Label, labelSize, box.W-iconWidth-boxPadding)
	}
}

func abs(n int) int { return max(n, -n) }
