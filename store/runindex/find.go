package runindex

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"time"

	"wavedeck/store/criteria"
	"wavedeck/store/wave"
)

// Found are the runs that a part of an id may mean, the newest first.
type Found struct {
	IDs  []string
	Sure bool // IDs is the one run that is meant
}

// FindRuns looks for the run that a text names: by its id, by the end of its id, or
// by any part of it, in any case. The first of these that fits some run decides,
// and at most limit of the runs it fits are returned.
func (ix *Index) FindRuns(ctx context.Context, text string, limit int) (Found, error) {
	if err := ix.Wait(ctx); err != nil {
		return Found{}, err
	}
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	if _, ok := ix.find(text); ok {
		return Found{IDs: []string{text}, Sure: true}, nil
	}
	if strings.ContainsRune(text, 0) {
		return Found{}, nil
	}
	part := []byte(strings.ToLower(text))
	var ends, has []string
	for at := len(ix.order) - 1; at >= 0 && len(ends) < max(limit, 2); at-- {
		i := ix.order[at]
		switch id := ix.idText(&ix.rows[i]); {
		case bytes.HasSuffix(id, part):
			ends = append(ends, string(ix.id(i)))
		case len(has) < max(limit, 2) && bytes.Contains(id, part):
			has = append(has, string(ix.id(i)))
		}
	}
	ids := ends
	if len(ids) == 0 {
		ids = has
	}
	sure := len(ids) == 1 && text != ""
	return Found{IDs: ids[:min(len(ids), limit)], Sure: sure}, nil
}

// Names are names of a field that runs have had and that contain a text, those
// that begin with it first, and of these the ones met last.
func (ix *Index) Names(ctx context.Context, field criteria.Field, part string, limit int) ([]string, error) {
	if err := ix.Wait(ctx); err != nil {
		return nil, err
	}
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	from := &ix.pipelines
	switch field {
	case criteria.FieldBranch:
		from = &ix.branches
	case criteria.FieldKind:
		from = &ix.kinds
	}
	var begin, has []string
	part = strings.ToLower(part)
	for n := len(from.list) - 1; n > 0 && len(begin) < limit; n-- {
		switch name := strings.ToLower(from.list[n]); {
		case strings.HasPrefix(name, part):
			begin = append(begin, from.list[n])
		case len(has) < limit && strings.Contains(name, part):
			has = append(has, from.list[n])
		}
	}
	all := slices.Concat(begin, has)
	return all[:min(len(all), limit)], nil
}

// Newest lists the newest runs that f chooses, whatever its page, and whether there
// are more than limit.
func (ix *Index) Newest(ctx context.Context, f criteria.RunFilter, limit int) (ids []string, more bool, err error) {
	if err := ix.Wait(ctx); err != nil {
		return nil, false, err
	}
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	m := ix.compile(f)
	for at := m.next(len(ix.order)-1, -1); at >= 0; at = m.next(at-1, -1) {
		if len(ids) == limit {
			return ids, true, nil
		}
		ids = append(ids, string(ix.id(ix.order[at])))
	}
	return ids, false, nil
}

// Among are those of the runs with these ids that f chooses, whatever its page.
func (ix *Index) Among(ctx context.Context, f criteria.RunFilter, ids []string) (map[string]bool, error) {
	if err := ix.Wait(ctx); err != nil {
		return nil, err
	}
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	m := ix.compile(f)
	found := map[string]bool{}
	for _, id := range ids {
		i, ok := ix.find(id)
		if !ok {
			continue
		}
		r := &ix.rows[i]
		if at := ix.position(r.started, ix.id(i)); at >= m.low && at < m.high && m.match(r) {
			found[id] = true
		}
	}
	return found, nil
}

// lostAfterStart is how long ago a run may have started that is shown as ended
// and of whose end there is no record.
const lostAfterStart = 7 * 24 * time.Hour

// OverSince lists the runs that ended at that second or later, at most limit, in no
// order. Of a run that nothing recorded the end of only the start is known: it is
// listed when that is at most a week before. The index is ready.
func (ix *Index) OverSince(since int64, limit int) (ids []string) {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	for i := range ix.rows {
		r := &ix.rows[i]
		if !r.used || !wave.States[r.state].Ended() {
			continue
		}
		known := r.ended >= since
		if r.ended == 0 {
			known = r.started >= since-int64(lostAfterStart/time.Second)
		}
		if known {
			if ids = append(ids, string(ix.id(uint32(i)))); len(ids) == limit {
				break
			}
		}
	}
	return ids
}

// EndedSince lists the runs that ended at that second or later, at most limit.
func (ix *Index) EndedSince(ctx context.Context, seconds int64, limit int) ([]string, error) {
	if err := ix.Wait(ctx); err != nil {
		return nil, err
	}
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	var ids []string
	for i := range ix.rows {
		if r := &ix.rows[i]; r.used && r.ended >= seconds && r.ended > 0 {
			if ids = append(ids, string(ix.id(uint32(i)))); len(ids) == limit {
				break
			}
		}
	}
	return ids, nil
}

// FailedSince lists the runs that ended badly after a moment, in unix seconds,
// at most n, the newest first. Whose end is not known counts by its start; whose
// start is not known either may have failed lately, and is among them. The index is
// ready.
func (ix *Index) FailedSince(since int64, n int) (ids []string) {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	for at := len(ix.briefs) - 1; at >= 0 && len(ids) < n; at-- {
		switch wave.States[ix.briefs[at].state] {
		case wave.Failed, wave.Rejected, wave.Lost:
			i := ix.order[at]
			if r := &ix.rows[i]; max(r.ended, r.started) > since || max(r.ended, r.started) <= 0 {
				ids = append(ids, string(ix.id(i)))
			}
		}
	}
	return ids
}

// Active lists the runs that go on, the newest first, at most n. The index is ready.
func (ix *Index) Active(n int) (ids []string) {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	for at := len(ix.briefs) - 1; at >= 0 && len(ids) < n; at-- {
		if wave.States[ix.briefs[at].state].Active() {
			ids = append(ids, string(ix.id(ix.order[at])))
		}
	}
	return ids
}

// IsTop reports whether no other run started a run, or the one that did cannot be
// found: it does not exist, or following the parents leads in a circle.
func (ix *Index) IsTop(id string) bool {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	i, ok := ix.find(id)
	if !ok {
		return false
	}
	// The mark moves to every second, fourth, eighth … run on the way: a circle
	// that the run itself is no part of comes back to it.
	for at, mark, hops := i, i, 1; ; hops++ {
		parent := ix.parents.list[ix.rows[at].parent]
		above, ok := ix.find(parent)
		switch {
		case parent == "" || !ok:
			return at == i
		case above == i:
			return true
		case above == mark:
			return false
		}
		if at = above; hops&(hops-1) == 0 {
			mark = at
		}
	}
}
