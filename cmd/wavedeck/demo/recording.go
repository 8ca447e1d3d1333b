package demo

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"wavedeck/store/manifest"
	"wavedeck/store/statedb"
	"wavedeck/store/tape"
)

// recording is what Wave would have committed while the planned runs went on,
// with the files they would have left. The same seed and epoch give the same
// recording, in whichever process.
type recording struct {
	epoch   time.Time
	seed    uint64
	runs    uint64 // how many were added, so that each has its own luck
	project *manifest.Catalog
	entries []tape.Entry      // sorted only after sort
	files   map[string][]byte // by the path in an artifact's row
}

func newRecording(project *manifest.Catalog, epoch time.Time, seed uint64) *recording {
	return &recording{epoch: epoch, seed: seed, project: project, files: map[string][]byte{}}
}

// sort puts the entries into the order of their commits.
func (r *recording) sort() {
	slices.SortStableFunc(r.entries, func(a, b tape.Entry) int { return int(a.At - b.At) })
}

// add plays a plan through and returns the run's id.
func (r *recording) add(p plan) string {
	run := r.perform(p)
	r.entries = append(r.entries, run.entries...)
	return run.id
}

func (r *recording) perform(p plan) *run {
	r.runs++
	run := &run{
		rec:  r,
		plan: p,
		now:  p.at,
		luck: rand.New(rand.NewPCG(r.seed, r.runs)),
		done: map[string]bool{},
	}
	run.def, _ = r.project.Pipeline(p.pipeline)
	started := r.epoch.Add(p.at)
	run.id = fmt.Sprintf("%s-%s-%04x", p.pipeline, started.Format("20060102-150405"), run.luck.IntN(1<<16))
	run.perform()
	return run
}

// unix is the moment as the database keeps it.
func (r *recording) unix(at time.Duration) int64 { return r.epoch.Add(at).Unix() }

// run writes the rows of one run in the order and the wording of Wave.
type run struct {
	rec     *recording
	plan    plan
	luck    *rand.Rand
	id      string
	def     manifest.Pipeline
	now     time.Duration // its clock
	done    map[string]bool
	begun   time.Duration
	entries []tape.Entry // its own and those of the runs it started
}

func (r *run) put(op tape.Op, table string, row statedb.Row) {
	r.entries = append(r.entries, tape.Entry{At: r.now, Op: op, Table: table, Row: row})
}

func (r *run) insert(table string, row statedb.Row) { r.put(tape.Insert, table, row) }

// child plays a run that this one starts, now, and waits for its end.
func (r *run) child(p plan) *run {
	p.at = r.now
	c := r.rec.perform(p)
	r.entries = append(r.entries, c.entries...)
	r.now = c.now
	return c
}

// spent is the sum of the tokens of all attempts, without those of children.
func (r *run) spent() int64 {
	var sum int64
	for _, e := range r.entries {
		if e.Table == "event_log" && e.Row["run_id"] == r.id && e.Row["state"] == "step_progress" {
			tokens, _ := e.Row["tokens_used"].(int64)
			sum += tokens
		}
	}
	return sum
}

// update changes the run's own row.
func (r *run) update(row statedb.Row) {
	row["run_id"] = r.id
	r.put(tape.Update, "pipeline_run", row)
}

// event writes to event_log. more holds columns beyond the usual ones.
func (r *run) event(step, state, message string, more statedb.Row) {
	row := statedb.Row{
		"run_id": r.id, "timestamp": r.unix(), "step_id": step, "state": state, "persona": "",
		"message": message, "tokens_used": int64(0), "duration_ms": int64(0),
		"model": "", "adapter": "", "configured_model": "",
	}
	maps.Copy(row, more)
	r.insert("event_log", row)
}

// stepState changes the step's row; the first word for a step creates it.
func (r *run) stepState(step, state string, more statedb.Row) {
	row := statedb.Row{"step_id": step, "pipeline_id": r.id, "state": state}
	maps.Copy(row, more)
	known := slices.ContainsFunc(r.entries, func(e tape.Entry) bool {
		return e.Table == "step_state" && e.Row["step_id"] == step && e.Row["pipeline_id"] == r.id
	})
	if known {
		r.put(tape.Update, "step_state", row)
		return
	}
	row["started_at"] = r.unix()
	r.insert("step_state", row)
}

func (r *run) unix() int64 { return r.rec.unix(r.now) }

// text is a column that holds one.
func text(row statedb.Row, column string) string {
	s, _ := row[column].(string)
	return s
}

// between is a duration by luck.
func (r *run) between(least, most time.Duration) time.Duration {
	return least + time.Duration(r.luck.Int64N(int64(most-least)))
}

// cut forgets what happened after the run's clock and returns the steps that
// were at work then. Runs that this one started are cut with it.
func (r *run) cut() []string {
	r.entries = slices.DeleteFunc(r.entries, func(e tape.Entry) bool { return e.At > r.now })
	var open []string
	for _, e := range r.entries {
		if e.Table != "step_state" || e.Row["pipeline_id"] != r.id {
			continue
		}
		step := text(e.Row, "step_id")
		open = slices.DeleteFunc(open, func(s string) bool { return s == step })
		if state := e.Row["state"]; state == "running" || state == "retrying" {
			open = append(open, step)
		}
	}
	return open
}
