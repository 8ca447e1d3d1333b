package runview

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"wavedeck/handlers/present"
	"wavedeck/store"
	"wavedeck/store/diagnose"
	"wavedeck/store/manifest"
	"wavedeck/store/wave"
	"wavedeck/views"
	"wavedeck/views/timeline"
)

// nestedShown is how many child runs a waterfall shows step by step; the others
// are a bar each.
const nestedShown = 20

// NowOf is the moment that a run is shown at.
func (ps *pictures) NowOf(d wave.RunDetail) time.Time {
	if d.At != nil {
		return d.At.Time
	}
	return ps.Now()
}

// EndOf is when a run ended; zero while it goes on. Of a lost run the last that
// is known is the end of the picture.
func EndOf(run wave.Run) time.Time {
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

// Lanes are the rows of a run's waterfall: its steps, and with nested the runs
// that a step started beneath it.
func (ps *pictures) Lanes(ctx context.Context, d wave.RunDetail, nested bool) ([]timeline.Lane, error) {
	pipeline, _ := ps.Manifest.Current().Pipeline(d.Run.Pipeline)
	defs := map[string]manifest.Step{}
	for _, step := range pipeline.Steps {
		defs[step.ID] = step
	}
	var kids map[string][]timeline.Lane
	if nested {
		var err error
		if kids, err = ps.childLanes(ctx, d); err != nil {
			return nil, err
		}
	}
	lanes := make([]timeline.Lane, 0, len(d.Steps))
	for _, step := range d.Steps {
		def := defs[step.ID]
		lane := timeline.Lane{
			ID: step.ID, Detail: cmp.Or(present.Opening(step.Persona), string(def.Kind)), State: string(step.State), Word: present.StateWord(step.State),
			Note: present.Opening(step.Note), Tokens: step.Tokens, Depends: def.Dependencies, Children: kids[step.ID],
			Href: ps.Paths.Run(d.Run.ID) + "#" + views.StepAnchor(step.ID), Attempts: stepSpans(step),
		}
		if step.Visits > 1 {
			lane.Note = joinNotes(lane.Note, views.Plural(step.Visits, "visit", "visits"))
		}
		if step.HasDuration {
			lane.Duration = views.FormatDuration(step.Duration, step.CoarseSecond)
		}
		if blocker, ok := strings.CutPrefix(step.Note, diagnose.BlockedBy); ok {
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
		depends[i] = present.BoundedName(id)
	}
	lane.Children = nil
	lane = present.Bounded(lane)
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

// spanKind distinguishes a gate, which waits for a human, from a step that works.
func spanKind(step wave.Step) timeline.Kind {
	if step.Gate {
		return timeline.Wait
	}
	return timeline.Work
}

// childLanes are the runs that each step started, the first of them with their
// own steps as well.
func (ps *pictures) childLanes(ctx context.Context, d wave.RunDetail) (map[string][]timeline.Lane, error) {
	lanes := map[string][]timeline.Lane{}
	for i, kid := range d.Children {
		lane := timeline.Lane{
			ID: kid.ID, Label: cmp.Or(present.FirstLine(present.Opening(kid.Input)), kid.Pipeline), Detail: kid.Pipeline,
			State: string(kid.State), Word: present.RunWord(kid), Note: present.FailureLine(kid), Href: ps.Paths.Run(kid.ID), Tokens: kid.Tokens, Whole: true,
			Attempts: []timeline.Span{{From: kid.StartedAt, To: EndOf(kid), Kind: timeline.Work, State: string(kid.State), Approximate: true}},
		}
		if kid.HasDuration {
			lane.Duration = views.FormatDuration(kid.Duration, kid.CoarseSecond)
		}
		if i < nestedShown {
			detail, err := ps.DetailAsOf(ctx, kid.ID, d.At)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return nil, fmt.Errorf("steps of child %s: %w", kid.ID, err)
			}
			if lane.Children, err = ps.Lanes(ctx, detail, false); err != nil {
				return nil, err
			}
		}
		lanes[kid.ParentStep] = append(lanes[kid.ParentStep], boundedLane(lane))
	}
	return lanes, nil
}
