package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"wavedeck/store/wave"
)

// Bounds of the search for the run that overwrote a file: Wave has no index of
// paths, so only the runs that are likely to have are looked at.
const (
	laterRuns  = 50              // newest runs of the same pipeline
	laterRows  = 5000            // of their artifacts
	nearRows   = 1000            // artifacts recorded next, last, and around the time at which a file was modified
	nearFiles  = 32              // files for which those are looked at
	clockGrain = 2 * time.Second // by which the times of rows and of files may differ
)

// FileInfo is what the file system says of an artifact's file.
type FileInfo struct {
	Size     int64
	Modified time.Time // also when the name was made to lead to another file
}

// Replacement says that the file of an artifact does not hold what its row was
// written for.
type Replacement struct {
	By      string // run that wrote it since; empty: not known, or this run
	Attempt bool   // a later attempt of this run wrote it
	Ended   bool   // it was modified after the run had ended
}

// Text is the replacement in a sentence.
func (r Replacement) Text() string {
	switch {
	case r.By != "":
		return "Overwritten by " + r.By
	case r.Attempt:
		return "Overwritten by a later attempt of this run"
	case r.Ended:
		return "Changed since the run ended"
	default:
		return "Changed after it was recorded"
	}
}

// Replaced tells which artifacts of a run have a file that cannot be the one they
// were recorded for: another run has recorded the same path since, the file was
// modified after the run ended, or its size is another. files are by the id of
// their artifact; of one that is not in there nothing is said.
func (s *Store) Replaced(ctx context.Context, run wave.Run, artifacts []wave.Artifact, files map[int64]FileInfo) (map[int64]Replacement, error) {
	return read(s, func(o *opened) (map[int64]Replacement, error) {
		found, err := o.replaced(ctx, run, artifacts, files)
		if err != nil {
			return nil, fmt.Errorf("compare artifacts of run %s with their files: %w", run.ID, err)
		}
		return found, nil
	})
}

func (d *database) replaced(ctx context.Context, run wave.Run, artifacts []wave.Artifact, files map[int64]FileInfo) (map[int64]Replacement, error) {
	lastOwn := map[string]wave.Artifact{} // row of each path
	for _, a := range artifacts {
		if own, ok := lastOwn[a.Path]; !ok || a.ID > own.ID {
			lastOwn[a.Path] = a
		}
	}
	var shared []wave.Artifact // those that another run may have written
	for _, a := range artifacts {
		if _, ok := files[a.ID]; ok && !ownPath(a.Path, run.ID) {
			shared = append(shared, lastOwn[a.Path])
		}
	}
	others, err := d.laterRows(ctx, run, shared, files)
	if err != nil {
		return nil, err
	}
	found := map[int64]Replacement{}
	for _, a := range artifacts {
		file, ok := files[a.ID]
		if !ok {
			continue
		}
		own := lastOwn[a.Path]
		if r, is := replacement(run, own, others[a.Path], file); is {
			found[a.ID] = r
		} else if own.ID != a.ID {
			found[a.ID] = Replacement{Attempt: true}
		}
	}
	return found, nil
}

// ownPath reports whether a path lies in a directory of one run.
func ownPath(path, run string) bool {
	return run != "" && slices.Contains(strings.Split(filepath.ToSlash(path), "/"), run)
}

// replacement compares the last row that a run has of a path with the file. Times
// of rows are whole seconds, and some file systems keep no more.
func replacement(run wave.Run, own, other wave.Artifact, file FileInfo) (Replacement, bool) {
	resized := own.Size > 0 && file.Size != own.Size // a size of 0 is that of a file which was missing, too
	// A row of another run alone does not tell that it wrote the file: it may have
	// found this run's and recorded that.
	if other.ID > own.ID && (resized || !file.Modified.Before(own.CreatedAt.Add(time.Second)) || !other.CreatedAt.After(own.CreatedAt.Add(time.Second))) {
		return Replacement{By: other.RunID}, true
	}
	if !run.State.Ended() {
		return Replacement{}, false // it may be at it
	}
	end := latest(run.CompletedAt, run.CancelledAt, run.LastEvent)
	if !end.IsZero() && file.Modified.After(latest(end, own.CreatedAt).Add(clockGrain)) {
		return Replacement{Ended: true}, true
	}
	appeared := own.Size == 0 && file.Size > 0 && file.Modified.After(own.CreatedAt.Add(clockGrain))
	return Replacement{}, resized || appeared
}

