package store

import (
	"context"
	"fmt"
	"slices"

	"wavedeck/store/diagnose"
	"wavedeck/store/wave"
)

// ChildLimit is how many direct children a run's detail holds.
const ChildLimit = 1000

// run returns one run, or ErrNotFound.
func (d *Reader) run(ctx context.Context, id string) (wave.Run, error) {
	runs, err := d.runsOf(ctx, d, []string{id})
	if err != nil {
		return wave.Run{}, fmt.Errorf("load run %s: %w", id, err)
	}
	if len(runs) == 0 {
		return wave.Run{}, fmt.Errorf("load run %s: %w", id, ErrNotFound)
	}
	return runs[0], nil
}

// Detail returns all that a run's page shows, read in one transaction so that
// its parts agree. ErrNotFound when there is no such run.
func (d *Reader) Detail(ctx context.Context, id string) (wave.RunDetail, error) {
	var detail wave.RunDetail
	err := d.Snapshot(ctx, func(q Rows) (err error) {
		detail, err = d.detailOf(ctx, q, id)
		return err
	})
	if err != nil {
		return wave.RunDetail{}, fmt.Errorf("load run %s: %w", id, err)
	}
	return detail, nil
}

func (d *Reader) detailOf(ctx context.Context, q Rows, id string) (wave.RunDetail, error) {
	var detail wave.RunDetail
	runs, err := d.runsOf(ctx, q, []string{id})
	if err != nil {
		return detail, err
	}
	if len(runs) == 0 {
		return detail, ErrNotFound
	}
	run := runs[0]
	if err := d.addRelatives(ctx, q, &detail, run); err != nil {
		return detail, err
	}
	span, err := d.eventSpan(ctx, q, id)
	if err != nil {
		return detail, fmt.Errorf("count events: %w", err)
	}
	detail.FirstID, detail.LastID, detail.Events = span.First, span.Last, span.Count
	if detail.Artifacts, err = q.Artifacts(ctx, id); err != nil {
		return detail, err
	}
	if err := d.addOutcomes(ctx, q, &detail, id); err != nil {
		return detail, err
	}
	rows, err := d.stepRows(ctx, q, run)
	if err != nil {
		return detail, err
	}
	rows.Children = detail.Children
	detail.Steps = rows.Steps(run)
	diagnose.CompleteRun(&run, detail.Steps, rows.History)
	if run.Headline == "" && run.Error != "" && (run.State == wave.Failed || run.State == wave.Rejected) {
		run.Headline = d.headline(run.Error)
	}
	d.stepHeadlines(&detail, run)
	detail.Run = run
	return detail, nil
}

// addRelatives reads the parent, the original of a fork and the children.
func (d *Reader) addRelatives(ctx context.Context, q Rows, detail *wave.RunDetail, run wave.Run) error {
	ids, err := q.Children(ctx, []string{run.ID}, ChildLimit)
	if err != nil {
		return fmt.Errorf("select children: %w", err)
	}
	children, err := d.runsOf(ctx, q, append(ids, run.Items...))
	if err != nil {
		return err
	}
	detail.Children = children
	for _, relative := range []struct {
		id string
		to **wave.Run
	}{{run.Parent, &detail.Parent}, {run.ForkedFrom, &detail.Fork}} {
		if relative.id == "" {
			continue
		}
		found, err := d.runsOf(ctx, q, []string{relative.id})
		if err != nil {
			return err
		}
		if len(found) > 0 {
			*relative.to = &found[0]
		}
	}
	return nil
}

func (d *Reader) stepRows(ctx context.Context, q Rows, run wave.Run) (*diagnose.StepRows, error) {
	states, err := q.StepStates(ctx, run.ID)
	if err != nil {
		return nil, err
	}
	attempts, err := q.Attempts(ctx, run.ID)
	if err != nil {
		return nil, err
	}
	metrics, err := q.Metrics(ctx, run.ID)
	if err != nil {
		return nil, err
	}
	progress, err := q.Progress(ctx, run.ID)
	if err != nil {
		return nil, err
	}
	if run.Kind == kindResume { // what it was handed of the run that it resumes is not an attempt of its own
		attempts = slices.DeleteFunc(attempts, func(a wave.AttemptRow) bool { return a.StartedAt < run.StartedAt.Unix() })
	}
	histories, err := d.historiesOf(ctx, q, []string{run.ID})
	if err != nil {
		return nil, err
	}
	rows := &diagnose.StepRows{
		Def: d.opt.Definition(run.Pipeline), History: histories[run.ID],
		States: map[string]wave.StepRow{}, Attempts: map[string][]wave.AttemptRow{},
		Metrics: map[string][]wave.MetricRow{}, Progress: map[string]wave.ProgressRow{},
	}
	rows.Collect(states, attempts, metrics, progress)
	if run.State.Active() {
		if rows.Activity, err = d.latestActivity(ctx, q, run.ID); err != nil {
			return nil, fmt.Errorf("select activity: %w", err)
		}
	}
	return rows, nil
}
