package search

import (
	"net/http"
	"time"

	"wavedeck/handlers/present"
	"wavedeck/store"
	"wavedeck/store/search"
)

type searchResponse struct {
	Query      string               `json:"query"`
	Run        *present.RunSummary  `json:"run,omitempty"` // the one that the query names
	Runs       []present.RunSummary `json:"runs"`          // that say it in their id, pipeline, input or error
	NextCursor string               `json:"next_cursor,omitempty"`
	HasMore    bool                 `json:"has_more"`
	Events     []foundRunSummary    `json:"events"`                // by run, those with the newest hits first
	NextBefore string               `json:"next_before,omitempty"` // goes into before= for more events
	GaveUp     bool                 `json:"gave_up,omitempty"`     // the time was over; next_before goes on
	Index      indexSummary         `json:"index"`
}

type foundRunSummary struct {
	Run  present.RunSummary `json:"run"`
	Hits []foundSummary     `json:"hits"`
	More int                `json:"more,omitempty"` // further hits that were met; there may be others
}

type foundSummary struct {
	EventID   int64         `json:"event_id"`
	StepID    string        `json:"step_id,omitempty"`
	State     string        `json:"state"`
	Timestamp *time.Time    `json:"timestamp"`
	Snippet   []search.Part `json:"snippet"`
	Href      string        `json:"href"`
}

// indexSummary is how much of all events is searched. Events and Of are ids.
type indexSummary struct {
	State   string  `json:"state"` // off, waiting, building, paused, ready, unusable
	Events  int64   `json:"events"`
	Of      int64   `json:"of"`
	Behind  int64   `json:"behind"`
	Share   float64 `json:"share"`
	Bytes   int64   `json:"bytes"`
	Problem string  `json:"problem,omitempty"`
}

func indexSummaryOf(status search.Status) indexSummary {
	sum := indexSummary{
		State: string(status.State), Events: status.Events, Of: status.Of, Behind: status.Behind, Share: status.Share,
		Bytes: status.Bytes, Problem: status.Problem,
	}
	if sum.State == "" {
		sum.State = "off"
	}
	return sum
}

func (h *Handler) apiSearch(w http.ResponseWriter, r *http.Request) error {
	query, err := parseSearch(r.URL.Query(), h.Now())
	if err != nil {
		return err
	}
	answer, err := h.find(r.Context(), query)
	if err != nil {
		return err
	}
	if !answer.known {
		return store.ErrUnavailable
	}
	w.Header().Set("Cache-Control", "no-store")
	h.WriteJSON(w, r, http.StatusOK, h.searchResponse(query, answer))
	return nil
}

func (h *Handler) searchResponse(query searchQuery, answer searchAnswer) searchResponse {
	body := searchResponse{
		Query: query.text, Runs: []present.RunSummary{}, Events: []foundRunSummary{}, GaveUp: answer.found.Tired, Index: indexSummaryOf(answer.index),
	}
	if len(answer.exact) > 0 {
		sum := present.SummaryInList(answer.exact[0])
		body.Run = &sum
	}
	for _, run := range answer.runs.Runs {
		body.Runs = append(body.Runs, present.SummaryInList(run))
	}
	if older := answer.runs.Older; older != nil {
		body.NextCursor, body.HasMore = older.String(), true
	}
	if next := answer.found.Next; next != nil {
		body.NextBefore = next.String()
	}
	for _, found := range answer.found.Runs {
		run, there := answer.of[found.ID]
		if !there {
			continue
		}
		group := foundRunSummary{Run: present.SummaryInList(run), More: found.More}
		for _, hit := range found.Hits {
			group.Hits = append(group.Hits, foundSummary{
				EventID: hit.ID, StepID: present.Redact(hit.Step), State: present.Redact(hit.State), Timestamp: present.OptionalTime(hit.At), Snippet: hit.Snippet,
				Href: h.LogLine(run.ID, nil, hit.ID),
			})
		}
		body.Events = append(body.Events, group)
	}
	return body
}
