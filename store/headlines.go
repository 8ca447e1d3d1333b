package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"wavedeck/store/criteria"
	"wavedeck/store/diagnose"
	"wavedeck/store/headline"
	"wavedeck/store/wave"
)

// Bounds of what is read to find the line that says why a run failed.
const (
	causesAsked = 8  // children of a run that may have caused its failure
	failureTail = 64 // last events of a run among which its failures are looked for
)

// addHeadlines gives each run that did not end well the line that says why. Where
// a child failed it, that is the child's, however far below. The number of
// statements depends on the depth of the nesting, not on the number of runs.
func (d *runReader) addHeadlines(ctx context.Context, q Rows, runs []*wave.Run, records map[string]*diagnose.Record) error {
	chains := map[string][]*diagnose.Record{} // from the run itself to the one that its failure began in
	var below []string                        // runs whose children are looked at next
	for _, run := range runs {
		switch run.State {
		case wave.Failed, wave.Rejected:
			chains[run.ID] = []*diagnose.Record{records[run.ID]}
			below = append(below, run.ID)
		case wave.Lost, wave.Cancelled:
			if run.Headline = d.opt.Shown(run.Reason); run.Headline == "" {
				run.Headline = d.headline(run.Error)
			}
		}
	}
	if err := d.followCauses(ctx, q, chains, below); err != nil {
		return err
	}
	said, err := d.failureTexts(ctx, q, chains)
	if err != nil {
		return err
	}
	for _, run := range runs {
		chain := chains[run.ID]
		if chain == nil {
			continue
		}
		var texts []string
		for _, r := range slices.Backward(chain) {
			texts = append(append(texts, said[r.ID]...), r.Failures()...)
		}
		cause := wave.Cause{Run: last(chain).ID, Pipeline: last(chain).Pipeline}
		if steps := last(chain).FailedSteps(); len(steps) > 0 {
			cause.Step = steps[0]
		}
		if cause.Run != run.ID {
			run.Cause = &cause
		}
		run.Headline = d.headline(texts...)
		switch {
		case run.Headline == "":
			run.Headline = d.opt.Shown(run.Reason)
		case cause.Step != "" && !headline.Tells(run.Headline):
			run.Headline = fmt.Sprintf("step %q failed: %s", wave.Clip(cause.Step, diagnose.MaxStepName), run.Headline)
		}
	}
	return nil
}

// headline is the most telling line of texts, without their secrets.
func (d *runReader) headline(texts ...string) string {
	shown := make([]string, 0, len(texts))
	for _, text := range texts {
		if text != "" && !slices.Contains(shown, text) {
			shown = append(shown, text)
		}
	}
	return d.lines.get(shown, func() string {
		for i, text := range shown {
			shown[i] = d.opt.Shown(headline.Window(text))
		}
		return headline.Of(shown...)
	})
}

// informative reports whether texts say more than how a run ended.
func (d *runReader) informative(texts []string) bool {
	return d.informativeCache.get(texts, func() bool { return headline.Tells(texts...) })
}

// followCauses extends each chain by the child that failed its last run, until
// no child did. A run that names itself as its parent ends the way.
func (d *runReader) followCauses(ctx context.Context, q Rows, chains map[string][]*diagnose.Record, below []string) error {
	for hop := 0; hop < diagnose.MaxAncestors && len(below) > 0; hop++ {
		parents := make([]*diagnose.Record, len(below))
		for i, id := range below {
			parents[i] = last(chains[id])
		}
		children, err := d.failedChildren(ctx, q, parents)
		if err != nil {
			return err
		}
		var next []string
		for _, id := range below {
			chain := chains[id]
			cause := diagnose.CauseOf(last(chain), children[last(chain).ID])
			if cause == nil || slices.ContainsFunc(chain, func(r *diagnose.Record) bool { return r.ID == cause.ID }) {
				continue
			}
			chains[id] = append(chain, cause)
			next = append(next, id)
		}
		below = next
	}
	return nil
}

func last(chain []*diagnose.Record) *diagnose.Record { return chain[len(chain)-1] }

