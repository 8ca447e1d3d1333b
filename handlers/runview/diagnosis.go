package runview

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"wavedeck/handlers/present"
	"wavedeck/store"
	"wavedeck/store/diagnose"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// Diagnoses judges those of the runs that have not ended, and the lost ones.
func (rv *Reader) Diagnoses(ctx context.Context, runs []wave.Run) (map[string]diagnose.Diagnosis, error) {
	var ids []string
	for _, run := range runs {
		if !run.State.Ended() || run.State == wave.Lost {
			ids = append(ids, run.ID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := rv.Store.Diagnoses(ctx, ids)
	if errors.Is(err, store.ErrUnavailable) {
		return nil, nil // the layout says why
	}
	return found, err
}

// addFlags marks the rows of runs of which something is noticed.
func (rv *Reader) addFlags(ctx context.Context, rows []views.RunRow, runs []wave.Run) error {
	found, err := rv.Diagnoses(ctx, runs)
	if err != nil {
		return fmt.Errorf("evaluate a page: %w", err)
	}
	asked := 0
	for i, run := range runs {
		if o, ok := found[run.ID]; ok {
			rows[i].Flags, rows[i].ETA = flagsOf(o), etaView(o)
		}
		if run.State == wave.Waiting && asked < questionsRead {
			asked++
			if question := rv.Question(ctx, run); question != "" {
				rows[i].Reason = question
			}
		}
	}
	return nil
}

// flagsOf is what a row says beside its state. What the state says already, and
// what is fine, is not said twice.
func flagsOf(o diagnose.Diagnosis) []views.Flag {
	var flags []views.Flag
	stall := StallFlag(o.Stall)
	switch o.Stall.Verdict {
	case diagnose.Stuck, diagnose.Unheeded, diagnose.Unclear:
		flags = append(flags, stall)
	case diagnose.ForHuman:
		if o.Signals.State != wave.Waiting {
			flags = append(flags, stall)
		}
	}
	if o.Runaway != nil {
		flags = append(flags, RunawayFlag(*o.Runaway))
	}
	if o.ETA != nil && o.ETA.Late {
		flags = append(flags, views.LateFlag())
	}
	return flags
}

func etaView(o diagnose.Diagnosis) *views.ETA {
	if o.ETA == nil {
		return nil
	}
	return &views.ETA{P50: o.At.Add(o.ETA.P50), P90: o.At.Add(o.ETA.P90), N: o.ETA.N, Late: o.ETA.Late}
}

// StallFlag is a verdict with its silhouette and its colour.
func StallFlag(stall diagnose.Stall) views.Flag {
	flag := views.Flag{Word: string(stall.Verdict), Title: stall.Why, Symbol: "unknown", Tone: "unknown"}
	switch stall.Verdict {
	case diagnose.Stuck, diagnose.Unheeded:
		flag.Symbol, flag.Tone = "stuck", "waiting"
	case diagnose.Gone:
		flag.Symbol, flag.Tone, flag.Word = "lost", "lost", "process gone"
	case diagnose.ForHuman:
		flag.Symbol, flag.Tone, flag.Word = "waiting", "waiting", "waiting for a human"
	case diagnose.Moving, diagnose.Quiet:
		flag.Symbol, flag.Tone = "running", "running"
	case diagnose.InQueue, diagnose.Stopping:
		flag.Symbol, flag.Tone = "queued", "queued"
	}
	return flag
}

// DiagnosisView is the panel of a run's page, nil for one of which there is
// nothing to say.
func (rv *Reader) DiagnosisView(ctx context.Context, run wave.Run) (*views.DiagnosisView, error) {
	found, err := rv.Diagnoses(ctx, []wave.Run{run})
	o, ok := found[run.ID]
	if err != nil || !ok {
		return nil, err
	}
	view := &views.DiagnosisView{
		Flag: StallFlag(o.Stall), Evidence: rv.evidence(run, o.Signals), Action: rv.ActionOn(run.ID, o.Stall.Action), ETA: etaView(o),
		Runaway: rv.runawayView(run.ID, o.Runaway),
	}
	switch o.Stall.Verdict {
	case diagnose.Moving, diagnose.Quiet, diagnose.InQueue, diagnose.Stopping, diagnose.ForHuman: // the gate has a panel of its own
		view.Fine = true
	}
	return view, nil
}

// ActionOn is a link to what is to be done about a run, nil: nothing yet. Where
// runs cannot be acted on, reading is all that can be done.
func (o *offers) ActionOn(id string, action diagnose.StallAction) *views.Action {
	switch {
	case action == diagnose.ActNothing:
		return nil
	case action == diagnose.ActAnswer && o.CanRun():
		return &views.Action{Label: "Answer", Href: o.Paths.Gates(id)}
	case action == diagnose.ActAnswer:
		return &views.Action{Label: "See the gate", Href: o.Paths.Gates(id)}
	case action == diagnose.ActStop && o.CanRun():
		return &views.Action{Label: "Stop…", Href: o.Paths.RunAction(id, "cancel", nil)}
	case action == diagnose.ActResume && o.CanRun():
		return &views.Action{Label: "Resume…", Href: o.Paths.RunAction(id, "resume", nil)}
	}
	return &views.Action{Label: "Read the log", Href: o.Paths.RunTab(id, "log")}
}

// evidence is every signal that the verdict rests on, with its value.
func (rv *Reader) evidence(run wave.Run, g diagnose.Signals) []views.Evidence {
	now := rv.Now()
	list := []views.Evidence{
		since("last event", now, g.Event, "none since it started", silenceNote(g)),
		since("heartbeat", now, g.Beat, "none recorded", ""),
		{Signal: "process", Value: processWord(g.Process), Note: pidNote(run.PID)},
	}
	if g.State == wave.Waiting || g.Gate {
		list = append(list, views.Evidence{Signal: "gate", Value: "open"})
	}
	if g.Asked.Known {
		list = append(list, since("asked to stop", now, g.Asked, "", ""))
	}
	if g.Slots.Limit > 0 {
		list = append(list, views.Evidence{Signal: "slots", Value: fmt.Sprintf("%d of %d taken", g.Slots.Taken, g.Slots.Limit), Note: "by runs that began within 5 minutes"})
	}
	return list
}

func since(signal string, now time.Time, sign diagnose.Sign, none, note string) views.Evidence {
	if !sign.Known {
		return views.Evidence{Signal: signal, Value: none, Note: note}
	}
	return views.Evidence{Signal: signal, Since: now.Add(-sign.Age), Note: note}
}

// silenceNote compares with the past of the step that is measured.
func silenceNote(g diagnose.Signals) string {
	switch unusual := g.Unusual(); {
	case unusual > 0:
		return fmt.Sprintf("the longest silence of %s in %s was %s; unusual beyond %s", g.Step,
			views.Plural(g.Past, "past run", "past runs"), views.FormatDuration(g.Longest, true), views.FormatDuration(unusual, true))
	case g.Step != "":
		return fmt.Sprintf("%s of %s: too few to compare with", views.Plural(g.Past, "past run", "past runs"), g.Step)
	default:
		return ""
	}
}

func processWord(p diagnose.Process) string {
	switch p {
	case diagnose.ProcessLives:
		return "alive on this host"
	case diagnose.ProcessGone:
		return "not on this host"
	case diagnose.ProcessOther:
		return "another one has its pid"
	default:
		return "none recorded"
	}
}

func pidNote(pid int) string {
	if pid <= 0 {
		return ""
	}
	return "pid " + strconv.Itoa(pid)
}

// stallOf is nil for a run that has ended.
func (rv *Reader) stallOf(run wave.Run, o diagnose.Diagnosis) *present.StallSummary {
	sum := &present.StallSummary{Verdict: string(o.Stall.Verdict), Why: o.Stall.Why, Action: string(o.Stall.Action)}
	if action := rv.ActionOn(run.ID, o.Stall.Action); action != nil {
		sum.Href = action.Href
	}
	for _, e := range rv.evidence(run, o.Signals) {
		sum.Evidence = append(sum.Evidence, present.EvidenceSummary{Signal: e.Signal, Value: e.Value, At: present.OptionalTime(e.Since), Note: e.Note})
	}
	return sum
}

func etaOf(o diagnose.Diagnosis) *present.EtaSummary {
	if o.ETA == nil {
		return nil
	}
	sum := &present.EtaSummary{N: o.ETA.N, Late: o.ETA.Late}
	if sum.N > 0 {
		at := o.At.Truncate(time.Second) // the past is no more exact
		sum.Earliest, sum.P50, sum.P90 = present.OptionalTime(at.Add(o.ETA.Earliest)), present.OptionalTime(at.Add(o.ETA.P50)), present.OptionalTime(at.Add(o.ETA.P90))
	}
	return sum
}

// AddDiagnoses adds to summaries what is made of their runs.
func (rv *Reader) AddDiagnoses(ctx context.Context, sums []present.RunSummary, runs []wave.Run) error {
	found, err := rv.Diagnoses(ctx, runs)
	if err != nil {
		return err
	}
	for i, run := range runs {
		if o, ok := found[run.ID]; ok {
			sums[i].Stall, sums[i].ETA, sums[i].Runaway = rv.stallOf(run, o), etaOf(o), runawayOf(o.Runaway)
		}
	}
	return nil
}

// RunawayFlag marks a run that does what it should not go on with.
func RunawayFlag(r diagnose.Runaway) views.Flag {
	flag := views.Flag{Symbol: "runaway", Tone: "waiting", Word: "repeating itself", Title: runawayWhy(r)}
	if !r.Loops() {
		flag.Word = "token surge"
	}
	return flag
}

// runawayWhy is the sentence behind the mark.
func runawayWhy(r diagnose.Runaway) string {
	step := present.Redact(r.Step)
	switch n := len(r.Actions); {
	case n == 0:
		return fmt.Sprintf("%s spends %s tokens a minute; the most in %s was %s.", step, views.Number(r.Rate), views.Plural(r.Past, "past run", "past runs"), views.Number(r.Highest))
	case n > 1:
		return fmt.Sprintf("%s does the same %d actions in turn, %d times now.", step, n, r.Times)
	case r.Times < r.Of:
		return fmt.Sprintf("%d of the last %d actions of %s were the same.", r.Times, r.Of, step)
	default:
		return fmt.Sprintf("%s does the same thing for the %dth time in a row.", step, r.Times)
	}
}

// runawayView is the panel of a run's page; the offer to stop it is there when
// that is possible.
func (rv *Reader) runawayView(id string, r *diagnose.Runaway) *views.DiagnosisView {
	if r == nil {
		return nil
	}
	view := &views.DiagnosisView{Step: r.Step, Flag: RunawayFlag(*r), Action: rv.ActionOn(id, diagnose.ActStop)}
	for _, action := range r.Actions {
		view.Evidence = append(view.Evidence, views.Evidence{Signal: "action", Value: present.Redact(action), Note: fmt.Sprintf("%d times in the last %d", r.Times, r.Of)})
	}
	if !r.Loops() {
		view.Evidence = append(view.Evidence, views.Evidence{
			Signal: "tokens", Value: views.Number(r.Rate) + " a minute", Note: fmt.Sprintf("at most %s in %s", views.Number(r.Highest), views.Plural(r.Past, "past run", "past runs")),
		})
	}
	view.Evidence = append(view.Evidence, views.Evidence{Signal: "since", Since: r.Since})
	return view
}

func runawayOf(r *diagnose.Runaway) *present.RunawaySummary {
	if r == nil {
		return nil
	}
	sum := &present.RunawaySummary{
		Kind: "tokens", Step: r.Step, Why: runawayWhy(*r), Since: present.OptionalTime(r.Since), Times: r.Times, Of: r.Of,
		Rate: r.Rate, Highest: r.Highest, Past: r.Past,
	}
	if r.Loops() {
		sum.Kind = "loop"
	}
	for _, action := range r.Actions {
		sum.Actions = append(sum.Actions, present.Redact(action))
	}
	return sum
}
