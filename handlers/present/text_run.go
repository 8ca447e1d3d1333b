package present

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"wavedeck/store/wave"
	"wavedeck/views"
	"wavedeck/views/legible"
	"wavedeck/views/plain"
)

// Plain is a run as text or Markdown.
func (body RunDetailResponse) Plain(to views.Paths, origin string) plain.Document {
	run := body.Run
	d := plain.Document{Title: legible.Name(cmp.Or(run.PipelineName, "Run")) + " · " + legible.Name(run.RunID)}
	if body.AsOf != nil {
		d.Parts = append(d.Parts, plain.Part{Note: body.AsOf.note()})
	}
	d.Parts = append(d.Parts, plain.Part{Facts: run.Facts(to, origin)})
	if facts := StartFacts(body.Started); len(facts) > 0 {
		p := plain.Part{Heading: "Started with"}
		for _, f := range facts {
			p.Facts = append(p.Facts, plain.Fact{Name: f.Name, Cell: TextCell(f.Text)})
		}
		d.Parts = append(d.Parts, p)
	}
	if run.ErrorMessage != "" {
		d.Parts = append(d.Parts, plain.Part{Heading: "Error", Pre: Whole(run.ErrorMessage, TextsWhole)})
	}
	for _, step := range body.Steps {
		// The table has the line that says most.
		if text := strings.TrimSpace(step.Error); step.State != string(wave.Cancelled) && text != step.Headline && !strings.Contains(run.ErrorMessage, text) {
			d.Parts = append(d.Parts, plain.Part{Heading: "Error of step " + legible.Name(step.StepID), Pre: step.Error})
		}
	}
	if strings.Contains(run.Input, "\n") {
		d.Parts = append(d.Parts, plain.Part{Heading: "Input", Pre: run.Input})
	}
	for _, g := range body.Gates {
		d.Parts = append(d.Parts, g.part(to, origin))
	}
	if run.Stall != nil {
		d.Parts = append(d.Parts, plain.Part{Heading: "Why is it not moving?", Facts: run.Stall.facts()})
	}
	if len(body.Steps) > 0 {
		d.Parts = append(d.Parts, plain.Part{Heading: "Steps", Table: stepTable(body.Steps)})
	}
	if len(body.Children) > 0 {
		d.Parts = append(d.Parts, plain.Part{Heading: "Children", Table: childTable(body.Children, to, origin), Note: body.childrenNote()})
	}
	d.Parts = append(d.Parts, body.outcomeParts()...)
	if len(body.Artifacts) > 0 {
		d.Parts = append(d.Parts, plain.Part{Heading: "Artifacts", Table: artifactTable(body.Artifacts)})
	}
	return withEvents(d, body)
}

// Facts are what is known of a run; what is not is left out.
func (sum RunSummary) Facts(to views.Paths, origin string) []plain.Fact {
	sum.Input = Whole(sum.Input, TextsWhole)
	input := TextCell(sum.Input)
	if strings.Contains(sum.Input, "\n") {
		input = plain.Cell{} // it stands below
	}
	failure := TextCell(sum.Headline)
	if sum.Headline == sum.Reason {
		failure = plain.Cell{}
	}
	runaway := ""
	if sum.Runaway != nil {
		runaway = sum.Runaway.Kind + " at " + sum.Runaway.Step + ": " + sum.Runaway.Why
	}
	facts := []plain.Fact{
		{Name: "State", Cell: StateCell(sum.derivedState())},
		{Name: "Run", Cell: RunCell(sum.RunID, to, origin)},
		{Name: "Pipeline", Cell: CodeCell(sum.PipelineName)},
		{Name: "Reason", Cell: TextCell(sum.Reason)},
		{Name: "Failure", Cell: failure},
		{Name: "Caused by", Cell: RunCell(sum.CausedBy, to, origin)},
		{Name: "Caused by step", Cell: CodeCell(sum.CausedByStep)},
		{Name: "Step", Cell: CodeCell(sum.CurrentStep)},
		{Name: "Done", Cell: TextCell(percent(sum.Progress))},
		{Name: "Started", Cell: TimeCell(sum.StartedAt)},
		{Name: endWord(sum), Cell: TimeCell(sum.CompletedAt)},
		{Name: "Duration", Cell: TextCell(sum.Duration)},
		{Name: "Done by", Cell: TextCell(sum.ETA.text())},
		{Name: "Tokens", Cell: CountCell(sum.TotalTokens)},
		{Name: "Tokens incl. children", Cell: CountCell(sum.SubtreeTokens)},
		{Name: "Cost", Cell: TextCell(sum.Cost.text())},
		{Name: "Runaway", Cell: TextCell(runaway)},
		{Name: "Kind", Cell: CodeCell(sum.RunKind)},
		{Name: "Item", Cell: TextCell(sum.item())},
		{Name: "Parent", Cell: RunCell(sum.ParentRunID, to, origin)},
		{Name: "Parent step", Cell: CodeCell(sum.ParentStepID)},
		{Name: "Forked from", Cell: RunCell(sum.ForkedFrom, to, origin)},
		{Name: "Children", Cell: TextCell(sum.ChildrenCounts.text())},
		{Name: "Branch", Cell: CodeCell(sum.BranchName)},
		{Name: "Tags", Cell: NamesCell(shortened(sum.Tags, manyShown))},
		{Name: "Input", Cell: input},
	}
	return slices.DeleteFunc(facts, func(f plain.Fact) bool { return f.Cell.Text == "" })
}

