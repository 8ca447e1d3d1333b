package store

import (
	"context"

	"wavedeck/store/criteria"
	"wavedeck/store/runindex"
)

// FindRuns looks for the run that a text names: by its id, by the end of its
// id, or by any part of it, in any case. The first of these that fits some run
// decides, and at most limit of the runs it fits are returned.
func (s *Store) FindRuns(ctx context.Context, text string, limit int) (runindex.Found, error) {
	return read(s.stateFile, func(o *opened) (runindex.Found, error) { return o.index.FindRuns(ctx, text, limit) })
}

// Names are names of a field that runs have had and that contain a text, those
// that begin with it first, and of these the ones met last. FieldPipeline,
// FieldBranch and FieldKind have names.
func (s *Store) Names(ctx context.Context, field criteria.Field, part string, limit int) ([]string, error) {
	return read(s.stateFile, func(o *opened) ([]string, error) { return o.index.Names(ctx, field, part, limit) })
}
