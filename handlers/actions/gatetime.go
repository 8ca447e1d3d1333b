package actions

import (
	"context"
	"strconv"
	"time"

	"wavedeck/handlers/present"
	"wavedeck/runner"
	"wavedeck/store/appdb"
	"wavedeck/store/criteria"
	"wavedeck/store/gate"
	"wavedeck/store/wave"
)

// timeIsUp is who answers a gate whose time is over.
const timeIsUp = "timeout"

// keepTime answers gates with their default when their time is over, until ctx ends.
// At a terminal Wave waits without end, whatever the definition says: whoever started
// the run sees to it. Gates whose time was over while no console ran are answered by
// the next one.
func (h answers) keepTime(ctx context.Context) {
	answerer, ok := h.Engine.(runner.Answerer)
	if !ok || h.ReadOnly {
		return
	}
	tick := time.NewTicker(h.Budgets.GateTime)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			h.answerOverdue(ctx, answerer)
		}
	}
}

func (h answers) answerOverdue(ctx context.Context, answerer runner.Answerer) {
	page, err := h.Store.Runs(ctx, criteria.RunFilter{States: []wave.State{wave.Waiting}, Limit: criteria.MaxLimit})
	if err != nil {
		return // in a moment again
	}
	for _, run := range page.Runs {
		if run.Inner() {
			continue // with the run that started it
		}
		gates, err := h.Gates(ctx, wave.RunDetail{Run: run})
		if err != nil {
			h.Warn(ctx, "failed to look at the gates of a run", err)
			continue
		}
		for _, g := range gates {
			if !g.Answerable || g.Self || g.Without != string(gate.TakesDefault) || g.Expires.IsZero() || h.Now().Before(g.Expires) {
				continue
			}
			given := runner.Answer{Gate: g.Event, Step: g.Step, Choice: g.Default, Asks: g.Freeform, Who: timeIsUp, At: h.Now().UTC().Truncate(time.Second)}
			first, err := answerer.Answer(ctx, run.ID, given)
			if err != nil {
				h.Warn(ctx, "failed to answer a gate whose time is over", err)
				continue
			}
			if first.Same(given) {
				h.noteOverdue(ctx, g.Run, g.Pipeline, given)
			}
		}
	}
}

// noteOverdue writes the audit log's line: nobody asked for it.
func (h answers) noteOverdue(ctx context.Context, run, pipeline string, given runner.Answer) {
	h.Shared.Acted.Add(1)
	h.Warn(ctx, "failed to note an answer in the audit log", h.Data.Append(appdb.Entry{
		At: h.Now(), Who: timeIsUp, Action: actAnswer, Run: run, Pipeline: pipeline, Result: appdb.Done, Status: 200,
		Params: map[string]string{fieldStep: given.Step, fieldChoice: given.Choice, fieldGate: strconv.FormatInt(given.Gate, 10)},
		Note:   "answered " + present.Clip(given.Choice, present.NameShown) + ", its default",
	}))
}
