package runindex

import (
	"slices"
	"time"

	"wavedeck/store/criteria"
	"wavedeck/store/wave"
)

// Places finds the runs of a page, newest first, and its neighbours.
func (ix *Index) Places(f criteria.RunFilter) ([]criteria.Cursor, criteria.RunPage) {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	m := ix.compile(f)
	newer := f.Newer != nil && f.Older == nil
	from, step := len(ix.order)-1, -1
	switch {
	case newer:
		from, step = ix.position(f.Newer.T, []byte(f.Newer.ID)), 1
		if from < len(ix.order) && ix.is(from, f.Newer) {
			from++
		}
	case f.Older != nil:
		from = ix.position(f.Older.T, []byte(f.Older.ID)) - 1
	}
	var places []int
	more := false
	for at := m.next(from, step); at >= 0; at = m.next(at+step, step) {
		if len(places) == f.PageSize() {
			more = true
			break
		}
		places = append(places, at)
	}
	if len(places) == 0 {
		return nil, criteria.RunPage{}
	}
	if newer {
		slices.Reverse(places)
	}
	var page criteria.RunPage
	first, last := places[0], places[len(places)-1]
	if newer && more || !newer && f.Older != nil && m.next(first+1, 1) >= 0 {
		page.Newer = ix.cursor(first)
	}
	if !newer && more || newer && m.next(last-1, -1) >= 0 {
		page.Older = ix.cursor(last)
	}
	found := make([]criteria.Cursor, len(places))
	for i, at := range places {
		found[i] = *ix.cursor(at)
	}
	return found, page
}

func (ix *table) cursor(at int) *criteria.Cursor {
	i := ix.order[at]
	return &criteria.Cursor{T: ix.rows[i].started, ID: string(ix.id(i))}
}

func (ix *table) is(at int, c *criteria.Cursor) bool {
	i := ix.order[at]
	return ix.rows[i].started == c.T && string(ix.id(i)) == c.ID
}

// matcher is a filter in the numbers of the index.
type matcher struct {
	ix        *table
	low, high int // bounds in order: low <= place < high
	all       []condition

	states, pipelines, tags allowed // what the brief of a run that matches has
}

// allowed tells of each value of a brief whether a run with it may match.
type allowed [256]bool

func anything() (a allowed) {
	for n := range a {
		a[n] = true
	}
	return a
}

// narrow leaves only what both allow.
func (a *allowed) narrow(to allowed) {
	for n := range a {
		a[n] = a[n] && to[n]
	}
}

// inSet adds that a number of the run is one of a set. Brief, if it is given, are
// the ends of such numbers.
func (m *matcher) inSet(set []bool, number func(*indexRow) uint32, brief *allowed) {
	m.all = append(m.all, inSet(set, number))
	var ends allowed
	for n, in := range set {
		ends[n%256] = ends[n%256] || in
	}
	brief.narrow(ends)
}

func (m *matcher) inStates(wanted func(wave.State) bool) {
	m.all = append(m.all, inStates(wanted))
	var told allowed
	for i, s := range wave.States {
		told[i] = wanted(s)
	}
	m.states.narrow(told)
}

func (ix *table) compile(f criteria.RunFilter) *matcher {
	m := &matcher{ix: ix, high: len(ix.order), states: anything(), pipelines: anything(), tags: anything()}
	if len(f.States) > 0 {
		m.inStates(func(s wave.State) bool { return slices.Contains(f.States, s) })
	}
	if len(f.Pipelines) > 0 {
		m.inSet(ix.pipelines.set(func(name string) bool { return slices.Contains(f.Pipelines, name) }), pipelineOf, &m.pipelines)
	}
	if len(f.Tags) > 0 {
		m.inSet(ix.tags.set(func(tag string) bool { return slices.Contains(f.Tags, tag) }), tagsOf, &m.tags)
	}
	if f.Parent != "" {
		m.all = append(m.all, ix.hasParent([]criteria.PredicateText{{Text: f.Parent}}))
	}
	if !f.Since.IsZero() {
		m.low = ix.position(ceilUnix(f.Since), nil)
	}
	if !f.Until.IsZero() {
		m.high = ix.position(ceilUnix(f.Until), nil)
	}
	for _, t := range f.Predicates {
		m.term(t)
	}
	return m
}

// term adds a term; the common ones also as what a brief must have.
func (m *matcher) term(t criteria.Predicate) {
	wanted := func(text string) bool { return criteria.IsAny(text, t.Texts) }
	switch {
	case t.Field == criteria.FieldState:
		m.inStates(func(s wave.State) bool {
			return slices.ContainsFunc(t.Texts, func(x criteria.PredicateText) bool { return x.Text == string(s) }) != t.Not
		})
	case t.Field == criteria.FieldPipeline && !t.Not:
		m.inSet(m.ix.pipelines.set(wanted), pipelineOf, &m.pipelines)
	case t.Field == criteria.FieldTag && !t.Not:
		m.inSet(m.ix.tags.set(wanted), tagsOf, &m.tags)
	default:
		m.all = append(m.all, m.ix.condition(t))
	}
}

func pipelineOf(r *indexRow) uint32 { return r.pipeline }
func tagsOf(r *indexRow) uint32     { return r.tags }

// next is the first place from here on, in the direction of step, that
// matches; -1: there is none.
func (m *matcher) next(from, step int) int {
	if step > 0 {
		from = max(from, m.low)
	} else {
		from = min(from, m.high-1)
	}
	states, pipelines, tags, briefs := &m.states, &m.pipelines, &m.tags, m.ix.briefs
	for at := from; at >= m.low && at < m.high; at += step {
		b := &briefs[at]
		if states[b.state] && pipelines[b.pipeline] && tags[b.tags] && m.match(&m.ix.rows[m.ix.order[at]]) {
			return at
		}
	}
	return -1
}

func (m *matcher) match(r *indexRow) bool {
	for _, holds := range m.all {
		if !holds(r) {
			return false
		}
	}
	return true
}

// ceilUnix is the first whole second that is not before t. Times of runs are
// whole seconds, so it stands for t in both bounds.
func ceilUnix(t time.Time) int64 {
	seconds := t.Unix()
	if t.Nanosecond() > 0 {
		seconds++
	}
	return seconds
}
