package present

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"wavedeck/store/headline"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// maxSegments is how many steps a row draws one by one.
const maxSegments = 24

// RunRow turns a run into a line of a list.
func RunRow(run wave.Run) views.RunRow {
	row := views.RunRow{
		ID: run.ID, Pipeline: run.Pipeline, Title: FirstLine(Opening(run.Input)),
		State: string(run.State), Word: RunWord(run), Reason: FailureLine(run),
		Done: run.StepsDone, All: run.StepsAll, Current: run.Current, Segments: segments(run),
		Started: run.StartedAt, Duration: RunDuration(run), Tokens: run.Tokens, Subtree: run.Subtree, Branch: Opening(run.Branch),
		Children: childrenOf(run.Children), Orphan: run.Orphan,
	}
	row.Iterate = itemWord(run)
	row.Tags = RedactAll(run.Tags[:min(len(run.Tags), manyShown)])
	row.MoreTags = len(run.Tags) - len(row.Tags)
	return Bounded(row)
}

// Listed is a run's line where a hundred may stand: no text is longer than the line
// has room for, and its page has all of it.
func Listed(row views.RunRow) views.RunRow {
	row.Title, row.Reason, row.Branch = ClipMarkup(row.Title, LineShown), ClipMarkup(row.Reason, LineShown), ClipMarkup(row.Branch, wordShown)
	more := len(row.Tags) - tagsListed
	row.Tags = slices.Clone(row.Tags[:min(len(row.Tags), tagsListed)])
	row.MoreTags += max(more, 0)
	for i, tag := range row.Tags {
		row.Tags[i] = ClipMarkup(tag, wordShown)
	}
	row.Current = shortened(row.Current, nowListed)
	for i, step := range row.Current {
		row.Current[i] = ClipMarkup(step, wordShown)
	}
	return row
}

// shortened is the beginning of a list of names, with how many more there are.
func shortened(names []string, most int) []string {
	if len(names) <= most {
		return slices.Clone(names)
	}
	return append(slices.Clone(names[:most]), fmt.Sprintf("+%d", len(names)-most))
}

// itemWord is which of several items a run is, "2 of 3"; empty: it is none.
func itemWord(run wave.Run) string {
	if run.Iterate == nil {
		return ""
	}
	return itemText(run.Iterate.Index, run.Iterate.Total)
}

func itemText(index, total int) string {
	if total == 0 {
		return strconv.Itoa(index + 1)
	}
	return fmt.Sprintf("%d of %d", index+1, total)
}

// culpritOf is the run that made a step fail, nil where the step did by itself.
func culpritOf(step wave.Step) *views.Culprit {
	if step.Culprit == nil {
		return nil
	}
	return &views.Culprit{RunRef: *RunRef(*step.Culprit), Item: itemWord(*step.Culprit)}
}

// ContractWord is the result of a contract in words: "failed, warned" is one that
// failed although the pipeline went on.
func ContractWord(result string) string {
	if after, ok := strings.CutPrefix(result, "failed_"); ok {
		return "failed, " + after
	}
	return result
}

// FailureLine is why a run did not end well, or why its state is not what was
// recorded. Everything that shows a run in a line shows this one.
func FailureLine(run wave.Run) string {
	return cmp.Or(Redact(run.Headline), Redact(run.Reason))
}

func childrenOf(c wave.ChildCounts) views.Children {
	return views.Children{All: c.All, Ended: c.Ended, Failed: c.Failed}
}

// StateWord is a state as people read it.
func StateWord(s wave.State) string {
	if s == wave.Empty {
		return "succeeded, empty"
	}
	return string(s)
}

// Stopping is a run that was asked to stop and has not yet.
const Stopping = "stopping"

// RunWord is what to call a run's state.
func RunWord(run wave.Run) string {
	if run.Cancel != nil && run.State.Active() {
		return Stopping
	}
	return StateWord(run.State)
}

// RunDuration is how long a run took, or since when it has been working.
func RunDuration(run wave.Run) views.Duration {
	if run.State.Active() && run.State != wave.Pending {
		return views.Duration{Since: run.StartedAt}
	}
	return views.Duration{D: run.Duration, Known: run.HasDuration, Coarse: run.CoarseSecond}
}

// StepDuration is how long a step took, or since when it has been working.
func StepDuration(state wave.State, started time.Time, d time.Duration, known, coarse bool) views.Duration {
	if (state == wave.Running || state == wave.Waiting) && !started.IsZero() {
		return views.Duration{Since: started}
	}
	return views.Duration{D: d, Known: known, Coarse: coarse}
}

