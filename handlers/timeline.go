package handlers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"wavedeck/store"
	"wavedeck/store/criteria"
	"wavedeck/store/manifest"
	"wavedeck/store/wave"
	"wavedeck/views"
	"wavedeck/views/timeline"
)

// nestedShown is how many child runs a waterfall shows step by step; the others
// are a bar each.
const nestedShown = 20

// showRunTimeline is the page of a run's waterfall.
func (s *Server) showRunTimeline(w http.ResponseWriter, r *http.Request) error {
	query, err := timeline.ParseQuery(r.URL.Query())
	if wrong, ok := errors.AsType[*timeline.QueryError](err); ok {
		return &criteria.InputError{Field: wrong.Field, Got: clip(wrong.Got, 64), Want: wrong.Want}
	}
	return s.renderTab(w, r, "timeline", func(ctx context.Context, d wave.RunDetail, view *views.RunView) (templ.Component, error) {
		lanes, err := s.lanes(ctx, d, true)
		if err != nil {
			return nil, err
		}
		for i := range lanes {
			if o := view.Outlook; o != nil && o.Runaway != nil && o.Runaway.Step == lanes[i].ID {
				lanes[i].Alert = o.Runaway.Flag.Word
			}
		}
		return timeline.Timeline(timeline.View{
			ID: "waterfall", Query: query, Sprite: s.sprite(),
			Run: timeline.Run{Start: d.Run.StartedAt, End: endOf(d.Run), Now: s.nowOf(d), Lanes: lanes},
			Link: func(q url.Values) string {
				return withQuery(s.paths.RunTab(d.Run.ID, "timeline"), q)
			},
		}), nil
	})
}

