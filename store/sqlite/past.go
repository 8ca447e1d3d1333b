package sqlite

import (
	"context"
	"fmt"

	"wavedeck/store/wave"
)

// pastRows are what runs that ended well tell of how a pipeline goes.
type pastRows struct{ source }

// pastRunsSQL finds a pipeline's latest runs that ended well, along
// idx_run_pipeline as pipelineRunsSQL does. A resumed run did a part of its
// steps only, a dry run none.
func pastRunsSQL() string {
	return `
SELECT run_id, started_at, completed_at FROM (
	SELECT r.run_id, r.status, %s AS kind, %s AS step, COALESCE(` + TimeSQL("r.started_at") + `, 0) AS started_at,
		COALESCE(` + TimeSQL("r.completed_at") + `, 0) AS completed_at
	FROM pipeline_run r WHERE r.pipeline_name = ? AND +r.run_id <> '' ORDER BY r.rowid DESC LIMIT ?)
WHERE status IN ('completed', 'completed_empty') AND kind <> 'resume' AND step <> ? AND started_at > 0 AND completed_at >= started_at LIMIT ?`
}

// GoodRuns lists the latest runs of a pipeline that ended well, the last first, and
// were no resumption and no dry run: of the newest runs so many are looked at, and so many listed.
func (s pastRows) GoodRuns(ctx context.Context, pipeline string, look, limit int) (rows []wave.BaselineRow, err error) {
	if !s.schema.Has("pipeline_run") {
		return nil, nil
	}
	kind, step := "''", "''"
	if s.schema["pipeline_run"]["run_kind"] {
		kind = "COALESCE(r.run_kind, '')"
	}
	if s.schema["pipeline_run"]["current_step"] {
		step = "COALESCE(r.current_step, '')"
	}
	err = s.sel(ctx, &rows, fmt.Sprintf(pastRunsSQL(), kind, step), pipeline, look, wave.ReasonDryRun, limit)
	return rows, err
}

// eventCountsSQL counts the events of each of the listed runs, no further than
// it matters: along the index alone.
const eventCountsSQL = `
WITH wanted(run_id) AS (VALUES %s)
SELECT w.run_id, (SELECT count(*) FROM (SELECT 1 FROM event_log WHERE run_id = w.run_id LIMIT ?)) AS n FROM wanted w`

// EventCounts counts the events of runs, of each no further than most.
func (s pastRows) EventCounts(ctx context.Context, runs []string, most int) (map[string]int, error) {
	if len(runs) == 0 || !s.schema.Has("event_log") {
		return nil, nil
	}
	var counts []struct {
		Run string `db:"run_id"`
		N   int    `db:"n"`
	}
	if err := s.sel(ctx, &counts, fmt.Sprintf(eventCountsSQL, tuples(len(runs), 1)), append(anys(runs), most)...); err != nil {
		return nil, err
	}
	byRun := make(map[string]int, len(counts))
	for _, c := range counts {
		byRun[c.Run] = c.N
	}
	return byRun, nil
}

func pastStepsSQL() string {
	return `
SELECT pipeline_id AS run_id, step_id, COALESCE(state, '') AS state, COALESCE(` + TimeSQL("started_at") + `, 0) AS started_at,
	COALESCE(` + TimeSQL("completed_at") + `, 0) AS completed_at
FROM step_state WHERE pipeline_id IN %s`
}

// PastSteps reads when the steps of runs were at work.
func (s pastRows) PastSteps(ctx context.Context, runs []string) (rows []wave.PastStepRow, err error) {
	if !s.schema.Has("step_state") {
		return nil, nil
	}
	err = s.sel(ctx, &rows, fmt.Sprintf(pastStepsSQL(), in(len(runs))), anys(runs)...)
	return rows, err
}

// silencesSQL measures the longest time between two events of each step among
// the first events of each run.
func silencesSQL() string {
	return `
WITH wanted(run_id) AS (VALUES %s)
SELECT run_id, step_id, max(gap) AS gap FROM (
	SELECT e.run_id, COALESCE(e.step_id, '') AS step_id,
		` + TimeSQL("e.timestamp") + ` - lag(` + TimeSQL("e.timestamp") + `) OVER (PARTITION BY e.run_id, e.step_id ORDER BY e.id) AS gap
	FROM wanted w CROSS JOIN event_log e ON e.id IN (SELECT id FROM (SELECT id FROM event_log WHERE run_id = w.run_id ORDER BY id LIMIT ?))
	WHERE COALESCE(e.step_id, '') <> '')
WHERE gap IS NOT NULL GROUP BY run_id, step_id`
}

// Silences measures the longest time between two events of each step among the first
// events of each run.
func (s pastRows) Silences(ctx context.Context, runs []string, first int) (rows []wave.SilenceRow, err error) {
	if len(runs) == 0 || !s.schema.Has("event_log") {
		return nil, nil
	}
	err = s.sel(ctx, &rows, fmt.Sprintf(silencesSQL(), tuples(len(runs), 1)), append(anys(runs), first)...)
	return rows, err
}
