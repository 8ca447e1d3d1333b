package timeline

import (
	"cmp"
	"slices"
)

const (
	slotWidth = 9_000  // of a step that is still to come
	mostSlots = 30_000 // for all of them
)

// Layout is a run laid out for one Query. Every X and Width is a thousandth of
// a percent of the track, and X+Width is at most Full.
type Layout struct {
	Rows   []Row
	Ticks  []Tick
	Breaks []Break
	Scale  Scale
	Window Window // what is shown
	All    Window // what there is to show
	Now    int    // where now is; -1: not in this view, or the run has ended
	Kinds  []Mark // for the legend: work, and what else occurs in the bars
}

// Row is one lane.
type Row struct {
	*Lane

	Bars     []Bar  // by start
	Critical bool   // on the chain that took longest
	Ran      bool   // something of it has a place on the axis
	Extent   Window // from its first place to its last, when it has any
	Before   bool   // it has bars, all before the window
	After    bool   // it has bars, all after the window
	Children []Row
	Ended    int // of Children
	Failed   int // of Children
}

// Mark says how a bar is drawn: the kinds of spans, and what is none of them.
type Mark string

// The marks that are no Kind.
const (
	ToCome  Mark = "to-come" // not run; its place is a guess
	Unknown Mark = "unknown" // its width is not recorded
	Sum     Mark = "sum"     // all that lies beneath the lane
)

// Bar is one stretch in a row.
type Bar struct {
	X, Width int
	Mark     Mark
	State    string // a derived state
	Attempt  int
	Open     bool // it goes on
	Begins   bool // its start is in the window
	Ends     bool // its end is in the window
	Length   int64
	Coarse   bool
}

// Lay lays r out for q. A window that is not one shows the whole run.
func Lay(r Run, q Query) Layout {
	c := newClock(r)
	timed := byTime(r.Lanes, c)
	l := layer{Layout: Layout{Scale: ByTime, Now: -1, All: Window{0, c.end}}, marks: map[Mark]bool{}}
	placed := timed
	if q.Scale == ByTokens {
		l.Scale = ByTokens
		placed, l.All.To = byTokens(r.Lanes, c, 0)
		l.All.To = max(l.All.To, 1)
	}
	l.Window = q.Window
	if q.Window.whole() {
		l.Window = l.All
	} else if l.Window.From < l.All.To {
		l.Window.To = min(l.Window.To, l.All.To) // what is not yet is not idle
	}
	places := 0
	if l.Window.To >= l.All.To {
		places = l.slots(r.Lanes)
	}
	room := min(places*slotWidth, mostSlots)
	var busy []Window
	if l.Scale == ByTime {
		busy = occupied(placed, nil)
	} else {
		busy = []Window{l.All} // no tokens, no width: nothing is idle
	}
	l.axis = newAxis(l.Window, busy, Full-room)
	l.slot = func(rank int) (x, width int) {
		from := Full - room + rank*room/places
		return from, Full - room + (rank+1)*room/places - from
	}
	l.toCome = room > 0
	l.Rows = l.rows(r.Lanes, placed)
	for i, marked := range critical(r.Lanes, timed) {
		l.Rows[i].Critical = marked
	}
	l.label(r.Lanes, c)
	return l.Layout
}

// layer is a Layout in the making.
type layer struct {
	Layout

	axis   axis
	toCome bool
	slot   func(rank int) (x, width int)
	marks  map[Mark]bool
}

// slots is how many places lanes that are still to come need, children included.
func (l *layer) slots(lanes []Lane) int {
	_, places := ranks(lanes, func(i int) bool { return lanes[i].toCome() })
	for i := range lanes {
		places = max(places, l.slots(lanes[i].Children))
	}
	return places
}

// toCome reports whether a lane has not run and was not passed over.
func (l *Lane) toCome() bool {
	if len(l.Attempts) > 0 || len(l.Children) > 0 {
		return false
	}
	switch knownState(l.State) {
	case "pending", "queued", "cancelled":
		return true
	default:
		return l.Blocked != ""
	}
}

