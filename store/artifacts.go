package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"

	"wavedeck/store/wave"
)

// Bounds of what is read of a run's artifacts.
const (
	maxArtifacts   = 5000
	maxPreviewSize = 8192 // characters
)

// Artifact returns the rows of one output of a run, a row per attempt, oldest
// first. ErrNotFound when there is none.
func (s *Store) Artifact(ctx context.Context, run, step, name string) ([]wave.Artifact, error) {
	return read(s, func(o *opened) ([]wave.Artifact, error) {
		rows, err := o.artifactsWhere(ctx, o, run, " AND a.step_id = ? AND a.name = ?", step, name)
		if err == nil && len(rows) == 0 {
			err = ErrNotFound
		}
		if err != nil {
			return nil, fmt.Errorf("load artifact %s/%s of run %s: %w", step, name, run, err)
		}
		return rows, nil
	})
}

// artifacts returns the outputs of a run in the order of their ids: a row per
// attempt, whether or not the file was written.
func (d *database) artifacts(ctx context.Context, q sqlx.QueryerContext, run string) ([]wave.Artifact, error) {
	return d.artifactsWhere(ctx, q, run, "")
}

func (d *database) artifactsWhere(ctx context.Context, q sqlx.QueryerContext, run, which string, args ...any) ([]wave.Artifact, error) {
	if !d.schema.has("artifact") {
		return nil, nil
	}
	columns := []string{
		"a.id", "a.run_id", d.schema.text("a", "artifact", "step_id"), d.schema.text("a", "artifact", "name"),
		d.schema.text("a", "artifact", "path"), d.schema.text("a", "artifact", "type"),
		d.schema.number("a", "artifact", "size_bytes"), d.schema.time("a", "artifact", "created_at"),
	}
	join := ""
	if d.schema.has("artifact_metadata") {
		columns = append(columns, fmt.Sprintf("COALESCE(substr(m.preview_text, 1, %d), '') AS preview_text", maxPreviewSize),
			d.schema.text("m", "artifact_metadata", "mime_type"))
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
	if err := sqlx.SelectContext(ctx, q, &rows, query, append(append([]any{run}, args...), maxArtifacts)...); err != nil {
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