func (d *runReader) failedChildren(ctx context.Context, q Rows, parents []*diagnose.Record) (map[string][]*diagnose.Record, error) {
	above := map[string]string{} // of each child
	var nested []string
	for _, parent := range parents {
		items := 0
		for _, item := range parent.Outer { // these may name no parent
			if item.Status == "failed" && items < causesAsked {
				above[item.ID], items = parent.ID, items+1
			}
		}
		if len(parent.Outer) == 0 {
			nested = append(nested, parent.ID)
		}
	}
	err := chunks(nested, criteria.MaxLimit, func(part []string) error {
		found, err := q.FailedChildren(ctx, part, causesAsked)
		maps.Copy(above, found)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("select failed children: %w", err)
	}
	children := map[string][]*diagnose.Record{}
	err = chunks(slices.Sorted(maps.Keys(above)), criteria.MaxLimit, func(ids []string) error {
		records, err := d.records(ctx, q, ids)
		for id, r := range records {
			children[above[id]] = append(children[above[id]], r)
		}
		return err
	})
	for _, list := range children {
		slices.SortFunc(list, func(a, b *diagnose.Record) int {
			return cmp.Or(cmp.Compare(a.StartedAt, b.StartedAt), cmp.Compare(wave.OrZero(a.IterateIndex), wave.OrZero(b.IterateIndex)), cmp.Compare(a.ID, b.ID))
		})
	}
	return children, err
}

// failureTexts reads, of the runs in chains whose rows say no more than how they
// ended, what their events do: only they have what a command wrote to stderr.
func (d *runReader) failureTexts(ctx context.Context, q Rows, chains map[string][]*diagnose.Record) (map[string][]string, error) {
	said := map[string][]string{}
	wanted := map[string]*diagnose.Record{}
	for _, chain := range chains {
		if r := last(chain); !d.informative(r.Failures()) {
			wanted[r.ID] = r
		}
	}
	if len(wanted) == 0 {
		return said, nil
	}
	err := chunks(keys(wanted), criteria.MaxLimit, func(part []string) error {
		rows, err := q.FailureMessages(ctx, part, failureTail)
		if err != nil {
			return err
		}
		messages := make([]message, len(rows))
		for i := range rows {
			messages[i] = message{rows[i].ID, rows[i].Run, rows[i].Step, &rows[i].Message}
		}
		if err := d.hideAcross(ctx, q, messages); err != nil {
			return err
		}
		slices.SortFunc(rows, func(a, b wave.MessageRow) int { return cmp.Compare(b.ID, a.ID) })
		for _, row := range rows {
			steps := wanted[row.Run].FailedSteps()
			if len(said[row.Run]) < diagnose.MaxFailureTexts && (len(steps) == 0 || slices.Contains(steps, row.Step)) {
				said[row.Run] = append(said[row.Run], row.Message)
			}
		}
		return nil
	})
	return said, err
}

// stepHeadlines gives each step that did not end well the line that says why. The
// one that its run failed by has the run's.
func (d *runReader) stepHeadlines(detail *wave.RunDetail, run wave.Run) {
	steps, children := detail.Steps, detail.Children
	at := -1
	if run.State.Ended() && run.State != wave.Succeeded && run.State != wave.Empty {
		at = diagnose.Culprit(run, steps)
	}
	if at >= 0 {
		detail.FailedStep = steps[at].ID
	}
	for i := range steps {
		s := &steps[i]
		switch s.State {
		case wave.Failed, wave.Rejected, wave.Cancelled, wave.Lost:
		default:
			continue
		}
		if s.State == wave.Cancelled && s.Note != "" { // "signal: killed" says less
			s.Headline = d.opt.Shown(s.Note)
			continue
		}
		if i == at && run.Headline != "" {
			s.Headline, s.Cause = run.Headline, run.Cause
			continue
		}
		var texts []string
		for _, child := range children {
			if child.ParentStep == s.ID && (child.State == wave.Failed || child.State == wave.Rejected) && !diagnose.Killed(child.Error) && len(texts) < diagnose.MaxFailureTexts {
				texts = append(texts, child.Headline)
			}
		}
		texts = append(texts, s.Error)
		if n := len(s.Attempts); n > 0 {
			texts = append(texts, s.Attempts[n-1].Error, s.Attempts[n-1].OutputTail)
		}
		s.Headline = d.headline(texts...)
	}
}
