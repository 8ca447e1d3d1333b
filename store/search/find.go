package search

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"wavedeck/store/criteria"
)

// How much one answer is, and how much work.
const (
	runsShown  = 10  // of which hits are shown at once
	hitsShown  = 3   // of each
	chunk      = 500 // hits that are looked at together
	narrowRuns = 300 // so few runs are gone through one by one

	hastyFor      = 60 * time.Millisecond // what takes longer is looked for by stretches
	stretchesFor  = 25 * time.Millisecond // so many of them at once as take so long
	manyStretches = 64                    // at most
)

// Found are runs with events that were looked for, those with the newest first.
type Found struct {
	Runs  []Run
	Next  *Cursor // where to go on; nil: all that is indexed was looked through
	Tired bool    // the time was over: Next goes on, and Runs may be fewer than there are
}

// Run is a run with the newest of its hits.
type Run struct {
	ID   string
	Hits []Hit
	More int // further hits that were met on the way; there may be others
}

// Hit is an event that was looked for.
type Hit struct {
	ID      int64
	Step    string
	State   string // as recorded
	At      time.Time
	Snippet []Part // what a reader may see of its message
}

// Find looks for events, the newest first, among the runs that f chooses; its
// page does not count. When ctx ends, what was found by then is the answer. An
// index that cannot be asked is an error: Status says why.
func (x *Index) Find(ctx context.Context, q Query, f criteria.RunFilter, from Cursor) (Found, error) {
	if !q.Finds() {
		return Found{}, nil
	}
	file, err := x.open(ctx)
	if err != nil {
		return Found{}, err
	}
	s := &finder{x: x, file: file, q: q, f: f, from: from, at: map[string]int{}, belongs: map[string]bool{}, first: map[string]int64{}}
	err = s.walk(ctx)
	switch {
	case err == nil:
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		s.dropEmpty()
		s.found.Tired = true
		s.goOn(s.next)
	default:
		if damaged(err) { // who adds to it may never come by the place
			x.failed(file, err)
		}
		return Found{}, err
	}
	return s.found, nil
}

// finder is one Find.
type finder struct {
	x    *Index
	file *file
	q    Query
	f    criteria.RunFilter
	from Cursor

	next    int64 // every hit from here on was looked at
	found   Found
	at      map[string]int   // place in found.Runs
	belongs map[string]bool  // whether hits of a run are wanted
	first   map[string]int64 // first event of a run
}

// span is a stretch of events: low <= id < high.
type span struct{ low, high int64 }

func (s *finder) walk(ctx context.Context) error {
	mark, err := s.file.mark(ctx)
	if err != nil {
		return errors.Join(ErrUnusable, err)
	}
	s.next = mark.Event + 1
	if s.from.Before > 0 {
		s.next = min(s.next, s.from.Before)
	}
	spans, err := s.spans(ctx)
	if err != nil {
		return err
	}
	for _, part := range spans {
		part.high = min(part.high, s.next)
		full, err := s.search(ctx, part, false)
		if errors.Is(err, errSlow) {
			part.high = min(part.high, s.next)
			full, err = s.searchStretches(ctx, part)
		}
		if err != nil || full {
			return err
		}
		s.next = min(s.next, part.low)
	}
	return nil
}

// errSlow says that words are in many events and seldom meet.
var errSlow = errors.New("it takes long")

// searchStretches looks through a span by stretches of events, which takes longer
// in all, so that what was found by the end of the time is a beginning to go on from.
func (s *finder) searchStretches(ctx context.Context, in span) (full bool, err error) {
	stretches := int64(1)
	for high := in.high; high > in.low; {
		low, began := max(in.low, ((high-1)>>stretchBits-stretches+1)<<stretchBits), time.Now()
		if full, err := s.search(ctx, span{low, high}, true); err != nil || full {
			return full, err
		}
		s.next, high = low, low
		switch took := time.Since(began); {
		case took < stretchesFor:
			stretches = min(2*stretches, manyStretches)
		case took > 2*stretchesFor:
			stretches = max(stretches/2, 1)
		}
	}
	return false, nil
}

// spans are the events to look through, the newest first: those of the runs that
// the filter chooses, where these are few.
func (s *finder) spans(ctx context.Context) ([]span, error) {
	all := []span{{0, s.next}}
	if !s.f.Narrow() {
		return all, nil
	}
	ids, more, err := s.x.store.RunIDs(ctx, s.f, narrowRuns)
	if err != nil || more {
		return all, err
	}
	of, err := s.x.store.RunSpans(ctx, ids)
	if err != nil {
		return nil, err
	}
	list := make([]span, 0, len(of))
	for _, r := range of {
		list = append(list, span{r.First, r.Last + 1})
	}
	slices.SortFunc(list, func(a, b span) int { return cmp.Compare(b.high, a.high) })
	var merged []span
	for _, next := range list {
		if n := len(merged); n > 0 && next.high >= merged[n-1].low {
			merged[n-1].low = min(merged[n-1].low, next.low)
			continue
		}
		merged = append(merged, next)
	}
	return merged, nil
}

const hitsSQL = `SELECT rowid FROM text WHERE text MATCH ? AND rowid < ? AND rowid >= ? ORDER BY rowid DESC LIMIT ?`

