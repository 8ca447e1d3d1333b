package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"wavedeck/store/wave"
)

// outputRows are what runs left and what was chosen in them.
type outputRows struct{ source }

// Bounds of what is read of a run's artifacts.
const (
	maxArtifacts   = 5000
	maxPreviewSize = 8192 // characters
)

// Artifacts reads the outputs of a run in the order of their ids: a row per
// attempt, whether or not the file was written.
func (s outputRows) Artifacts(ctx context.Context, run string) ([]wave.Artifact, error) {
	return s.artifactsWhere(ctx, run, "")
}

// ArtifactsNamed reads those of one name and step.
func (s outputRows) ArtifactsNamed(ctx context.Context, run, step, name string) ([]wave.Artifact, error) {
	return s.artifactsWhere(ctx, run, " AND a.step_id = ? AND a.name = ?", step, name)
}

func (s outputRows) artifactsWhere(ctx context.Context, run, which string, args ...any) ([]wave.Artifact, error) {
	if !s.schema.Has("artifact") {
		return nil, nil
	}
	columns := []string{
		"a.id", "a.run_id", s.schema.text("a", "artifact", "step_id"), s.schema.text("a", "artifact", "name"),
		s.schema.text("a", "artifact", "path"), s.schema.text("a", "artifact", "type"),
		s.schema.number("a", "artifact", "size_bytes"), s.schema.time("a", "artifact", "created_at"),
	}
	join := ""
	if s.schema.Has("artifact_metadata") {
		columns = append(columns, fmt.Sprintf("COALESCE(substr(m.preview_text, 1, %d), '') AS preview_text", maxPreviewSize),
			s.schema.text("m", "artifact_metadata", "mime_type"))
		join = " LEFT JOIN artifact_metadata m ON m.artifact_id = a.id AND m.run_id = a.run_id"
	} else {
		columns = append(columns, "'' AS preview_text", "'' AS mime_type")
	}
	var rows []struct {
		ID        int64  `db:"id"`
		RunID     string `db:"run_id"`
		StepID    string `db:"step_id"`
		Name      string `db:"name"`
		Path      string `db:"path"`
		Type      string `db:"type"`
		Size      int64  `db:"size_bytes"`
		CreatedAt int64  `db:"created_at"`
		Preview   string `db:"preview_text"`
		MIME      string `db:"mime_type"`
	}
	query := "SELECT " + strings.Join(columns, ", ") + " FROM artifact a" + join + " WHERE a.run_id = ?" + which + " ORDER BY a.id LIMIT ?"
	if err := s.sel(ctx, &rows, query, append(append([]any{run}, args...), maxArtifacts)...); err != nil {
		return nil, fmt.Errorf("select artifacts: %w", err)
	}
	artifacts := make([]wave.Artifact, len(rows))
	for i, r := range rows {
		artifacts[i] = wave.Artifact{
			ID: r.ID, RunID: r.RunID, StepID: r.StepID, Name: r.Name, Path: r.Path, Type: r.Type,
			Size: r.Size, CreatedAt: wave.Unix(r.CreatedAt), Preview: r.Preview, MIME: r.MIME,
		}
	}
	return artifacts, nil
}

// Where rows of other runs are looked for.
const (
	pipelineArtifacts = `pipeline_run r CROSS JOIN artifact a ON a.run_id = r.run_id
WHERE r.run_id IN (SELECT run_id FROM pipeline_run WHERE pipeline_name = ? ORDER BY rowid DESC LIMIT ?) LIMIT ?`
	nextArtifacts   = `artifact a WHERE a.id >= ? ORDER BY a.id LIMIT ?`
	newestArtifacts = `artifact a ORDER BY a.id DESC LIMIT ?`
)

// PipelineArtifacts reads the paths of what the newest runs of a pipeline left.
func (s outputRows) PipelineArtifacts(ctx context.Context, pipeline string, runs, limit int) ([]wave.Artifact, error) {
	return s.artifactRows(ctx, pipelineArtifacts, pipeline, runs, limit)
}

// NextArtifacts reads the paths of the outputs from an id on.
func (s outputRows) NextArtifacts(ctx context.Context, id int64, limit int) ([]wave.Artifact, error) {
	return s.artifactRows(ctx, nextArtifacts, id, limit)
}

// NewestArtifacts reads the paths of the outputs that were recorded last.
func (s outputRows) NewestArtifacts(ctx context.Context, limit int) ([]wave.Artifact, error) {
	return s.artifactRows(ctx, newestArtifacts, limit)
}

func (s outputRows) artifactRows(ctx context.Context, from string, args ...any) ([]wave.Artifact, error) {
	if !s.schema.Has("artifact") {
		return nil, nil
	}
	var rows []struct {
		ID        int64  `db:"id"`
		RunID     string `db:"run_id"`
		Path      string `db:"path"`
		CreatedAt int64  `db:"created_at"`
	}
	query := "SELECT a.id, a.run_id, " + s.schema.text("a", "artifact", "path") + ", " + s.schema.time("a", "artifact", "created_at") + " FROM " + from
	if err := s.sel(ctx, &rows, query, args...); err != nil {
		return nil, fmt.Errorf("select artifacts of other runs: %w", err)
	}
	artifacts := make([]wave.Artifact, len(rows))
	for i, r := range rows {
		artifacts[i] = wave.Artifact{ID: r.ID, RunID: r.RunID, Path: r.Path, CreatedAt: wave.Unix(r.CreatedAt)}
	}
	return artifacts, nil
}

// FirstArtifactSince is the id of the first artifact recorded since a second. Ids
// are given out in the order of time, so that it is found by halving.
func (s outputRows) FirstArtifactSince(ctx context.Context, second int64) (int64, error) {
	var low, high int64
	if !s.schema.Has("artifact") {
		return 0, nil
	}
	if err := s.q.QueryRowxContext(ctx, "SELECT COALESCE((SELECT min(id) FROM artifact), 0), COALESCE((SELECT max(id) FROM artifact), 0)").Scan(&low, &high); err != nil {
		return 0, fmt.Errorf("find ids of artifacts: %w", err)
	}
	high++
	query := "SELECT a.id, " + s.schema.time("a", "artifact", "created_at") + " FROM artifact a WHERE a.id >= ? ORDER BY a.id LIMIT 1"
	for low < high {
		middle := low + (high-low)/2
		var id, at int64
		err := s.q.QueryRowxContext(ctx, query, middle).Scan(&id, &at)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			high = middle
		case err != nil:
			return 0, fmt.Errorf("find artifacts by time: %w", err)
		case at < second:
			low = id + 1
		default:
			high = middle
		}
	}
	return low, nil
}

// Overwriter is the run that recorded an output's path within the rows that follow;
// empty: none did.
func (s outputRows) Overwriter(ctx context.Context, o wave.Artifact) (run string, err error) {
	const query = `SELECT run_id FROM (SELECT run_id, path FROM artifact WHERE id > ? ORDER BY id LIMIT 1000) WHERE path = ? AND run_id <> ? LIMIT 1`
	if err := s.get(ctx, &run, query, o.ID, o.Path, o.RunID); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("look for a later output: %w", err)
	}
	return run, nil
}
