package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"wavedeck/store/diagnose"
	"wavedeck/store/wave"
)

// Leftovers is what a run left for one that resumes it.
type Leftovers struct {
	// Lineage is the run, the run that it resumed itself, and so on: a step that
	// one of them did not run was done in the next.
	Lineage []string
	// Completed are the steps that the nearest run of the lineage that ran them has
	// completed, as it recorded them.
	Completed []string
	// Outputs are the recorded outputs of each step, oldest first, a row for each
	// attempt: of the nearest run of the lineage that has any.
	Outputs map[string][]wave.Artifact
	// Inner are those of the runs that were carried out for a step, in the order in
	// which these runs and the outputs came.
	Inner map[string][]InnerOutputs
	// Overwritten names the run that recorded the same path soon after, by the id of
	// an output. What was written there later is newer than its row says.
	Overwritten map[int64]string
	// Failed is the last attempt of a step, where that failed.
	Failed map[string]wave.Attempt
}

// InnerOutputs are the outputs of a run that was carried out for a step.
type InnerOutputs struct {
	Run      string
	Pipeline string
	Iterate  *wave.Iterate
	Outputs  []wave.Artifact
}

// kindResume is the run_kind of a run that resumes its parent.
const kindResume = "resume"

// Bounds of what a resume looks at.
const (
	maxLineage = 50   // resumes of resumes
	maxNested  = 8    // runs within runs
	maxInner   = 1000 // runs of one parent, the newest
)

// Leftovers reads what a run left. [ErrNotFound].
func (s *Store) Leftovers(ctx context.Context, run string) (Leftovers, error) {
	return read(s.stateFile, func(o *opened) (Leftovers, error) { return o.Leftovers(ctx, run) })
}

// Leftovers reads what a run left. [ErrNotFound].
func (d *Reader) Leftovers(ctx context.Context, id string) (Leftovers, error) {
	left := Leftovers{Outputs: map[string][]wave.Artifact{}, Inner: map[string][]InnerOutputs{}, Failed: map[string]wave.Attempt{}, Overwritten: map[int64]string{}}
	decided := map[string]bool{}
	for len(left.Lineage) < maxLineage && id != "" && !slices.Contains(left.Lineage, id) {
		runs, err := d.RunsByID(ctx, []string{id})
		if err == nil && len(runs) == 0 && len(left.Lineage) == 0 {
			err = ErrNotFound
		}
		if err != nil {
			return left, fmt.Errorf("load leftovers of run %s: %w", id, err)
		}
		if len(runs) == 0 {
			break // what it resumed was deleted
		}
		if err := errors.Join(d.addCompleted(ctx, &left, id, decided), d.addLeftovers(ctx, &left, runs[0])); err != nil {
			return left, fmt.Errorf("load leftovers of run %s: %w", id, err)
		}
		left.Lineage = append(left.Lineage, id)
		if id = ""; runs[0].Kind == kindResume {
			id = runs[0].Parent
		}
	}
	return left, nil
}

// addCompleted adds the steps that a run completed. What it passed over or never
// came to, an earlier one may have done.
func (d *Reader) addCompleted(ctx context.Context, left *Leftovers, run string, decided map[string]bool) error {
	rows, err := d.StepStates(ctx, run)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if decided[r.Step] || r.State == "pending" || r.State == "skipped" {
			continue
		}
		decided[r.Step] = true
		if r.State == "completed" || r.State == "completed_empty" {
			left.Completed = append(left.Completed, r.Step)
		}
	}
	return nil
}

// addLeftovers adds what a run left of the steps that no nearer one ran.
func (d *Reader) addLeftovers(ctx context.Context, left *Leftovers, run wave.Run) error {
	outputs, err := d.Artifacts(ctx, run.ID)
	if err != nil {
		return err
	}
	known := func(step string) bool { return len(left.Outputs[step])+len(left.Inner[step]) > 0 }
	nearer := map[string]bool{}
	for _, o := range outputs {
		if _, looked := nearer[o.StepID]; !looked {
			nearer[o.StepID] = known(o.StepID)
		}
		if !nearer[o.StepID] {
			left.Outputs[o.StepID] = append(left.Outputs[o.StepID], o)
		}
		if by, err := d.overwrittenSoon(ctx, o); err != nil {
			return err
		} else if by != "" {
			left.Overwritten[o.ID] = by
		}
	}
	inner, err := d.innerOutputs(ctx, run.ID, 1)
	if err != nil {
		return err
	}
	for step, runs := range inner {
		if own, looked := nearer[step]; !own && (looked || !known(step)) {
			left.Inner[step] = runs
		}
	}
	return d.addFailed(ctx, left, run.ID)
}

// overwrittenSoon is the run that recorded an output's path within the rows that
// follow, where the time of the file, in seconds, does not tell.
func (d *Reader) overwrittenSoon(ctx context.Context, o wave.Artifact) (run string, err error) {
	if strings.Contains(o.Path, "/"+o.RunID+"/") { // nobody else's workspace
		return "", nil
	}
	return d.Overwriter(ctx, o)
}

// innerOutputs are those of the runs that were carried out for the steps of a run,
// with what was carried out for theirs first.
func (d *Reader) innerOutputs(ctx context.Context, parent string, depth int) (map[string][]InnerOutputs, error) {
	ids, err := d.NewestChildren(ctx, parent, maxInner)
	if err != nil {
		return nil, fmt.Errorf("select runs within a run: %w", err)
	}
	slices.Reverse(ids)
	runs, err := d.RunsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(runs, func(a, b wave.Run) int { return slices.Index(ids, a.ID) - slices.Index(ids, b.ID) })
	all := map[string][]InnerOutputs{}
	for _, run := range runs {
		if run.Kind == kindResume || run.ParentStep == "" {
			continue
		}
		in := InnerOutputs{Run: run.ID, Pipeline: run.Pipeline, Iterate: run.Iterate}
		if depth < maxNested {
			nested, err := d.innerOutputs(ctx, run.ID, depth+1)
			if err != nil {
				return nil, err
			}
			for _, step := range slices.Sorted(maps.Keys(nested)) {
				for _, n := range nested[step] {
					in.Outputs = append(in.Outputs, n.Outputs...)
				}
			}
		}
		own, err := d.Artifacts(ctx, run.ID)
		if err != nil {
			return nil, err
		}
		in.Outputs = append(in.Outputs, own...)
		all[run.ParentStep] = append(all[run.ParentStep], in)
	}
	return all, nil
}

// addFailed adds the attempts that were the last of their step and failed.
func (d *Reader) addFailed(ctx context.Context, left *Leftovers, run string) error {
	if len(left.Lineage) > 0 {
		return nil // of the run alone, as Wave has it
	}
	rows, err := d.Attempts(ctx, run)
	if err != nil {
		return err
	}
	byStep := map[string][]wave.AttemptRow{}
	for _, r := range rows {
		byStep[r.Step] = append(byStep[r.Step], r)
	}
	for step, rows := range byStep {
		if attempts := diagnose.MergeAttempts(rows); attempts[len(attempts)-1].State == wave.Failed {
			left.Failed[step] = attempts[len(attempts)-1]
		}
	}
	return nil
}
