package store

import (
	"context"
	"fmt"
	"strings"

	"wavedeck/store/wave"
)

// childrenSQL is one parent's share of the statement for all of them.
const childrenSQL = `SELECT run_id FROM (SELECT run_id FROM pipeline_run WHERE parent_run_id = ? AND run_id <> '' AND run_id <> parent_run_id ORDER BY started_at, rowid LIMIT ?)`

// Children returns the first direct children of each parent, oldest first, at
// most limit of each. It asks once for all of at most MaxLimit parents.
func (s *Store) Children(ctx context.Context, parents []string, limit int) (map[string][]wave.Run, error) {
	return read(s, func(o *opened) (map[string][]wave.Run, error) { return o.children(ctx, parents, limit) })
}

func (d *database) children(ctx context.Context, parents []string, limit int) (map[string][]wave.Run, error) {
	if len(parents) == 0 || !d.schema["pipeline_run"]["parent_run_id"] {
		return nil, nil
	}
	parts := make([]string, len(parents))
	args := make([]any, 0, 2*len(parents))
	for i, parent := range parents {
		parts[i] = childrenSQL
		args = append(args, parent, limit)
	}
	var ids []string
	if err := d.SelectContext(ctx, &ids, strings.Join(parts, " UNION ALL "), args...); err != nil {
		return nil, fmt.Errorf("select children of %d runs: %w", len(parents), err)
	}
	runs, err := d.runsOf(ctx, d, ids)
	if err != nil {
		return nil, fmt.Errorf("load children of %d runs: %w", len(parents), err)
	}
	children := map[string][]wave.Run{}
	for _, run := range runs {
		children[run.Parent] = append(children[run.Parent], run)
	}
	return children, nil
}
