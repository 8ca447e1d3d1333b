package store

import (
	"context"
	"errors"
	"fmt"

	"wavedeck/store/sqlite"
)

// Inspection is what a database file holds, for a report. It is read once;
// nothing goes on after.
type Inspection struct {
	Path     string
	Phase    Phase
	Problem  string // why nothing below is known, and what to do; empty when it is
	ReadMode string // read-only or immutable
	sqlite.Contents
}

// Inspect reads what there is to say of the open database in a time that does
// not grow with it: Tables and LastEvent stay empty.
func (s *Store) Inspect(ctx context.Context) (Inspection, error) {
	return read(s.stateFile, func(o *opened) (Inspection, error) {
		in := Inspection{Path: s.Health().Path, Phase: Ready, ReadMode: string(o.db.Mode)}
		var err error
		in.Contents, err = o.db.Inspect(ctx)
		return in, err
	})
}

// Inspect reads what there is to say of the database at path. A file that is
// missing or cannot be read is told in the Inspection; the error is that of a
// query that failed, or of ctx.
func Inspect(ctx context.Context, path string) (in Inspection, err error) {
	in = Inspection{Path: path, Phase: Ready}
	db, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		var u *sqlite.UnreadableError
		if !errors.As(err, &u) {
			return in, err
		}
		in.Phase, in.Problem = phaseOf(u), u.Problem
		return in, nil
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	in.ReadMode = string(db.Mode)
	if in.Contents, err = db.Inspect(ctx); err == nil {
		err = db.Count(ctx, &in.Contents)
	}
	if err != nil {
		return in, fmt.Errorf("inspect %s: %w", path, err)
	}
	return in, nil
}
