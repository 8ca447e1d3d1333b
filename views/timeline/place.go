package timeline

import (
	"cmp"
	"slices"
	"time"
)

// segment is a span on the axis, in milliseconds since the start or in tokens.
type segment struct {
	Span

	from, to int64
	open     bool // it goes on
	unknown  bool // how wide it should be is not recorded
	sum      bool // it stands for all that lies beneath the lane
}

// idle reports whether a pause did not come about.
func (s segment) idle() bool {
	k := s.Kind.known()
	return s.from == s.to && !s.open && (k == Queued || k == Backoff)
}

// laneSegments holds the segments of a lane, and below it those of its children.
type laneSegments struct {
	own      []segment
	children []laneSegments
}

// extent is where the lane's own segments begin and end; none when it has none.
func (l laneSegments) extent() (w Window, ok bool) {
	for i, s := range l.own {
		if i == 0 {
			w = Window{s.from, s.to}
		}
		w = Window{min(w.From, s.from), max(w.To, s.to)}
	}
	return w, len(l.own) > 0
}

// clock turns moments into milliseconds since the start of a run.
type clock struct {
	start   time.Time
	end     int64 // of the axis
	open    int64 // where a span ends that has no end
	running bool
}

// newClock reads when r began and ended. Both may be missing or wrong.
func newClock(r Run) clock {
	first, last, coarse := r.Start, r.End, false
	walk(r.Lanes, func(s Span) {
		if !s.From.IsZero() && (first.IsZero() || r.Start.IsZero() && s.From.Before(first)) {
			first = s.From
		}
		for _, t := range [...]time.Time{s.From, s.To} {
			if t.After(last) {
				last = t
			}
		}
		coarse = coarse || s.Approximate
	})
	now := r.Now
	if now.IsZero() {
		now = last
	}
	if first.IsZero() {
		first = now // nothing says when it began
	}
	c := clock{start: first, end: limit, running: r.End.IsZero()}
	c.open = c.at(now)
	if !c.running {
		c.open = min(c.open, c.at(r.End))
		now = earliest(now, last)
	}
	c.end = max(c.at(now), 1)
	if coarse {
		c.end = max(c.end, 1000) // whole seconds say nothing of a shorter axis
	}
	return c
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// at is t on the axis, no further than its ends.
func (c clock) at(t time.Time) int64 {
	return min(max(t.Sub(c.start).Milliseconds(), 0), c.end)
}

func walk(lanes []Lane, visit func(Span)) {
	for i := range lanes {
		for _, s := range lanes[i].Attempts {
			visit(s)
		}
		walk(lanes[i].Children, visit)
	}
}

// byTime places every span whose start is known. One that ends before it
// starts has no width.
func byTime(lanes []Lane, c clock) []laneSegments {
	placed := make([]laneSegments, len(lanes))
	for i, lane := range lanes {
		for _, span := range lane.Attempts {
			if span.From.IsZero() {
				continue
			}
			s := segment{Span: span, from: c.at(span.From)}
			if span.To.IsZero() {
				s.to, s.open = max(c.open, s.from), c.running
			} else {
				s.to = max(c.at(span.To), s.from)
			}
			placed[i].own = append(placed[i].own, s)
		}
		slices.SortStableFunc(placed[i].own, func(a, b segment) int { return cmp.Compare(a.from, b.from) })
		placed[i].children = byTime(lane.Children, c)
	}
	return placed
}

// paid is what byTokens lays end to end: a span, or all that lies beneath a lane.
type paid struct {
	lane  int
	span  Span
	tree  bool
	start int64 // limit when it is not recorded
}

// byTokens places what used tokens end to end, in order of start; a lane with
// children takes them all with it. It returns where the last one ends.
//
// A stretch of work whose tokens are not recorded has a place and no width.
// When only the whole of a lane is recorded, the lane is one segment.
func byTokens(lanes []Lane, c clock, from int64) ([]laneSegments, int64) {
	var items []paid
	for i := range lanes {
		items = append(items, paidBy(i, lanes[i], c)...)
	}
	slices.SortStableFunc(items, func(a, b paid) int { return cmp.Compare(a.start, b.start) })
	placed := make([]laneSegments, len(lanes))
	for _, it := range items {
		p := &placed[it.lane]
		s := segment{Span: it.span, from: from}
		switch {
		case it.tree:
			p.children, s.to = byTokens(lanes[it.lane].Children, c, from)
			s.sum, s.State = true, lanes[it.lane].State
		case it.span.Tokens == nil:
			s.to, s.unknown = from, true
		default:
			s.to = min(from+min(max(*it.span.Tokens, 0), limit), limit)
		}
		from = s.to
		if it.tree && s.to == s.from {
			if len(p.own) > 0 || len(lanes[it.lane].Attempts) == 0 {
				continue
			}
			s.sum, s.unknown = false, true
		}
		p.own = append(p.own, s)
	}
	return placed, from
}

// paidBy is what the i-th lane brings. What a lane with children used itself
// comes right before them, so that all of it lies together.
func paidBy(i int, lane Lane, c clock) []paid {
	start := func(s Span) int64 {
		if s.From.IsZero() {
			return limit
		}
		return c.at(s.From)
	}
	var items []paid
	first := limit
	for _, s := range counted(lane) {
		items = append(items, paid{lane: i, span: s, start: start(s)})
		first = min(first, start(s))
	}
	if len(lane.Children) == 0 {
		return items
	}
	walk(lane.Children, func(s Span) { first = min(first, start(s)) })
	for k := range items {
		items[k].start = first
	}
	return append(items, paid{lane: i, tree: true, start: first})
}

// counted is the spans of a lane to which its tokens belong.
func counted(lane Lane) []Span {
	if lane.Whole && slices.ContainsFunc(lane.Children, func(child Lane) bool { return child.Tokens != nil }) {
		return nil
	}
	var work []Span
	recorded := false
	for _, s := range lane.Attempts {
		if s.Kind.known() == Work || s.Tokens != nil {
			work = append(work, s)
			recorded = recorded || s.Tokens != nil
		}
	}
	switch {
	case recorded:
		return work
	case lane.Tokens != nil:
		whole := Span{Kind: Work, Tokens: lane.Tokens}
		if len(work) > 0 {
			whole.From = work[0].From
		}
		return []Span{whole}
	case len(lane.Children) > 0:
		return nil // its children tell
	default:
		return work
	}
}
