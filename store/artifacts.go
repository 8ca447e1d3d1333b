package store

import (
	"context"
	"fmt"

	"wavedeck/store/wave"
)

// Artifact returns the rows of one output of a run, a row per attempt, oldest
// first. ErrNotFound when there is none.
func (s *Store) Artifact(ctx context.Context, run, step, name string) ([]wave.Artifact, error) {
	return read(s.stateFile, func(o *opened) ([]wave.Artifact, error) {
		rows, err := o.ArtifactsNamed(ctx, run, step, name)
		if err == nil && len(rows) == 0 {
			err = ErrNotFound
		}
		if err != nil {
			return nil, fmt.Errorf("load artifact %s/%s of run %s: %w", step, name, run, err)
		}
		return rows, nil
	})
}