// occupied adds to busy when anything happened. A time in whole seconds may be
// any time of its second.
func occupied(placed []laneSegments, busy []Window) []Window {
	for _, p := range placed {
		for _, s := range p.own {
			to := s.to
			if s.Approximate && !s.open {
				to += 1000
			}
			busy = append(busy, Window{s.from, to})
		}
		busy = occupied(p.children, busy)
	}
	return busy
}

func (l *layer) rows(lanes []Lane, placed []laneSegments) []Row {
	rows := make([]Row, len(lanes))
	rank, _ := ranks(lanes, func(i int) bool { return lanes[i].toCome() })
	for i := range lanes {
		row := Row{Lane: &lanes[i]}
		if row.Extent, row.Ran = placed[i].extent(); row.Ran {
			l.bars(&row, placed[i].own)
		} else if l.toCome && lanes[i].toCome() {
			x, width := l.slot(rank[i])
			row.Bars = []Bar{{X: x, Width: width, Mark: ToCome, State: knownState(lanes[i].State), Begins: true, Ends: true}}
			l.marks[ToCome] = true
		}
		children := placed[i].children
		if children == nil {
			children = make([]laneSegments, len(lanes[i].Children))
		}
		if len(children) > 0 {
			row.Children = l.rows(lanes[i].Children, children)
		}
		for k := range row.Children {
			if ended(row.Children[k].State) {
				row.Ended++
			}
			if wentWrong(row.Children[k].State) {
				row.Failed++
			}
		}
		rows[i] = row
	}
	return rows
}

// bars draws what of a lane lies in the window.
func (l *layer) bars(row *Row, own []segment) {
	row.Before, row.After = row.Extent.To < l.Window.From, row.Extent.From > l.Window.To
	for _, s := range own {
		if s.to < l.Window.From || s.from > l.Window.To || s.idle() {
			continue
		}
		b := Bar{
			Mark: Mark(s.Kind.known()), State: knownState(cmp.Or(s.State, row.State)), Attempt: s.Attempt, Open: s.open,
			Begins: s.from >= l.Window.From, Ends: s.to <= l.Window.To, Length: s.to - s.from, Coarse: s.Approximate,
		}
		switch {
		case s.unknown:
			b.Mark = Unknown
		case s.sum:
			b.Mark = Sum
		}
		b.X = l.axis.x(s.from)
		b.Width = l.axis.x(s.to) - b.X
		l.marks[b.Mark] = true
		row.Bars = append(row.Bars, b)
	}
}

// label adds what stands along the axis.
func (l *layer) label(lanes []Lane, c clock) {
	if l.Scale == ByTokens {
		l.Ticks = l.axis.ticks(tokenStep, 1, roundCount)
	} else {
		finest := int64(1000)
		walk(lanes, func(s Span) {
			if !s.Approximate {
				finest = 1
			}
		})
		l.Ticks = l.axis.ticks(timeStep, finest, exact)
		l.Breaks = l.axis.breaks(func(ms int64) string { return length(ms, false) })
		if c.running && l.Window.From <= c.end && c.end <= l.Window.To {
			l.Now = l.axis.x(c.end)
			l.clear(l.Now)
		}
	}
	for _, m := range [...]Mark{Mark(Work), Mark(Contract), Mark(Wait), Mark(Queued), Mark(Backoff), Sum, Unknown, ToCome} {
		if l.marks[m] || m == Mark(Work) { // which comes sooner or later: what stands beside it then need not move
			l.Kinds = append(l.Kinds, m)
		}
	}
	slices.SortStableFunc(l.Ticks, func(a, b Tick) int { return cmp.Compare(a.X, b.X) })
}

// clear makes room for the label of now among the ticks.
func (l *layer) clear(x int) {
	for i, t := range l.Ticks {
		if near([]int{x}, t.X, tickGap*2/3) {
			l.Ticks[i].Label = ""
		}
		l.Ticks[i].Roomy = t.Roomy || near([]int{x}, t.X, wideGap*2/3)
	}
}