// Where rows of other runs are looked for.
const (
	pipelineArtifacts = `pipeline_run r CROSS JOIN artifact a ON a.run_id = r.run_id
WHERE r.run_id IN (SELECT run_id FROM pipeline_run WHERE pipeline_name = ? ORDER BY rowid DESC LIMIT ?) LIMIT ?`
	nextArtifacts   = `artifact a WHERE a.id >= ? ORDER BY a.id LIMIT ?`
	newestArtifacts = `artifact a ORDER BY a.id DESC LIMIT ?`
)

// laterRows finds, by path, the newest row that another run has recorded after
// this one: among the newest runs of its pipeline, the rows that come next, the
// newest rows, and those written when the file was.
func (d *database) laterRows(ctx context.Context, run wave.Run, own []wave.Artifact, files map[int64]FileInfo) (map[string]wave.Artifact, error) {
	newest := map[string]wave.Artifact{}
	if len(own) == 0 || !d.schema.has("artifact") {
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
	rows, err := d.artifactRows(ctx, pipelineArtifacts, run.Pipeline, laterRuns, laterRows)
	if err != nil {
		return nil, err
	}
	add(rows)
	for _, next := range []struct {
		from string
		args []any
	}{{nextArtifacts, []any{first, nearRows}}, {newestArtifacts, []any{nearRows}}} {
		if rows, err = d.artifactRows(ctx, next.from, next.args...); err != nil {
			return nil, err
		}
		add(rows)
	}
	for _, at := range times {
		first, err := d.firstArtifactSince(ctx, at.Add(-clockGrain))
		if err != nil {
			return nil, err
		}
		rows, err := d.artifactRows(ctx, nextArtifacts, first, nearRows)
		if err != nil {
			return nil, err
		}
		add(rows)
	}
	return newest, nil
}

func (d *database) artifactRows(ctx context.Context, from string, args ...any) ([]wave.Artifact, error) {
	var rows []struct {
		ID        int64  `db:"id"`
		RunID     string `db:"run_id"`
		Path      string `db:"path"`
		CreatedAt int64  `db:"created_at"`
	}
	query := "SELECT a.id, a.run_id, " + d.schema.text("a", "artifact", "path") + ", " + d.schema.time("a", "artifact", "created_at") + " FROM " + from
	if err := sqlx.SelectContext(ctx, d, &rows, query, args...); err != nil {
		return nil, fmt.Errorf("select artifacts of other runs: %w", err)
	}
	artifacts := make([]wave.Artifact, len(rows))
	for i, r := range rows {
		artifacts[i] = wave.Artifact{ID: r.ID, RunID: r.RunID, Path: r.Path, CreatedAt: wave.Unix(r.CreatedAt)}
	}
	return artifacts, nil
}

// firstArtifactSince is the id of the first artifact recorded since a time. Ids
// are given out in the order of time, so that it is found by halving.
func (d *database) firstArtifactSince(ctx context.Context, since time.Time) (int64, error) {
	var low, high int64
	if err := d.QueryRowxContext(ctx, "SELECT COALESCE((SELECT min(id) FROM artifact), 0), COALESCE((SELECT max(id) FROM artifact), 0)").Scan(&low, &high); err != nil {
		return 0, fmt.Errorf("find ids of artifacts: %w", err)
	}
	high++
	query := "SELECT a.id, " + d.schema.time("a", "artifact", "created_at") + " FROM artifact a WHERE a.id >= ? ORDER BY a.id LIMIT 1"
	for low < high {
		middle := low + (high-low)/2
		var id, at int64
		err := d.QueryRowxContext(ctx, query, middle).Scan(&id, &at)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			high = middle
		case err != nil:
			return 0, fmt.Errorf("find artifacts by time: %w", err)
		case at < since.Unix():
			low = id + 1
		default:
			high = middle
		}
	}
	return low, nil
}
