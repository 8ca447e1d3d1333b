package runview

import (
	"context"
	"fmt"
	"net/url"

	"wavedeck/handlers/present"
	"wavedeck/handlers/runquery"
	"wavedeck/handlers/web"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// How many children a run list shows beneath their parent, and beneath all; others
// stand behind a link.
const (
	childrenShown = 20
	childrenInAll = 100
)

// Listing is what a list of runs is asked for: which runs, and as of when; nil: now.
type Listing struct {
	RunsQuery

	At  *wave.Moment
	All bool // every run that matches, not a page of them
}

// WrongWord is an error about one word of an input, to be shown beneath it.
func WrongWord(e *runquery.Error) *views.WrongWord {
	return &views.WrongWord{
		Before: e.Text[:e.At], Word: e.Word(), After: e.Text[e.End:], Position: e.Position(), Problem: e.Problem, Hint: e.Hint(),
	}
}

// RunRows turns runs into rows. In the list of top-level runs the children stand
// beneath their parents; elsewhere a child names its parent.
func (rv *Reader) RunRows(ctx context.Context, runs []wave.Run, fold bool) ([]views.RunRow, error) {
	rows := make([]views.RunRow, len(runs))
	var parents, folded []string
	for i, run := range runs {
		rows[i] = present.Listed(present.RunRow(run))
		rows[i].Acts = rv.actionsOf(run)
		switch {
		case fold && run.Children.All > 0:
			folded = append(folded, run.ID)
		case !fold && run.Parent != "" && !run.Orphan:
			parents = append(parents, run.Parent)
		}
	}
	if err := rv.foldChildren(ctx, rows, runs, folded); err != nil {
		return nil, err
	}
	if err := rv.addFlags(ctx, rows, runs); err != nil {
		return nil, err
	}
	if err := rv.addCosts(ctx, rows); err != nil {
		return nil, err
	}
	if len(parents) == 0 {
		return rows, nil
	}
	found, err := rv.Store.RunsByID(ctx, parents)
	if err != nil {
		return nil, fmt.Errorf("parents of a page: %w", err)
	}
	refs := map[string]*views.RunRef{}
	for _, parent := range found {
		refs[parent.ID] = present.RunRef(parent)
	}
	for i, run := range runs {
		if !run.Orphan {
			rows[i].Of = refs[run.Parent]
		}
	}
	return rows, nil
}

// foldChildren puts the children of the runs named in folded beneath their rows.
func (rv *Reader) foldChildren(ctx context.Context, rows []views.RunRow, runs []wave.Run, folded []string) error {
	if len(folded) == 0 {
		return nil
	}
	kids, err := rv.Store.Children(ctx, folded, childrenShown)
	if err != nil {
		return fmt.Errorf("children of a page: %w", err)
	}
	shown := 0
	for i, run := range runs {
		if shown += len(kids[run.ID]); run.Children.All == 0 || shown > childrenInAll {
			continue
		}
		for _, kid := range kids[run.ID] {
			rows[i].ChildRows = append(rows[i].ChildRows, present.Listed(present.RunRow(kid)))
		}
		rows[i].MoreChildren = max(0, run.Children.All-len(kids[run.ID]))
	}
	return nil
}

// With is a copy of q in which key has the value.
func With(q url.Values, key, value string) url.Values {
	out := web.Clone(q)
	out.Set(key, value)
	return out
}

func without(q url.Values, key, value string) url.Values {
	out := web.Clone(q)
	var kept []string
	for _, v := range out[key] {
		if v != value {
			kept = append(kept, v)
		}
	}
	if len(kept) == 0 {
		out.Del(key)
	} else {
		out[key] = kept
	}
	return out
}
