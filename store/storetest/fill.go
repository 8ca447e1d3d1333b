package storetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
)

// What a history made by [Fill] holds besides the common, to be looked for.
const (
	CommonPipeline = "pipeline-00"  // about 13 % of the runs
	RarePipeline   = "yearly-audit" // about 0.06 %
	CommonTag      = "nightly"      // about 8 %
	RareTag        = "hotfix"       // about 0.1 %
	Needle         = "needle"       // a word in the input of one run, the middle one
)

const pipelines = 60

// Fill adds a history of n runs to a database of the latest schema, the same
// for the same n and seed. The newest runs start at [Base]; the runs are added
// in the order they started. Shares are those of a busy project:
//
//   - 80 % completed, 9 % failed, 8 % completed without a result, 3 % stopped by
//     an operator (and so recorded as failed), 0.03 % cancelled, 0.05 % whose
//     process is lost, 0.02 % pending; the last 5 of 50 and more are running
//   - over a tenth are children of a run before them
//   - nearly half start in the same second as another, and once in a thousand
//     60 runs do
//   - 2 or 3 events each, none for the oldest 3 %, as after a schema upgrade
//
// It is one transaction.
func Fill(ctx context.Context, db *sqlx.DB, n int, seed uint64) error {
	err := inTx(ctx, db, func(tx *sqlx.Tx) error {
		return withoutIndexes(ctx, tx, func() error {
			h := newHistory(tx, n, seed)
			for i := range n {
				if err := h.add(ctx, i); err != nil {
					return err
				}
			}
			return h.flush(ctx)
		}, "pipeline_run", "event_log")
	})
	if err != nil {
		return fmt.Errorf("fill with %d runs: %w", n, err)
	}
	return nil
}

// Fill adds a history of n runs to the builder's database, as the function Fill does.
func (b *Builder) Fill(n int, seed uint64) {
	b.t.Helper()
	if err := Fill(b.t.Context(), b.DB, n, seed); err != nil {
		b.t.Fatal(err)
	}
}

// history draws runs one after the other.
type history struct {
	n                           int
	rng                         *rand.Rand
	gaps                        *rand.Rand
	at                          int64 // when the run now drawn starts, unix seconds
	seed                        uint64
	words                       []string
	parent                      string
	children, child             int // the parent has, and how many of them are drawn
	runs, events, cancellations *batch
}

func newHistory(tx *sqlx.Tx, n int, seed uint64) *history {
	h := &history{
		n: n, seed: seed, rng: rand.New(rand.NewPCG(seed, 1)), words: strings.Fields(words),
		runs: newBatch(tx, "pipeline_run", `run_id pipeline_name status input current_step total_tokens started_at
completed_at cancelled_at tags_json branch_name parent_run_id parent_step_id last_heartbeat
iterate_index iterate_total iterate_mode run_kind sub_pipeline_ref`),
		events:        newBatch(tx, "event_log", "run_id timestamp step_id state persona message duration_ms"),
		cancellations: newBatch(tx, "cancellation", "run_id requested_at force"),
	}
	// The gaps are drawn twice, the first time to learn when to begin so that
	// the last run starts at Base.
	h.gaps = rand.New(rand.NewPCG(seed, 2))
	var span int64
	for i := range n {
		span += h.gap(i)
	}
	h.gaps = rand.New(rand.NewPCG(seed, 2))
	h.at = Base.Unix() - span
	return h
}

// gap is the seconds from run i-1 to run i.
func (h *history) gap(i int) int64 {
	kind, size := h.gaps.Float64(), h.gaps.Int64N(200)
	switch {
	case i%1000 > 500 && i%1000 < 560 || kind < 0.45:
		return 0
	case kind < 0.85:
		return 1 + size%20
	default:
		return 20 + size
	}
}

func (h *history) add(ctx context.Context, i int) error {
	h.at += h.gap(i)
	r := h.draw(i)
	if err := h.runs.add(ctx, r.id, r.pipeline, r.status, r.input, r.err, r.tokens, h.at, r.end, r.cancelled,
		r.tags, "", null(r.parent), null(r.parentStep), r.heartbeat, r.index, r.total, r.mode, r.kind, r.sub); err != nil {
		return err
	}
	if r.stopped {
		if err := h.cancellations.add(ctx, r.id, h.at+1, false); err != nil {
			return err
		}
	}
	if i < h.n*3/100 || r.status == "pending" {
		return nil
	}
	return h.addEvents(ctx, r)
}

