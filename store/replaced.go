package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"wavedeck/store/diagnose"
	"wavedeck/store/wave"
)

// Bounds of the search for the run that overwrote a file: Wave has no index of
// paths, so only the runs that are likely to have are looked at.
const (
	laterRuns = 50   // newest runs of the same pipeline
	laterRows = 5000 // of their artifacts
	nearRows  = 1000 // artifacts recorded next, last, and around the time at which a file was modified
	nearFiles = 32   // files for which those are looked at
)

// Replaced says which artifacts of a run have a file that cannot be the one they
// were recorded for: another run has recorded the same path since, the file was
// modified after the run ended, or its size is another. files are by the id of
// their artifact; of one that is not in there nothing is said.
func (s *Store) Replaced(ctx context.Context, run wave.Run, artifacts []wave.Artifact, files map[int64]diagnose.FileInfo) (map[int64]diagnose.Replacement, error) {
	return read(s.stateFile, func(o *opened) (map[int64]diagnose.Replacement, error) {
		found, err := o.replaced(ctx, run, artifacts, files)
		if err != nil {
			return nil, fmt.Errorf("compare artifacts of run %s with their files: %w", run.ID, err)
		}
		return found, nil
	})
}

func (d *Reader) replaced(ctx context.Context, run wave.Run, artifacts []wave.Artifact, files map[int64]diagnose.FileInfo) (map[int64]diagnose.Replacement, error) {
	lastOwn := map[string]wave.Artifact{} // row of each path
	for _, a := range artifacts {
		if own, ok := lastOwn[a.Path]; !ok || a.ID > own.ID {
			lastOwn[a.Path] = a
		}
	}
	var shared []wave.Artifact // those that another run may have written
	for _, a := range artifacts {
		if _, ok := files[a.ID]; ok && !diagnose.OwnPath(a.Path, run.ID) {
			shared = append(shared, lastOwn[a.Path])
		}
	}
	others, err := d.laterRows(ctx, run, shared, files)
	if err != nil {
		return nil, err
	}
	found := map[int64]diagnose.Replacement{}
	for _, a := range artifacts {
		file, ok := files[a.ID]
		if !ok {
			continue
		}
		own := lastOwn[a.Path]
		if r, is := diagnose.ReplacementOf(run, own, others[a.Path], file); is {
			found[a.ID] = r
		} else if own.ID != a.ID {
			found[a.ID] = diagnose.Replacement{Attempt: true}
		}
	}
	return found, nil
}

// laterRows finds, by path, the newest row that another run has recorded after
// this one: among the newest runs of its pipeline, the rows that come next, the
// newest rows, and those written when the file was.
func (d *Reader) laterRows(ctx context.Context, run wave.Run, own []wave.Artifact, files map[int64]diagnose.FileInfo) (map[string]wave.Artifact, error) {
	newest := map[string]wave.Artifact{}
	if len(own) == 0 {
		return newest, nil
	}
	mine := make(map[string]int64, len(own))
	var times []time.Time
	first := own[0].ID
	for _, a := range own {
		mine[a.Path], first = a.ID, min(first, a.ID)
		if at := files[a.ID].Modified.Truncate(time.Second); !slices.Contains(times, at) && len(times) < nearFiles {
			times = append(times, at)
		}
	}
	add := func(rows []wave.Artifact) {
		for _, a := range rows {
			if id, ok := mine[a.Path]; ok && a.ID > id && a.ID > newest[a.Path].ID && a.RunID != run.ID {
				newest[a.Path] = a
			}
		}
	}
	for _, look := range []func() ([]wave.Artifact, error){
		func() ([]wave.Artifact, error) { return d.PipelineArtifacts(ctx, run.Pipeline, laterRuns, laterRows) },
		func() ([]wave.Artifact, error) { return d.NextArtifacts(ctx, first, nearRows) },
		func() ([]wave.Artifact, error) { return d.NewestArtifacts(ctx, nearRows) },
	} {
		rows, err := look()
		if err != nil {
			return nil, err
		}
		add(rows)
	}
	for _, at := range times {
		first, err := d.FirstArtifactSince(ctx, at.Add(-diagnose.ClockGrain).Unix())
		if err != nil {
			return nil, err
		}
		rows, err := d.NextArtifacts(ctx, first, nearRows)
		if err != nil {
			return nil, err
		}
		add(rows)
	}
	return newest, nil
}