func (s *StallSummary) facts() []plain.Fact {
	facts := []plain.Fact{{Name: "verdict", Cell: TextCell(s.Verdict)}, {Name: "why", Cell: TextCell(s.Why)}}
	for _, e := range s.Evidence {
		var words []string
		for _, word := range []string{e.Value, TimeText(e.At), e.Note} {
			if word != "" {
				words = append(words, word)
			}
		}
		facts = append(facts, plain.Fact{Name: e.Signal, Cell: TextCell(strings.Join(words, " · "))})
	}
	return facts
}

// item is which of several items a run is, from 1.
func (sum RunSummary) item() string {
	if sum.IterateIndex == nil {
		return ""
	}
	return itemText(*sum.IterateIndex, ValueOr0(sum.IterateTotal))
}

func (c *childSummary) text() string {
	if c == nil {
		return ""
	}
	return ChildrenWord(wave.ChildCounts{All: c.Total, Ended: c.Ended, Failed: c.Failed})
}

// childrenNote says how many children the table leaves out.
func (body RunDetailResponse) childrenNote() string {
	if c := body.Run.ChildrenCounts; c != nil && c.Total > len(body.Children) {
		return fmt.Sprintf("%d more are left out.", c.Total-len(body.Children))
	}
	return ""
}

// childTable is the runs that a run started.
func childTable(sums []RunSummary, to views.Paths, origin string) plain.Table {
	t := plain.Table{Columns: []plain.Column{
		{Name: "State"}, {Name: "Run", Max: 60}, {Name: "Of step", Max: 24}, {Name: "Kind", Max: 24}, {Name: "Item"}, {Name: "Pipeline", Max: 28},
		{Name: "Started"}, {Name: "Duration", Right: true}, {Name: "Tokens", Right: true}, {Name: "Note", Max: 80},
	}}
	for _, sum := range sums {
		t.Rows = append(t.Rows, []plain.Cell{
			StateCell(sum.derivedState()), RunCell(sum.RunID, to, origin), CodeCell(sum.ParentStepID), CodeCell(sum.RunKind), TextCell(sum.item()), CodeCell(sum.PipelineName),
			TimeCell(sum.StartedAt), TextCell(sum.Duration), CountCell(sum.TotalTokens), TextCell(cmp.Or(sum.Headline, sum.Reason)),
		})
	}
	return t
}

func stepTable(steps []stepDetail) plain.Table {
	t := plain.Table{Columns: []plain.Column{
		{Name: "State"}, {Name: "Step", Max: 40}, {Name: "Type", Max: 16}, {Name: "Persona", Max: 24}, {Name: "Model", Max: 24}, {Name: "Attempts", Right: true}, {Name: "Visits", Right: true},
		{Name: "Started"}, {Name: "Duration", Right: true}, {Name: "Tokens", Right: true}, {Name: "Contract", Max: 16}, {Name: "Note", Max: 80},
	}}
	for _, s := range steps {
		t.Rows = append(t.Rows, []plain.Cell{
			StateCell(s.State), CodeCell(s.StepID), TextCell(s.StepType), NameCell(s.Persona), NameCell(s.Model), CountCell(int64(s.Attempts)), CountCell(int64(s.VisitCount)),
			TimeCell(s.StartedAt), TextCell(s.Duration), CountCell(s.TokensUsed), TextCell(ContractWord(s.Contract)), TextCell(cmp.Or(s.Headline, s.Error, s.Note, s.Action)),
		})
	}
	return t
}