func withQuery(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// nowOf is the moment that a run is shown at.
func (s *Server) nowOf(d wave.RunDetail) time.Time {
	if d.At != nil {
		return d.At.Time
	}
	return s.now()
}

// endOf is when a run ended; zero while it goes on. Of a lost run the last that
// is known is the end of the picture.
func endOf(run wave.Run) time.Time {
	switch {
	case run.State.Active():
		return time.Time{}
	case !run.CompletedAt.IsZero():
		return run.CompletedAt
	case !run.CancelledAt.IsZero():
		return run.CancelledAt
	case run.HasDuration:
		return run.StartedAt.Add(run.Duration)
	default:
		return latest(run.LastEvent, run.Heartbeat, run.StartedAt)
	}
}

func latest(times ...time.Time) time.Time {
	var last time.Time
	for _, t := range times {
		if t.After(last) {
			last = t
		}
	}
	return last
}

// lanes are the rows of a run's waterfall: its steps, and with nested the runs
// that a step started beneath it.
func (s *Server) lanes(ctx context.Context, d wave.RunDetail, nested bool) ([]timeline.Lane, error) {
	pipeline, _ := s.manifest.Current().Pipeline(d.Run.Pipeline)
	defs := map[string]manifest.Step{}
	for _, step := range pipeline.Steps {
		defs[step.ID] = step
	}
	var kids map[string][]timeline.Lane
	if nested {
		var err error
		if kids, err = s.childLanes(ctx, d); err != nil {
			return nil, err
		}
	}
	lanes := make([]timeline.Lane, 0, len(d.Steps))
	for _, step := range d.Steps {
		def := defs[step.ID]
		lane := timeline.Lane{
			ID: step.ID, Detail: cmp.Or(step.Persona, string(def.Kind)), State: string(step.State), Word: stateWord(step.State),
			Note: opening(step.Note), Tokens: step.Tokens, Depends: def.Dependencies, Children: kids[step.ID],
			Href: s.paths.Run(d.Run.ID) + "#" + views.StepAnchor(step.ID), Attempts: stepSpans(step),
		}
		if step.Visits > 1 {
			lane.Note = joinNotes(lane.Note, views.Plural(step.Visits, "visit", "visits"))
		}
		if step.HasDuration {
			lane.Took = views.Duration(step.Duration, step.CoarseSecond)
		}
		if blocker, ok := strings.CutPrefix(step.Note, store.BlockedBy); ok {
			lane.Blocked, lane.Note = blocker, ""
		}
		lanes = append(lanes, boundedLane(lane))
	}
	return lanes, nil
}

// boundedLane keeps all that a lane depends on, and the lanes in it, which are
// bounded already.
func boundedLane(lane timeline.Lane) timeline.Lane {
	depends, children := make([]string, len(lane.Depends)), lane.Children
	for i, id := range lane.Depends {
		depends[i] = boundedName(id)
	}
	lane.Children = nil
	lane = bounded(lane)
	lane.Depends, lane.Children = depends, children
	return lane
}

func joinNotes(notes ...string) string {
	return strings.Join(slices.DeleteFunc(notes, func(n string) bool { return n == "" }), ", ")
}

// stepSpans are the stretches of a step's attempts, with the pauses between them.
func stepSpans(step wave.Step) []timeline.Span {
	if len(step.Attempts) == 0 {
		if step.StartedAt.IsZero() {
			return nil
		}
		return []timeline.Span{{
			From: step.StartedAt, To: step.CompletedAt, Kind: spanKind(step), State: string(step.State),
			Tokens: step.Tokens, Approximate: step.CoarseSecond,
		}}
	}
	var spans []timeline.Span
	for i, a := range step.Attempts {
		if i > 0 && step.Attempts[i-1].CompletedAt.Before(a.StartedAt) {
			spans = append(spans, timeline.Span{
				From: step.Attempts[i-1].CompletedAt, To: a.StartedAt, Kind: timeline.Backoff, Attempt: a.Number, Approximate: true,
			})
		}
		end := a.CompletedAt
		if a.HasDuration && !a.StartedAt.IsZero() {
			end = a.StartedAt.Add(a.Duration)
		}
		spans = append(spans, timeline.Span{
			From: a.StartedAt, To: end, Kind: spanKind(step), State: string(a.State),
			Attempt: a.Number, Tokens: a.Tokens, Approximate: a.CoarseSecond,
		})
	}
	for _, check := range step.Checks {
		spans = append(spans, timeline.Span{From: check.From, To: check.To, Kind: timeline.Contract, Approximate: true})
	}
	return spans
}

// spanKind tells a gate, which waits for a human, from a step that works.
func spanKind(step wave.Step) timeline.Kind {
	if step.Gate {
		return timeline.Wait
	}
	return timeline.Work
}

// childLanes are the runs that each step started, the first of them with their
// own steps as well.
func (s *Server) childLanes(ctx context.Context, d wave.RunDetail) (map[string][]timeline.Lane, error) {
	lanes := map[string][]timeline.Lane{}
	for i, kid := range d.Children {
		lane := timeline.Lane{
			ID: kid.ID, Label: cmp.Or(firstLine(opening(kid.Input)), kid.Pipeline), Detail: kid.Pipeline,
			State: string(kid.State), Word: runWord(kid), Note: failureLine(kid), Href: s.paths.Run(kid.ID), Tokens: kid.Tokens, Whole: true,
			Attempts: []timeline.Span{{From: kid.StartedAt, To: endOf(kid), Kind: timeline.Work, State: string(kid.State), Approximate: true}},
		}
		if kid.HasDuration {
			lane.Took = views.Duration(kid.Duration, kid.CoarseSecond)
		}
		if i < nestedShown {
			detail, err := s.detailOn(ctx, kid.ID, d.At)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return nil, fmt.Errorf("steps of child %s: %w", kid.ID, err)
			}
			if lane.Children, err = s.lanes(ctx, detail, false); err != nil {
				return nil, err
			}
		}
		lanes[kid.ParentStep] = append(lanes[kid.ParentStep], boundedLane(lane))
	}
	return lanes, nil
}
