package storetest

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
)

// LongRun adds a completed run of the pipeline "long-haul" with exactly so many
// events over so many steps, step-01 onwards; it ends at [Base]. Every step is a
// persona's and has its step_state, attempt, metric and artifact; every tenth
// fails its contract once and succeeds at the second attempt. Most of the events
// are the noise of real long runs, stream_activity and step_progress.
// It takes at least 10 events a step and 3 more.
func LongRun(ctx context.Context, db *sqlx.DB, id string, events, steps int) error {
	if steps < 1 || events < 10*steps+3 {
		return fmt.Errorf("long run %s: %d events are too few for %d steps", id, events, steps)
	}
	err := inTx(ctx, db, func(tx *sqlx.Tx) error {
		l := newLongRun(tx, id, events, steps)
		if err := l.write(ctx); err != nil {
			return err
		}
		for _, b := range []*batch{l.runs, l.events, l.states, l.attempts, l.metrics, l.artifacts} {
			if err := b.flush(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("long run %s: %w", id, err)
	}
	return nil
}

// LongRun adds such a run to the builder's database and returns its id.
func (b *Builder) LongRun(events, steps int) string {
	b.t.Helper()
	b.runs++
	id := fmt.Sprintf("long-haul-%s-%04x", Base.Format("20060102-150405"), b.runs)
	if err := LongRun(b.t.Context(), b.DB, id, events, steps); err != nil {
		b.t.Fatal(err)
	}
	return id
}

// secondsPerStep is how long each step of a long run takes.
const secondsPerStep = 90

type longRun struct {
	id         string
	eventCount int
	steps      int
	start      int64 // unix seconds
	tokens     int

	runs, events, states, attempts, metrics, artifacts *batch
}

func newLongRun(tx *sqlx.Tx, id string, events, steps int) *longRun {
	return &longRun{
		id: id, eventCount: events, steps: steps,
		start: Base.Add(-time.Duration(steps) * secondsPerStep * time.Second).Unix(),
		runs: newBatch(tx, "pipeline_run", `run_id pipeline_name status input current_step total_tokens
started_at completed_at last_heartbeat`),
		events: newBatch(tx, "event_log", `run_id timestamp step_id state persona message tokens_used duration_ms
model adapter configured_model`),
		states: newBatch(tx, "step_state", `step_id pipeline_id state retry_count started_at completed_at
error_message`),
		attempts: newBatch(tx, "step_attempt", `run_id step_id attempt state error_message failure_class
duration_ms started_at completed_at`),
		metrics: newBatch(tx, "performance_metric", `run_id step_id pipeline_name persona started_at completed_at
duration_ms tokens_used success error_message`),
		artifacts: newBatch(tx, "artifact", "run_id step_id name path type size_bytes created_at"),
	}
}

func (l *longRun) write(ctx context.Context) error {
	const ownEvents = 3
	if err := l.event(ctx, l.start, "", "started", "", fmt.Sprintf("input=\"all of it\" steps=%d", l.steps), 0, 0); err != nil {
		return err
	}
	message := "workspace root: .agents/workspaces/" + l.id + "/"
	if err := l.event(ctx, l.start, "", "started", "", message, 0, 0); err != nil {
		return err
	}
	share, rest := (l.eventCount-ownEvents)/l.steps, (l.eventCount-ownEvents)%l.steps
	for i := range l.steps {
		events := share
		if i < rest {
			events++
		}
		if err := l.step(ctx, i, events); err != nil {
			return err
		}
	}
	end := Base.Unix()
	const state = `INSERT INTO pipeline_state (pipeline_id, pipeline_name, status, input, created_at, updated_at)
VALUES (?1, ?1, 'completed', 'all of it', ?2, ?3)`
	if _, err := l.runs.tx.ExecContext(ctx, state, l.id, l.start, end); err != nil {
		return err
	}
	message = fmt.Sprintf("%d steps completed", l.steps)
	if err := l.event(ctx, end, "", "completed", "", message, 0, (end-l.start)*1000); err != nil {
		return err
	}
	return l.runs.add(ctx, l.id, "long-haul", "completed", "all of it", "", l.tokens, l.start, end, end)
}

// step writes step i with so many events: noise besides one more than four for
// each attempt.
func (l *longRun) step(ctx context.Context, i, events int) error {
	personas := [...]string{"navigator", "craftsman", "reviewer", "summarizer"}
	id, persona := fmt.Sprintf("step-%02d", i+1), personas[i%len(personas)]
	start := l.start + int64(i)*secondsPerStep
	end := start + secondsPerStep
	noise, from, attempts, tokens := events-5, start, 1, 0
	if i%10 == 9 {
		attempts = 2
		noise -= 4
		half := start + secondsPerStep/2
		spent, err := l.attempt(ctx, id, persona, 1, attempts, noise/2, from, half)
		if err != nil {
			return err
		}
		noise, from, tokens = noise-noise/2, half, spent
	}
	spent, err := l.attempt(ctx, id, persona, attempts, attempts, noise, from, end)
	if err != nil {
		return err
	}
	if err := l.event(ctx, end, id, "completed", persona, "", spent, (end-from)*1000); err != nil {
		return err
	}
	tokens += spent
	l.tokens += tokens
	message := fmt.Sprintf("%d/%d steps completed", i+1, l.steps)
	if err := l.event(ctx, end, "", "running", "", message, 0, 0); err != nil {
		return err
	}
	if err := l.states.add(ctx, id, l.id, "completed", attempts-1, start, end, ""); err != nil {
		return err
	}
	path := ".agents/workspaces/" + l.id + "/" + id + "/.agents/artifacts/" + id + "/report"
	return l.artifacts.add(ctx, l.id, id, "report", path, "markdown", 1000+i, end)
}

// attempt writes attempt n of a step and returns the tokens it spent. Its events
// are running, noise, a step_progress with the tokens, and the contract's result,
// followed by retrying where that is bad.
func (l *longRun) attempt(ctx context.Context, id, persona string, n, of, noise int, from, to int64) (int, error) {
	model := modelOf{"claude-sonnet-4", "claude", "sonnet"}
	if err := l.eventOf(ctx, from, id, "running", persona, "Starting "+persona+" persona", 0, 0, model); err != nil {
		return 0, err
	}
	activities := [...]string{"Read store/runs.go", "Bash go test ./...", "Edit views/run.templ", "Grep started_at"}
	for k := range noise {
		at, state, message := from+(to-from)*int64(k)/int64(noise), "stream_activity", activities[k%len(activities)]
		if k%5 == 4 {
			state, message = "step_progress", ""
		}
		if err := l.event(ctx, at, id, state, persona, message, 0, 0); err != nil {
			return 0, err
		}
	}
	tokens := 2000 + 10*n
	if err := l.event(ctx, to, id, "step_progress", persona, "", tokens, 0); err != nil {
		return 0, err
	}
	state, class, problem := "succeeded", "", ""
	verdict := "contract_passed"
	if n < of {
		state, class, problem = "failed", "contract_failure", "contract validation failed: the report has no summary"
		verdict = "contract_failed"
	}
	if err := l.event(ctx, to, id, verdict, persona, problem, 0, 0); err != nil {
		return 0, err
	}
	if n < of {
		message := fmt.Sprintf("attempt %d/%d", n+1, of)
		if err := l.event(ctx, to, id, "retrying", persona, message, 0, 0); err != nil {
			return 0, err
		}
	}
	ms := (to - from) * 1000
	if err := l.attempts.add(ctx, l.id, id, n, "running", "", "", 0, from, nil); err != nil {
		return 0, err
	}
	if err := l.attempts.add(ctx, l.id, id, n, state, problem, class, ms, from, to); err != nil {
		return 0, err
	}
	return tokens, l.metrics.add(ctx, l.id, id, "long-haul", persona, from, to, ms, tokens, state == "succeeded", problem)
}

type modelOf struct{ model, adapter, configured string }

func (l *longRun) event(ctx context.Context, at int64, step, state, persona, message string, tokens int, ms int64) error {
	return l.eventOf(ctx, at, step, state, persona, message, tokens, ms, modelOf{})
}

func (l *longRun) eventOf(
	ctx context.Context, at int64, step, state, persona, message string, tokens int, ms int64, m modelOf,
) error {
	return l.events.add(ctx, l.id, at, step, state, persona, message, tokens, ms, m.model, m.adapter, m.configured)
}