func artifactTable(artifacts []ArtifactSummary) plain.Table {
	t := plain.Table{Columns: []plain.Column{
		{Name: "Step", Max: 40}, {Name: "Name", Max: 40}, {Name: "Type", Max: 16}, {Name: "Bytes", Right: true}, {Name: "Created"}, {Name: "Path", Max: 100},
	}}
	replaced := slices.ContainsFunc(artifacts, func(a ArtifactSummary) bool { return a.Replaced != nil })
	if replaced {
		t.Columns = append(t.Columns, plain.Column{Name: "Note", Max: 100})
	}
	for _, a := range artifacts {
		t.Rows = append(t.Rows, []plain.Cell{
			CodeCell(a.StepID), CodeCell(a.Name), TextCell(a.Type), TextCell(strconv.FormatInt(a.SizeBytes, 10)), TimeCell(a.CreatedAt), CodeCell(a.Path),
		})
		if replaced {
			note := plain.Cell{}
			if a.Replaced != nil {
				note = NameCell(a.Replaced.Text)
			}
			last := &t.Rows[len(t.Rows)-1]
			*last = append(*last, note)
		}
	}
	return t
}

// outcomeParts are what a run left, decided and saved, as far as its JSON goes.
func (body RunDetailResponse) outcomeParts() []plain.Part {
	var parts []plain.Part
	add := func(heading string, total int, columns []plain.Column, rows [][]plain.Cell) {
		if len(rows) == 0 {
			return
		}
		p := plain.Part{Heading: heading, Table: plain.Table{Columns: columns, Rows: rows}}
		if total > len(rows) {
			p.Note = fmt.Sprintf("%d earlier ones are left out.", total-len(rows))
		}
		parts = append(parts, p)
	}
	var rows [][]plain.Cell
	for _, o := range body.Outcomes {
		rows = append(rows, []plain.Cell{TimeCell(o.CreatedAt), CodeCell(o.StepID), NameCell(o.Type), NameCell(o.Label), TextCell(o.Value), TextCell(o.Description)})
	}
	add("Outcomes", body.OutcomesTotal, []plain.Column{{Name: "Time"}, {Name: "Step", Max: 40}, {Name: "Type"}, {Name: "Label", Max: 40}, {Name: "Value", Max: 100}, {Name: "Description", Max: 80}}, rows)
	rows = nil
	for _, o := range body.Decisions {
		rows = append(rows, []plain.Cell{TimeCell(o.Timestamp), CodeCell(o.StepID), TextCell(o.Category), TextCell(o.Decision), TextCell(o.Rationale)})
	}
	add("Decisions", body.DecisionsTotal, []plain.Column{{Name: "Time"}, {Name: "Step", Max: 40}, {Name: "Category", Max: 24}, {Name: "Decision", Max: 80}, {Name: "Rationale", Max: 80}}, rows)
	rows = nil
	for _, o := range body.Checkpoints {
		rows = append(rows, []plain.Cell{TimeCell(o.CreatedAt), CodeCell(o.StepID), CodeCell(o.Commit), CodeCell(o.Workspace)})
	}
	add("Checkpoints", body.CheckpointsTotal, []plain.Column{{Name: "Time"}, {Name: "Step", Max: 40}, {Name: "Commit"}, {Name: "Workspace", Max: 100}}, rows)
	return parts
}

// withEvents adds the newest events, or the window that was asked for.
func withEvents(d plain.Document, body RunDetailResponse) plain.Document {
	events := body.Events
	if !body.Windowed {
		events = events[max(0, len(events)-EventsShown):]
	}
	if len(events) == 0 {
		return d
	}
	t := plain.Table{Columns: []plain.Column{{Name: "Event", Right: true}, {Name: "Time"}, {Name: "Step", Max: 40}, {Name: "State"}, {Name: "Message", Max: 120}}}
	for _, e := range events {
		t.Rows = append(t.Rows, []plain.Cell{
			CountCell(e.ID), TimeCell(e.Timestamp), CodeCell(e.StepID), {Text: e.State, Tone: string(EventTone(e.State))}, TextCell(e.Message),
		})
	}
	p := plain.Part{Heading: "Events", Table: t}
	if left := body.EventsTotal - int64(len(events)); left > 0 {
		p.Note = fmt.Sprintf("%d of %d events. The form .log has all of them.", len(events), body.EventsTotal)
	}
	d.Parts = append(d.Parts, p)
	return d
}

// endWord is what to call the recorded end of a run: that of a lost one is when
// somebody else closed its record.
func endWord(sum RunSummary) string {
	if sum.State == string(wave.Lost) {
		return "Closed"
	}
	return "Ended"
}