// segments draws k of n: what is done, what is now, and what is not yet.
func segments(run wave.Run) []string {
	if run.StepsAll == 0 || run.StepsAll > maxSegments {
		return nil
	}
	out := make([]string, run.StepsAll)
	for i := range out {
		switch {
		case i < run.StepsDone-run.StepsFailed:
			out[i] = string(wave.Succeeded)
		case i < run.StepsDone:
			out[i] = string(wave.Failed)
		case i < run.StepsDone+len(run.Current):
			out[i] = string(run.State)
		default:
			out[i] = string(wave.Pending)
		}
	}
	return out
}

// FirstLine is the first line of a text that says something.
func FirstLine(text string) string {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return ""
}

// RunRef is a link to a run with its state.
func RunRef(run wave.Run) *views.RunRef {
	return Bounded(&views.RunRef{ID: run.ID, Pipeline: run.Pipeline, State: string(run.State), Word: RunWord(run)})
}

// StepRow turns a step into a line of its run.
func StepRow(step wave.Step, kind string) views.StepRow {
	row := views.StepRow{
		ID: step.ID, State: string(step.State), Word: StateWord(step.State), Kind: kind,
		Persona: Opening(step.Persona), Model: Opening(step.Model), Adapter: Opening(step.Adapter),
		Note: Redact(step.Note), Error: StepError(step), Action: Redact(step.Action), Progress: step.Progress,
		Started: step.StartedAt, Ended: step.CompletedAt,
		Duration: StepDuration(step.State, step.StartedAt, step.Duration, step.HasDuration, step.CoarseSecond),
		Tokens:   step.Tokens, Max: step.Retries, Children: childrenOf(step.Children), Visits: step.Visits, Culprit: culpritOf(step),
	}
	if step.Contract != nil {
		row.Contract, row.ContText = ContractWord(step.Contract.Result), Account(step.Contract.Text)
	}
	if step.Evidence != nil {
		row.Evidence = Account(step.Evidence.Text)
	}
	for _, a := range step.Attempts {
		row.Attempts = append(row.Attempts, attemptRow(a))
	}
	if row.Note == "" && row.Error.Text == "" { // a lost one has no error, and a line that says so
		row.Note = Redact(step.Headline)
	}
	return Bounded(row)
}

// outputShown is how many lines of an attempt's output a page shows.
const outputShown = 40

func attemptRow(a wave.Attempt) views.AttemptRow {
	row := views.AttemptRow{
		Number: a.Number, State: string(a.State), Word: StateWord(a.State), Class: FailureClass(a.FailureClass),
		Error: Account(a.Error), Started: a.StartedAt, Tokens: a.Tokens,
		Duration: StepDuration(a.State, a.StartedAt, a.Duration, a.HasDuration, a.CoarseSecond),
	}
	if strings.TrimSpace(a.OutputTail) != "" {
		lines := Terminal(a.OutputTail[max(0, len(a.OutputTail)-TextsWhole):])
		row.Tail, row.TailOf = lines[max(0, len(lines)-outputShown):], len(lines)
	}
	return row
}

// Account is a recorded text as a page shows it, with the line that says most.
func Account(text string) views.Account {
	text = Redact(BothEnds(text))
	return views.Account{Line: Clip(headline.Of(text), TextShown), Text: Whole(text, AccountShown)}
}

// StepError is why a step did not end well.
func StepError(step wave.Step) views.Account {
	return views.Account{Line: Clip(Redact(step.Headline), TextShown), Text: Whole(Redact(BothEnds(step.Error)), AccountShown)}
}

// FailureClass is what kind of failure it was, in words.
func FailureClass(recorded string) string {
	if recorded == "canceled" {
		return "cancelled" // as the state is called
	}
	return Words(recorded)
}

// EventTone is the derived state whose colour an event's word has; none where the
// word is shown plainly.
func EventTone(word string) wave.State {
	switch word {
	case "started", "running":
		return wave.Running
	case "gate_waiting", "retrying", "reworking", "warning", "contract_warning", "contract_soft_failure":
		return wave.Waiting
	case "completed", "contract_passed", "gate_resolved":
		return wave.Succeeded
	case "completed_empty":
		return wave.Empty
	case "failed", "contract_failed", "review_failed":
		return wave.Failed
	case "rejected":
		return wave.Rejected
	case "skipped":
		return wave.Skipped
	case "cancelled":
		return wave.Cancelled
	default:
		return ""
	}
}

// EventRow is an event as the list of events shows it.
func EventRow(e wave.Event) views.EventRow {
	return Bounded(views.EventRow{
		ID: e.ID, At: e.At, Step: e.StepID, State: Opening(e.State), Tone: string(EventTone(e.State)),
		Persona: Opening(e.Persona), Message: Opening(e.Message), Tokens: e.Tokens, Model: Opening(e.Model),
		Duration: views.Duration{D: e.Duration, Known: e.Duration > 0},
	})
}