func (h *history) addEvents(ctx context.Context, r drawn) error {
	if err := h.events.add(ctx, r.id, h.at, "", "started", "", "input="+strconv.Quote(r.input)+" steps=1", 0); err != nil {
		return err
	}
	state, persona := "running", ""
	if h.rng.IntN(4) == 0 {
		persona = "craftsman"
		if err := h.events.add(ctx, r.id, h.at, "work", state, persona, "Starting craftsman persona", 0); err != nil {
			return err
		}
	}
	end, ended := r.end.(int64)
	if !ended {
		return nil
	}
	// A failure has an event of its step only, never of the run.
	step := ""
	if state = r.status; state == "failed" || state == "cancelled" {
		step, state = "work", "failed"
	}
	return h.events.add(ctx, r.id, end, step, state, persona, r.err, (end-h.at)*1000)
}

func (h *history) flush(ctx context.Context) error {
	for _, b := range []*batch{h.runs, h.events, h.cancellations} {
		if err := b.flush(ctx); err != nil {
			return err
		}
	}
	return nil
}

// drawn is a row of pipeline_run.
type drawn struct {
	id, pipeline, status, input, err, tags string
	parent, parentStep, mode, kind, sub    string
	stopped                                bool
	tokens                                 int
	heartbeat                              int64
	end, cancelled, index, total           any
}

func (h *history) draw(i int) drawn {
	r := drawn{pipeline: h.pipeline(), input: h.input(i), tags: h.tags()}
	if h.child < h.children {
		r.parent, r.parentStep, r.kind, r.mode = h.parent, "each", "iterate_child", "parallel"
		r.index, r.total, r.sub = h.child, h.children, r.pipeline
		h.child++
	} else {
		r.heartbeat = h.at
	}
	// A number in place of the random end keeps ids apart in every second.
	at := time.Unix(h.at, 0).UTC().Format("20060102-150405")
	r.id = r.pipeline + "-" + at + "-" + strconv.FormatUint(h.seed<<32+uint64(i), 16) //nolint:gosec // i counts from zero
	if r.parent == "" && h.rng.Float64() < 0.05 {
		h.parent, h.child, h.children = r.id, 0, 1+h.rng.IntN(5)
	}
	h.end(i, &r)
	return r
}

// end draws how the run ended, if it did.
func (h *history) end(i int, r *drawn) {
	lasted := min(1+int64(h.rng.ExpFloat64()*240), Base.Unix()-h.at) // nothing is after Base
	switch u := h.rng.Float64(); {
	case h.n >= 50 && i >= h.n-5:
		r.status = "running"
		if r.parent == "" {
			r.heartbeat = Base.Unix()
		}
		return
	case u < 0.0002:
		r.status, r.heartbeat = "pending", 0
		return
	case u < 0.0007:
		r.status = "running"
		return
	case u < 0.0010:
		r.status, r.cancelled = "cancelled", h.at+lasted
	case u < 0.0310:
		r.status, r.stopped, r.err = "failed", true, `step "work" failed: context canceled`
	case u < 0.1210:
		r.status, r.err = "failed", "step \"work\" failed: command exited with status 2\nmake: *** [check] Error 2"
	case u < 0.2000:
		r.status = "completed_empty"
	default:
		r.status = "completed"
	}
	r.tokens = h.rng.IntN(80_000)
	r.end = h.at + lasted
	if r.heartbeat > 0 {
		r.heartbeat += lasted / 30 * 30 // Wave beats every 30 s
	}
}

func (h *history) pipeline() string {
	if h.rng.Float64() < 0.0006 {
		return RarePipeline
	}
	// Squared, so that the first has 13 % and the last 1 %.
	u := h.rng.Float64()
	return fmt.Sprintf("pipeline-%02d", int(pipelines*u*u))
}

const words = `add audit broken build cache check clean compare config deploy document draft fetch fix flaky
format index issue label lint merge migrate notes parse plan probe pull refactor release rename report request retry review
schema search secret ship slow stale sync table tag test token trace update upgrade verify version widget 日本語 größer`

func (h *history) input(i int) string {
	if i == h.n/2 {
		return "find the " + Needle + " in the hay"
	}
	size := 3 + h.rng.IntN(6)
	if h.rng.IntN(500) == 0 {
		size = 400
	}
	var b strings.Builder
	b.WriteString("acme/widgets ")
	b.WriteString(strconv.Itoa(h.rng.IntN(9000)))
	for range size {
		b.WriteByte(' ')
		b.WriteString(h.words[h.rng.IntN(len(h.words))])
	}
	return b.String()
}

func (h *history) tags() string {
	switch u := h.rng.Float64(); {
	case u < 0.001:
		return `["` + RareTag + `"]`
	case u < 0.081:
		return `["` + CommonTag + `"]`
	case u < 0.15:
		return fmt.Sprintf(`["team-%d","tier-%d"]`, h.rng.IntN(20), h.rng.IntN(3))
	default:
		return "[]"
	}
}
