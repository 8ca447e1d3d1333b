package runview

import (
	"context"

	"wavedeck/handlers/present"
	"wavedeck/store/criteria"
	"wavedeck/store/wave"
)

// RunsDocument is a page of the list.
func (rv *Reader) RunsDocument(ctx context.Context, l Listing) (present.RunListResponse, error) {
	body := present.RunListResponse{Runs: []present.RunSummary{}, Query: l.Values}
	page, err := rv.Page(ctx, l)
	if err != nil {
		return body, err
	}
	if page.Older != nil {
		body.NextCursor, body.HasMore = page.Older.String(), true
	}
	if l.At != nil {
		body.AsOf = NewAsOf(*l.At, "runs.")
	}
	body.Runs, err = rv.Summaries(ctx, page.Runs, l.At)
	return body, err
}

// Page is a page of the list, now or as of a moment.
func (rv *Reader) Page(ctx context.Context, l Listing) (criteria.RunPage, error) {
	if l.At == nil {
		return rv.Store.Runs(ctx, l.Filter) //nolint:wrapcheck // described by the error table
	}
	return rv.Store.PageAt(ctx, l.Filter, *l.At) //nolint:wrapcheck // described by the error table
}

// Summaries are runs in JSON. What they cost and how they will go on is known of
// now only.
func (rv *Reader) Summaries(ctx context.Context, runs []wave.Run, at *wave.Moment) ([]present.RunSummary, error) {
	sums := make([]present.RunSummary, len(runs))
	for i, run := range runs {
		sums[i] = present.SummaryInList(run)
	}
	if at != nil {
		return sums, nil
	}
	if err := rv.AddCostSummaries(ctx, present.Pointers(sums)...); err != nil {
		return nil, err
	}
	return sums, rv.AddDiagnoses(ctx, sums, runs)
}

// RunDocument is a run, now or as of a moment, with the newest of its events or
// those of a window.
func (rv *Reader) RunDocument(ctx context.Context, id string, at *wave.Moment, window EventWindow) (present.RunDetailResponse, error) {
	detail, err := rv.DetailAsOf(ctx, id, at)
	if err != nil {
		return present.RunDetailResponse{}, err
	}
	f := criteria.EventFilter{Run: id, After: window.After, Before: window.Before, Limit: present.EventsInJSON, Newest: window.After == 0}
	if at != nil && (f.Before == 0 || f.Before > at.Event) {
		f.Before = at.Event + 1
	}
	events, err := rv.Store.Events(ctx, f)
	if err != nil {
		return present.RunDetailResponse{}, err //nolint:wrapcheck // described by the error table
	}
	found, err := rv.ReplacedIn(ctx, detail)
	if err != nil {
		return present.RunDetailResponse{}, err
	}
	body := present.DetailOf(detail, events, found)
	body.DAG, body.Windowed, body.EventsTotal = rv.dagOf(detail), window != EventWindow{}, detail.Events
	body.AddOutcomes(detail)
	body.Started = rv.startedWith(ctx, detail.Run, at)
	if at == nil {
		gates, err := rv.Gates(ctx, detail)
		if err != nil {
			return body, err
		}
		body.Gates = present.GateSummaries(gates)
	}
	if body.Children, err = rv.Summaries(ctx, detail.Children, at); err != nil {
		return body, err
	}
	if at != nil {
		body.AsOf = NewAsOf(*at, "run.", approximateRest...)
	}
	sums, err := rv.Summaries(ctx, []wave.Run{detail.Run}, at)
	if err != nil {
		return body, err
	}
	whole := present.SummaryOf(detail.Run)
	sums[0].Input, sums[0].ErrorMessage, sums[0].Tags, sums[0].Reason = whole.Input, whole.ErrorMessage, whole.Tags, whole.Reason
	body.Run = sums[0]
	if original := rv.retryRef(ctx, detail.Run); original != nil {
		body.Run.RetryOf = original.ID
	}
	return body, nil
}
