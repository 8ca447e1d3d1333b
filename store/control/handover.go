package control

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

	"wavedeck/store/sqlite"
	"wavedeck/store/wave"
)

// Handover is what a resumed run is given of the run that it resumes, where the
// program that carries it out looks for rows of the run's own id.
type Handover struct {
	Outputs []HandedOutput
	Step    string        // the step that the run begins with
	Failed  *wave.Attempt // how that step failed; nil: it did not
}

// HandedOutput is an output that was copied for the run.
type HandedOutput struct {
	Step, Name, Path, Type string
	Size                   int64
}

// HandOver records what a run that has not begun is given. The attempt keeps
// when it began, before the run did: so it is told from the run's own.
func (c *Control) HandOver(ctx context.Context, run string, h Handover) error {
	err := c.write(ctx, func(tx *sqlx.Tx, sch sqlite.Schema) error {
		now := c.now().Unix()
		const output = `INSERT INTO artifact (run_id, step_id, name, path, type, size_bytes, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)`
		for _, o := range h.Outputs {
			if _, err := tx.ExecContext(ctx, output, run, o.Step, o.Name, o.Path, o.Type, o.Size, now); err != nil {
				return fmt.Errorf("insert output %q: %w", o.Name, err)
			}
		}
		if h.Failed == nil || !sch.Has("step_attempt") {
			return nil
		}
		const attempt = `INSERT INTO step_attempt (run_id, step_id, attempt, state, error_message, failure_class, stdout_tail, started_at)
VALUES (?, ?, ?, 'failed', ?, ?, ?, ?)`
		_, err := tx.ExecContext(ctx, attempt, run, h.Step, h.Failed.Number, h.Failed.Error, h.Failed.FailureClass, h.Failed.OutputTail,
			min(h.Failed.StartedAt.Unix(), now-1))
		return err
	})
	if err != nil {
		return fmt.Errorf("hand over to run %s: %w", run, err)
	}
	return nil
}
