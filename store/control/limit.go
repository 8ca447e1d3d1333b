package control

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"wavedeck/store/sqlite"
)

// LimitError says that as many runs are active as may be.
type LimitError struct {
	Active, Limit int
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("%d runs are active, and no more than %d may be", e.Active, e.Limit)
}

// limitAge is how old an unfinished run may be and still count against a
// limit, as Wave counts.
const limitAge = 300 * time.Second

func activeSQL() string {
	return "SELECT count(*) FROM pipeline_run WHERE status IN ('pending', 'running') AND " + sqlite.TimeSQL("started_at") + " > ?"
}

func checkLimit(ctx context.Context, tx *sqlx.Tx, now time.Time, limit int) error {
	if limit <= 0 {
		return nil
	}
	var active int
	if err := tx.GetContext(ctx, &active, activeSQL(), now.Add(-limitAge).Unix()); err != nil {
		return fmt.Errorf("count active runs: %w", err)
	}
	if active >= limit {
		return &LimitError{Active: active, Limit: limit}
	}
	return nil
}
