package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"wavedeck/store/criteria"
	"wavedeck/store/diagnose"
	"wavedeck/store/wave"
)

// MomentAt returns the moment of the last event, of any run, at or before t.
// ErrNotFound when there is none.
func (s *Store) MomentAt(ctx context.Context, t time.Time) (wave.Moment, error) {
	return read(s.stateFile, func(o *opened) (wave.Moment, error) {
		return found(o.LatestMoment(ctx, t.Unix()))
	})
}

// MomentOf returns the moment after an event, or after the last one before that
// id. The time of an event that has none is that of an event before it.
// ErrNotFound when there is none.
func (s *Store) MomentOf(ctx context.Context, event int64) (wave.Moment, error) {
	return read(s.stateFile, func(o *opened) (wave.Moment, error) {
		return found(o.Rows.MomentOf(ctx, event))
	})
}

// found is a moment, or ErrNotFound when there is none.
func found(m wave.Moment, ok bool, err error) (wave.Moment, error) {
	if err == nil && !ok {
		err = ErrNotFound
	}
	return m, err
}

// Neighbours returns a run's first and last event, the one before its latest at
// or before the event, and the next one after; of all runs without one.
func (s *Store) Neighbours(ctx context.Context, run string, event int64) (wave.Neighbours, error) {
	return read(s.stateFile, func(o *opened) (wave.Neighbours, error) { return o.Rows.Neighbours(ctx, run, event) })
}

// DetailAt returns what a run's page would have shown at a moment, as far as
// events tell: they are never overwritten. What Wave overwrites in place is
// worked out from them, or left unknown: states and times of run and steps,
// attempts, tokens. A state that no event records is the recorded one if the
// run had ended by then. ErrNotFound when the run had not begun.
func (s *Store) DetailAt(ctx context.Context, id string, at wave.Moment) (wave.RunDetail, error) {
	return read(s.stateFile, func(o *opened) (wave.RunDetail, error) {
		d, err := o.detailAt(ctx, id, at)
		if err != nil {
			return d, fmt.Errorf("load run %s as of event %d: %w", id, at.Event, err)
		}
		return d, nil
	})
}

// runAsOf is a run as of a moment, with what it was told from.
type runAsOf struct {
	run    wave.Run
	folded *diagnose.History
}

// pastOfRuns tells runs as of a moment. Their events are folded from the first
// on: what is kept of them is of now.
func (d *Reader) pastOfRuns(ctx context.Context, q Rows, ids []string, at wave.Moment) (map[string]*runAsOf, error) {
	found := map[string]*runAsOf{}
	err := chunks(ids, criteria.MaxLimit, func(part []string) error {
		rows, err := q.Runs(ctx, part)
		if err != nil {
			return err
		}
		entries, after, err := d.foldTo(ctx, q, part, at)
		if err != nil {
			return err
		}
		records := make(map[string]*diagnose.Record, len(rows))
		for _, r := range rows {
			then := &diagnose.Record{RunRow: r, History: &entries[r.ID].h}
			if then.ExistedAt(after[r.ID], at) {
				records[r.ID] = then
			}
		}
		if err := d.addContext(ctx, q, records, at); err != nil {
			return err
		}
		measured, err := q.MetricTokens(ctx, part)
		if err != nil {
			return err
		}
		orphans, err := d.orphans(ctx, q, records)
		if err != nil {
			return err
		}
		var runs []*wave.Run
		for id, r := range records {
			found[id] = &runAsOf{run: r.At(after[id], at, measured[id], d.opt.Definition(r.Pipeline)), folded: r.History}
			found[id].run.Orphan = orphans[id]
			runs = append(runs, &found[id].run)
		}
		return d.addHeadlines(ctx, q, runs, records) // one that had ended by then failed as it is known to have now
	})
	return found, err
}

// addContext adds to runs as of a moment what other runs tell of them: those
// beneath an outer row, and the error of the parent of one that was stopped.
func (d *Reader) addContext(ctx context.Context, q Rows, found map[string]*diagnose.Record, at wave.Moment) error {
	var parents []string
	for _, r := range found {
		r.Facts = r.FactsOf()
		r.Facts.HasEvents, r.Facts.LastEvent, r.Facts.AtGate, r.Facts.End = r.History.Last > 0, r.History.LastAt, r.History.AtGate(), r.History.End
		if r.PipelineStateAt > at.Time.Unix() {
			r.PipelineState, r.Facts.PipelineState = "", ""
		}
		if r.Parent != "" && diagnose.Killed(r.Facts.Error) {
			parents = append(parents, r.Parent)
		}
	}
	if err := d.addOuter(ctx, q, found); err != nil {
		return err
	}
	records, err := d.records(ctx, q, parents)
	if err != nil {
		return err
	}
	for _, r := range found {
		r.Until(at.Time)
		r.AddParent(records[r.Parent])
	}
	return nil
}

