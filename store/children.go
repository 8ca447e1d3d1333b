package store

import (
	"context"
	"fmt"

	"wavedeck/store/wave"
)

// Children returns the first direct children of each parent, oldest first, at
// most limit of each. It asks once for all of at most MaxLimit parents.
func (s *Store) Children(ctx context.Context, parents []string, limit int) (map[string][]wave.Run, error) {
	return read(s.stateFile, func(o *opened) (map[string][]wave.Run, error) { return o.children(ctx, parents, limit) })
}

func (d *runReader) children(ctx context.Context, parents []string, limit int) (map[string][]wave.Run, error) {
	ids, err := d.Rows.Children(ctx, parents, limit)
	if err != nil {
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