// search looks through a span, and reports whether the answer is full. Unless it is
// told to take its time, it may give up with errSlow.
func (s *finder) search(ctx context.Context, in span, patient bool) (full bool, err error) {
	expression, exact := s.q.expression(), true
	if patient {
		expression, exact = s.q.within(in)
	}
	for limit := 50; ; limit = chunk { // the first are often enough
		ids, err := s.ask(ctx, expression, in, limit, patient)
		if err != nil {
			return false, err
		}
		asked := len(ids)
		if asked > 0 {
			in.high = ids[asked-1]
		}
		if !exact {
			if ids, err = s.holding(ctx, ids); err != nil {
				return false, err
			}
		}
		full, err := s.take(ctx, ids)
		if err != nil || full || asked < limit {
			return full, err
		}
		s.next = in.high
	}
}

// holding keeps the events that say all of what is looked for.
func (s *finder) holding(ctx context.Context, ids []int64) ([]int64, error) {
	events, err := s.x.store.EventTexts(ctx, ids)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(ids, func(id int64) bool {
		e, there := events[id]
		if !there {
			return true
		}
		_, holds := s.q.match(s.x.shown(e))
		return !holds
	}), nil
}

func (s *finder) ask(ctx context.Context, expression string, in span, limit int, patient bool) (ids []int64, err error) {
	if !patient {
		hasty, cancel := context.WithTimeout(ctx, s.x.hasty)
		defer cancel()
		err := s.file.reader.SelectContext(hasty, &ids, hitsSQL, expression, in.high, in.low, limit)
		if err != nil && hasty.Err() != nil && ctx.Err() == nil {
			return nil, errSlow
		}
		return ids, asUnusable(err)
	}
	return ids, asUnusable(s.file.reader.SelectContext(ctx, &ids, hitsSQL, expression, in.high, in.low, limit))
}

func asUnusable(err error) error {
	if err != nil {
		return errors.Join(ErrUnusable, err)
	}
	return nil
}

// take sorts hits by their runs, and reports whether the answer is full.
func (s *finder) take(ctx context.Context, ids []int64) (full bool, err error) {
	if len(ids) == 0 {
		return false, nil
	}
	runs, err := s.x.store.EventRuns(ctx, ids)
	if err != nil {
		return false, err
	}
	if err := s.learn(ctx, runs); err != nil {
		return false, err
	}
	var read []int64
	wanted := map[string]int{}
	for _, id := range ids {
		run, there := runs[id]
		if !there || !s.belongs[run] {
			continue
		}
		i, known := s.at[run]
		if !known {
			if len(s.found.Runs) == runsShown {
				if err := s.read(ctx, read); err != nil {
					return false, err
				}
				if s.dropEmpty(); len(s.found.Runs) == runsShown {
					s.goOn(id + 1)
					return true, nil
				}
				read = nil
			}
			i = len(s.found.Runs)
			s.at[run] = i
			s.found.Runs = append(s.found.Runs, Run{ID: run})
		}
		if wanted[run] < hitsShown-len(s.found.Runs[i].Hits) {
			wanted[run]++
			read = append(read, id)
		} else {
			s.found.Runs[i].More++
		}
	}
	if err := s.read(ctx, read); err != nil {
		return false, err
	}
	s.dropEmpty()
	return false, nil
}

// learn finds out which of the runs are wanted: the filter chooses them, and no
// page before showed them.
func (s *finder) learn(ctx context.Context, runs map[int64]string) error {
	var fresh []string
	for _, run := range runs {
		if _, known := s.belongs[run]; !known {
			s.belongs[run] = false
			fresh = append(fresh, run)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	narrow := s.f.Narrow()
	var chosen map[string]bool
	if narrow {
		var err error
		if chosen, err = s.x.store.MatchingRuns(ctx, s.f, fresh); err != nil {
			return err
		}
	}
	spans, err := s.x.store.RunSpans(ctx, fresh)
	if err != nil {
		return err
	}
	for _, run := range fresh {
		s.first[run] = spans[run].First
		s.belongs[run] = (chosen[run] || !narrow) && !slices.Contains(s.from.seen, spans[run].First)
	}
	return nil
}

// read looks at what events say now, and makes hits of those that still say what
// was looked for: the database may be another one than was indexed.
func (s *finder) read(ctx context.Context, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	events, err := s.x.store.EventTexts(ctx, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		e, there := events[id]
		i, known := s.at[e.Run]
		if !there || !known {
			continue
		}
		text := s.x.shown(e)
		marks, ok := s.q.match(text)
		if !ok {
			continue
		}
		run := &s.found.Runs[i]
		run.Hits = append(run.Hits, Hit{ID: e.ID, Step: e.Step, State: e.State, At: e.At, Snippet: snippet(text, marks)})
	}
	return nil
}

// dropEmpty forgets runs of which no hit was one.
func (s *finder) dropEmpty() {
	s.found.Runs = slices.DeleteFunc(s.found.Runs, func(r Run) bool { return len(r.Hits) == 0 })
	clear(s.at)
	for i, r := range s.found.Runs {
		s.at[r.ID] = i
	}
}

// goOn has the next answer begin before an event.
func (s *finder) goOn(before int64) {
	next := &Cursor{Before: before}
	for _, first := range s.from.seen {
		if first < before {
			next.seen = append(next.seen, first)
		}
	}
	for _, r := range s.found.Runs {
		if first := s.first[r.ID]; first > 0 && first < before && len(next.seen) < maxSeen {
			next.seen = append(next.seen, first)
		}
	}
	if before > 1 {
		s.found.Next = next
	}
}