// foldTo folds each run's events up to the moment, and says which runs have
// later ones.
func (d *Reader) foldTo(ctx context.Context, q Rows, ids []string, at wave.Moment) (map[string]*cachedHistory, map[string]bool, error) {
	entries, after := map[string]*cachedHistory{}, map[string]bool{}
	reach := make([]wave.EventReach, len(ids))
	for i, id := range ids {
		entries[id] = &cachedHistory{run: id}
		reach[i] = wave.EventReach{Run: id, UpTo: at.Event}
	}
	if err := d.foldReach(ctx, q, reach, entries); err != nil {
		return nil, nil, fmt.Errorf("fold events: %w", err)
	}
	ends, err := q.EventsUntil(ctx, ids, at.Event)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range ends {
		after[e.Run] = e.Later
		entries[e.Run].h.PassOver(e.ID, wave.Unix(e.At))
	}
	return entries, after, nil
}

func (d *Reader) detailAt(ctx context.Context, id string, at wave.Moment) (wave.RunDetail, error) {
	detail := wave.RunDetail{At: &at}
	past, err := d.pastOfRuns(ctx, d, []string{id}, at)
	if err != nil {
		return detail, err
	}
	self := past[id]
	if self == nil {
		return detail, ErrNotFound
	}
	run := self.run
	if err := d.addRelativesAt(ctx, &detail, run, at); err != nil {
		return detail, err
	}
	span, err := d.EventSpanUntil(ctx, id, at.Event)
	if err != nil {
		return detail, fmt.Errorf("count events: %w", err)
	}
	detail.FirstID, detail.LastID, detail.Events = span.First, span.Last, span.Count
	rows := &diagnose.StepRows{
		Def: d.opt.Definition(run.Pipeline), History: self.folded, States: map[string]wave.StepRow{}, Attempts: map[string][]wave.AttemptRow{},
		Metrics: map[string][]wave.MetricRow{}, Progress: map[string]wave.ProgressRow{}, Children: detail.Children,
	}
	rows.Collect(nil, nil, nil, nil)
	detail.Steps = rows.Steps(run)
	diagnose.CompleteRun(&run, detail.Steps, rows.History)
	d.stepHeadlines(&detail, run)
	run.Children = wave.ChildCounts{}
	for _, child := range detail.Children {
		run.Children.All++
		if child.State.Ended() {
			run.Children.Ended++
		}
		if child.State == wave.Failed || child.State == wave.Rejected {
			run.Children.Failed++
		}
	}
	detail.Run = run
	artifacts, err := d.Artifacts(ctx, id)
	if err != nil {
		return detail, err
	}
	for _, a := range artifacts {
		// Rows say the second only; what a step put out comes before its next event.
		if s := self.folded.Steps[a.StepID]; s != nil && !a.CreatedAt.After(at.Time) {
			detail.Artifacts = append(detail.Artifacts, a)
		}
	}
	return detail, d.addOutcomes(ctx, d, &detail, id)
}

// addRelativesAt reads the parent, the original of a fork and the children as of
// a moment.
func (d *Reader) addRelativesAt(ctx context.Context, detail *wave.RunDetail, run wave.Run, at wave.Moment) error {
	ids, err := d.ChildrenUntil(ctx, run.ID, at.Time.Unix(), ChildLimit)
	if err != nil {
		return fmt.Errorf("select children: %w", err)
	}
	relatives := slices.DeleteFunc([]string{run.Parent, run.ForkedFrom}, func(id string) bool { return id == "" })
	past, err := d.pastOfRuns(ctx, d, append(slices.Clone(ids), relatives...), at)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if p := past[id]; p != nil {
			detail.Children = append(detail.Children, p.run)
		}
	}
	if p := past[run.Parent]; p != nil {
		detail.Parent = &p.run
	}
	if p := past[run.ForkedFrom]; p != nil {
		detail.Fork = &p.run
	}
	return nil
}
