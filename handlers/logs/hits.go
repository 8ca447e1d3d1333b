package logs

import (
	"context"
	"fmt"
	"slices"
	"time"

	"wavedeck/store/criteria"
	"wavedeck/views"
)

// Searching the whole log for hits.
const (
	hitsCounted = 1000
)

// logHits looks for what is filtered for, as long as there is time.
func (h *Handler) logHits(ctx context.Context, log *openedLog) (criteria.LogHits, error) {
	if !log.query.filter.Narrow() {
		return criteria.LogHits{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, h.Budgets.Search)
	defer cancel()
	return h.Store.LogHits(ctx, log.query.filter, hitsCounted) //nolint:wrapcheck // described by the error table
}

// logHitsView counts the hits and leads to those next to the current line.
func (h *Handler) logHitsView(ctx context.Context, log *openedLog, hits criteria.LogHits) (views.LogHits, error) {
	if !log.query.filter.Narrow() {
		return views.LogHits{}, nil
	}
	link := func(line int64) string { return h.LogLine(log.run.ID, log.query.values, line) }
	view := hitsView(log.query, hits, h.Budgets.Search, link)
	current := max(log.query.from, log.query.at)
	n := len(hits.IDs)
	if whole := !hits.More && !hits.Tired; whole || n > 0 && current < hits.IDs[n-1] {
		return view, nil
	}
	// The line lies behind those that were counted.
	ctx, cancel := context.WithTimeout(ctx, h.Budgets.Search)
	defer cancel()
	next, err := h.Store.LogHit(ctx, log.query.filter, current, false)
	if err != nil {
		return view, err //nolint:wrapcheck // described by the error table
	}
	prev, err := h.Store.LogHit(ctx, log.query.filter, current, true)
	if err != nil {
		return view, err //nolint:wrapcheck // described by the error table
	}
	view.Next, view.Prev = "", ""
	if next > 0 {
		view.Next = link(next)
	}
	if prev > 0 && current > 0 {
		view.Prev = link(prev)
	}
	return view, nil
}

// hitsView lists the hits that were found, and links to those next to the line
// that the address names.
func hitsView(query logQuery, hits criteria.LogHits, searched time.Duration, link func(line int64) string) views.LogHits {
	view := views.LogHits{Known: query.filter.Narrow()}
	n := len(hits.IDs)
	current := max(query.from, query.at)
	i, on := slices.BinarySearch(hits.IDs, current)
	switch {
	case hits.More:
		view.Text = views.Number(int64(n)) + "+ hits"
	case hits.Tired:
		view.Text = fmt.Sprintf("at least %s: the search timed out after %s", views.Plural(n, "hit", "hits"), views.FormatDuration(searched, false))
	case n == 0:
		view.Text = "no hits"
	case on:
		view.Text = "hit " + views.Number(int64(i+1)) + " of " + views.Number(int64(n))
	default:
		view.Text = views.Plural(n, "hit", "hits")
	}
	if i > 0 && current > 0 {
		view.Prev = link(hits.IDs[i-1])
	}
	if on {
		i++
	}
	if i < n {
		view.Next = link(hits.IDs[i])
	}
	return view
}
