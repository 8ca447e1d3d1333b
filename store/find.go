package store

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"wavedeck/store/criteria"
)

// Found are the runs that a part of an id may mean, the newest first.
type Found struct {
	IDs  []string
	Sure bool // IDs is the one run that is meant
}

// FindRuns looks for the run that a text names: by its id, by the end of its
// id, or by any part of it, in any case. The first of these that fits some run
// decides, and at most limit of the runs it fits are returned.
func (s *Store) FindRuns(ctx context.Context, text string, limit int) (Found, error) {
	return read(s, func(o *opened) (Found, error) { return o.index.findRuns(ctx, text, limit) })
}

func (ix *index) findRuns(ctx context.Context, text string, limit int) (Found, error) {
	if err := ix.wait(ctx); err != nil {
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
// that begin with it first, and of these the ones met last. FieldPipeline,
// FieldBranch and FieldKind have names.
func (s *Store) Names(ctx context.Context, field criteria.Field, part string, limit int) ([]string, error) {
	return read(s, func(o *opened) ([]string, error) { return o.index.namesOf(ctx, field, part, limit) })
}

func (ix *index) namesOf(ctx context.Context, field criteria.Field, part string, limit int) ([]string, error) {
	if err := ix.wait(ctx); err != nil {
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
