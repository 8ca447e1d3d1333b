package handlers

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"wavedeck/store/wave"
	"wavedeck/views"
	"wavedeck/views/address"
	"wavedeck/views/legible"
	"wavedeck/views/plain"
)

// What text and Markdown say is made of the JSON document, so that no form knows
// more than another.

// told is the state of a run, as its page calls it.
func (sum runSummary) told() string {
	if sum.State != "" {
		return sum.State
	}
	if sum.Status == "completed" {
		return string(wave.Succeeded)
	}
	return sum.Status
}

func stateCell(state string) plain.Cell {
	return plain.Cell{Text: state, Tone: state}
}

func codeCell(name string) plain.Cell { return plain.Cell{Text: name, Code: true} }

func textCell(text string) plain.Cell { return plain.Cell{Text: text} }

func timeCell(t *time.Time) plain.Cell { return plain.Cell{Text: moment(t)} }

func countCell(n int64) plain.Cell { return plain.Cell{Text: count(n)} }

// runCell names a run and, in Markdown, leads to it.
func runCell(id string, to views.Paths, origin string) plain.Cell {
	c := codeCell(id)
	if origin != "" && id != "" {
		c.Href = origin + to.Run(id)
	}
	return c
}

func (c *costSummary) text() string {
	switch {
	case c == nil:
		return ""
	case c.Amount == nil:
		return "?"
	}
	return cost{amount: *c.Amount, priced: true, unknown: c.LowerBound}.text(c.Currency)
}

// attention is what is said of a run that needs a look.
func (sum runSummary) attention() string {
	var words []string
	if sum.Runaway != nil {
		words = append(words, "runaway: "+sum.Runaway.Kind)
	}
	if sum.Stall != nil {
		words = append(words, sum.Stall.Verdict)
	}
	if sum.ETA != nil && sum.ETA.Late {
		words = append(words, "late")
	}
	return strings.Join(words, ", ")
}

func (e *etaSummary) text() string {
	if e == nil || e.P50 == nil {
		return ""
	}
	return fmt.Sprintf("%s to %s (p50 to p90, n=%d)", moment(e.P50), moment(e.P90), e.N)
}

func percent(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n) + "%"
}

//nolint:gochecknoglobals // read only
var runColumns = []plain.Column{
	{Name: "State"}, {Name: "Run", Max: 60}, {Name: "Pipeline", Max: 28}, {Name: "Step", Max: 24}, {Name: "Done", Right: true},
	{Name: "Started"}, {Name: "Duration", Right: true}, {Name: "Tokens", Right: true}, {Name: "Needs", Max: 24}, {Name: "Tags", Max: 24},
	{Name: "Input", Max: 60},
}

func runTable(sums []runSummary, to views.Paths, origin string) plain.Table {
	t := plain.Table{Columns: runColumns}
	why := func(sum runSummary) string { return cmp.Or(sum.Headline, sum.Reason) } // as the page says it
	some := slices.ContainsFunc(sums, func(sum runSummary) bool { return why(sum) != "" })
	if some {
		t.Columns = slices.Insert(slices.Clone(t.Columns), 9, plain.Column{Name: "Why", Max: lineShown})
	}
	priced := slices.ContainsFunc(sums, func(sum runSummary) bool { return sum.Cost != nil })
	if priced {
		t.Columns = slices.Insert(slices.Clone(t.Columns), 8, plain.Column{Name: "Cost", Right: true})
	}
	for _, sum := range sums {
		row := []plain.Cell{
			stateCell(sum.told()), runCell(sum.RunID, to, origin), codeCell(sum.PipelineName), codeCell(sum.CurrentStep), textCell(percent(sum.Progress)),
			timeCell(sum.StartedAt), textCell(sum.Duration), countCell(sum.TotalTokens), textCell(sum.attention()), textCell(strings.Join(sum.Tags, ", ")),
			textCell(sum.Input),
		}
		if some {
			row = slices.Insert(row, 9, textCell(why(sum)))
		}
		if priced {
			row = slices.Insert(row, 8, textCell(sum.Cost.text()))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (a *asOf) note() string {
	return fmt.Sprintf("As of event %d, %s. Approximate: %s.", a.Event, moment(a.Time), strings.Join(a.Approximate, ", "))
}

func (body runListResponse) plain(to views.Paths, origin string) plain.Document {
	d := plain.Document{Title: "Runs"}
	if filter := address.EncodeQuery(body.query).Encode(); filter != "" {
		if readable, err := url.QueryUnescape(filter); err == nil {
			filter = readable
		}
		d.Title += " · " + filter
	}
	if body.AsOf != nil {
		d.Parts = append(d.Parts, plain.Part{Note: body.AsOf.note()})
	}
	if len(body.Runs) == 0 {
		d.Parts = append(d.Parts, plain.Part{Note: "No runs."})
	} else {
		d.Parts = append(d.Parts, plain.Part{Table: runTable(body.Runs, to, origin)})
	}
	if body.HasMore {
		d.Parts = append(d.Parts, plain.Part{Note: "There are older ones: older=" + body.NextCursor})
	}
	return d
}

func (body runDetailResponse) plain(to views.Paths, origin string) plain.Document {
	run := body.Run
	d := plain.Document{Title: legible.Name(cmp.Or(run.PipelineName, "Run")) + " · " + legible.Name(run.RunID)}
	if body.AsOf != nil {
		d.Parts = append(d.Parts, plain.Part{Note: body.AsOf.note()})
	}
	d.Parts = append(d.Parts, plain.Part{Facts: run.facts(to, origin)})
	if facts := startFacts(body.Started); len(facts) > 0 {
		p := plain.Part{Heading: "Started with"}
		for _, f := range facts {
			p.Facts = append(p.Facts, plain.Fact{Name: f.Name, Cell: textCell(f.Text)})
		}
		d.Parts = append(d.Parts, p)
	}
	if run.ErrorMessage != "" {
		d.Parts = append(d.Parts, plain.Part{Heading: "Error", Pre: most(run.ErrorMessage, textsWhole)})
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
	if run.Stall != nil {
		d.Parts = append(d.Parts, plain.Part{Heading: "Why is it not moving?", Facts: run.Stall.facts()})
	}
	if len(body.Steps) > 0 {
		d.Parts = append(d.Parts, plain.Part{Heading: "Steps", Table: stepTable(body.Steps)})
	}
	if len(body.Children) > 0 {
		d.Parts = append(d.Parts, plain.Part{Heading: "Children", Table: childTable(body.Children, to, origin), Note: body.childrenNote()})
	}
	d.Parts = append(d.Parts, body.ledgerParts()...)
	if len(body.Artifacts) > 0 {
		d.Parts = append(d.Parts, plain.Part{Heading: "Artifacts", Table: artifactTable(body.Artifacts)})
	}
	return withEvents(d, body)
}

// facts are what is known of a run; what is not is left out.
func (sum runSummary) facts(to views.Paths, origin string) []plain.Fact {
	sum.Input = most(sum.Input, textsWhole)
	input := textCell(sum.Input)
	if strings.Contains(sum.Input, "\n") {
		input = plain.Cell{} // it stands below
	}
	failure := textCell(sum.Headline)
	if sum.Headline == sum.Reason {
		failure = plain.Cell{}
	}
	runaway := ""
	if sum.Runaway != nil {
		runaway = sum.Runaway.Kind + " at " + sum.Runaway.Step + ": " + sum.Runaway.Why
	}
	facts := []plain.Fact{
		{Name: "State", Cell: stateCell(sum.told())},
		{Name: "Run", Cell: runCell(sum.RunID, to, origin)},
		{Name: "Pipeline", Cell: codeCell(sum.PipelineName)},
		{Name: "Reason", Cell: textCell(sum.Reason)},
		{Name: "Failure", Cell: failure},
		{Name: "Caused by", Cell: runCell(sum.CausedBy, to, origin)},
		{Name: "Caused by step", Cell: codeCell(sum.CausedByStep)},
		{Name: "Step", Cell: codeCell(sum.CurrentStep)},
		{Name: "Done", Cell: textCell(percent(sum.Progress))},
		{Name: "Started", Cell: timeCell(sum.StartedAt)},
		{Name: "Ended", Cell: timeCell(sum.CompletedAt)},
		{Name: "Duration", Cell: textCell(sum.Duration)},
		{Name: "Done by", Cell: textCell(sum.ETA.text())},
		{Name: "Tokens", Cell: countCell(sum.TotalTokens)},
		{Name: "Tokens incl. children", Cell: countCell(sum.SubtreeTokens)},
		{Name: "Cost", Cell: textCell(sum.Cost.text())},
		{Name: "Runaway", Cell: textCell(runaway)},
		{Name: "Kind", Cell: codeCell(sum.RunKind)},
		{Name: "Item", Cell: textCell(sum.item())},
		{Name: "Parent", Cell: runCell(sum.ParentRunID, to, origin)},
		{Name: "Parent step", Cell: codeCell(sum.ParentStepID)},
		{Name: "Forked from", Cell: runCell(sum.ForkedFrom, to, origin)},
		{Name: "Children", Cell: textCell(sum.ChildrenCounts.text())},
		{Name: "Branch", Cell: codeCell(sum.BranchName)},
		{Name: "Tags", Cell: textCell(strings.Join(shortened(sum.Tags, manyShown), ", "))},
		{Name: "Input", Cell: input},
	}
	return slices.DeleteFunc(facts, func(f plain.Fact) bool { return f.Cell.Text == "" })
}

func (s *stallSummary) facts() []plain.Fact {
	facts := []plain.Fact{{Name: "verdict", Cell: textCell(s.Verdict)}, {Name: "why", Cell: textCell(s.Why)}}
	for _, e := range s.Evidence {
		var words []string
		for _, word := range []string{e.Value, moment(e.At), e.Note} {
			if word != "" {
				words = append(words, word)
			}
		}
		facts = append(facts, plain.Fact{Name: e.Signal, Cell: textCell(strings.Join(words, " · "))})
	}
	return facts
}

// item is which of several items a run is, from 1.
func (sum runSummary) item() string {
	if sum.IterateIndex == nil {
		return ""
	}
	return itemText(*sum.IterateIndex, valueOf(sum.IterateTotal))
}

func (c *childSummary) text() string {
	if c == nil {
		return ""
	}
	return childrenWord(wave.ChildCounts{All: c.Total, Ended: c.Ended, Failed: c.Failed})
}

// childrenNote says how many children the table leaves out.
func (body runDetailResponse) childrenNote() string {
	if c := body.Run.ChildrenCounts; c != nil && c.Total > len(body.Children) {
		return fmt.Sprintf("%d more are left out.", c.Total-len(body.Children))
	}
	return ""
}

// childTable is the runs that a run started.
func childTable(sums []runSummary, to views.Paths, origin string) plain.Table {
	t := plain.Table{Columns: []plain.Column{
		{Name: "State"}, {Name: "Run", Max: 60}, {Name: "Of step", Max: 24}, {Name: "Kind", Max: 24}, {Name: "Item"}, {Name: "Pipeline", Max: 28},
		{Name: "Started"}, {Name: "Duration", Right: true}, {Name: "Tokens", Right: true}, {Name: "Note", Max: 80},
	}}
	for _, sum := range sums {
		t.Rows = append(t.Rows, []plain.Cell{
			stateCell(sum.told()), runCell(sum.RunID, to, origin), codeCell(sum.ParentStepID), codeCell(sum.RunKind), textCell(sum.item()), codeCell(sum.PipelineName),
			timeCell(sum.StartedAt), textCell(sum.Duration), countCell(sum.TotalTokens), textCell(cmp.Or(sum.Headline, sum.Reason)),
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
			stateCell(s.State), codeCell(s.StepID), textCell(s.StepType), textCell(s.Persona), textCell(s.Model), countCell(int64(s.Attempts)), countCell(int64(s.VisitCount)),
			timeCell(s.StartedAt), textCell(s.Duration), countCell(s.TokensUsed), textCell(contractWord(s.Contract)), textCell(cmp.Or(s.Headline, s.Error, s.Note, s.Action)),
		})
	}
	return t
}

func artifactTable(artifacts []artifactSummary) plain.Table {
	t := plain.Table{Columns: []plain.Column{
		{Name: "Step", Max: 40}, {Name: "Name", Max: 40}, {Name: "Type", Max: 16}, {Name: "Bytes", Right: true}, {Name: "Created"}, {Name: "Path", Max: 100},
	}}
	replaced := slices.ContainsFunc(artifacts, func(a artifactSummary) bool { return a.Replaced != nil })
	if replaced {
		t.Columns = append(t.Columns, plain.Column{Name: "Note", Max: 100})
	}
	for _, a := range artifacts {
		t.Rows = append(t.Rows, []plain.Cell{
			codeCell(a.StepID), codeCell(a.Name), textCell(a.Type), textCell(strconv.FormatInt(a.SizeBytes, 10)), timeCell(a.CreatedAt), codeCell(a.Path),
		})
		if replaced {
			note := plain.Cell{}
			if a.Replaced != nil {
				note = textCell(a.Replaced.Text)
			}
			last := &t.Rows[len(t.Rows)-1]
			*last = append(*last, note)
		}
	}
	return t
}

// ledgerParts are what a run left, decided and saved, as far as its JSON goes.
func (body runDetailResponse) ledgerParts() []plain.Part {
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
		rows = append(rows, []plain.Cell{timeCell(o.CreatedAt), codeCell(o.StepID), textCell(o.Type), textCell(o.Label), textCell(o.Value), textCell(o.Description)})
	}
	add("Outcomes", body.OutcomesTotal, []plain.Column{{Name: "Time"}, {Name: "Step", Max: 40}, {Name: "Type"}, {Name: "Label", Max: 40}, {Name: "Value", Max: 100}, {Name: "Description", Max: 80}}, rows)
	rows = nil
	for _, o := range body.Decisions {
		rows = append(rows, []plain.Cell{timeCell(o.Timestamp), codeCell(o.StepID), textCell(o.Category), textCell(o.Decision), textCell(o.Rationale)})
	}
	add("Decisions", body.DecisionsTotal, []plain.Column{{Name: "Time"}, {Name: "Step", Max: 40}, {Name: "Category", Max: 24}, {Name: "Decision", Max: 80}, {Name: "Rationale", Max: 80}}, rows)
	rows = nil
	for _, o := range body.Checkpoints {
		rows = append(rows, []plain.Cell{timeCell(o.CreatedAt), codeCell(o.StepID), codeCell(o.Commit), codeCell(o.Workspace)})
	}
	add("Checkpoints", body.CheckpointsTotal, []plain.Column{{Name: "Time"}, {Name: "Step", Max: 40}, {Name: "Commit"}, {Name: "Workspace", Max: 100}}, rows)
	return parts
}

// withEvents adds the newest events, or the window that was asked for.
func withEvents(d plain.Document, body runDetailResponse) plain.Document {
	events := body.Events
	if !body.windowed {
		events = events[max(0, len(events)-eventsShown):]
	}
	if len(events) == 0 {
		return d
	}
	t := plain.Table{Columns: []plain.Column{{Name: "Event", Right: true}, {Name: "Time"}, {Name: "Step", Max: 40}, {Name: "State"}, {Name: "Message", Max: 120}}}
	for _, e := range events {
		t.Rows = append(t.Rows, []plain.Cell{
			countCell(e.ID), timeCell(e.Timestamp), codeCell(e.StepID), {Text: e.State, Tone: string(eventTone(e.State))}, textCell(e.Message),
		})
	}
	p := plain.Part{Heading: "Events", Table: t}
	if left := body.eventsTotal - int64(len(events)); left > 0 {
		p.Note = fmt.Sprintf("%d of %d events. The form .log has all of them.", len(events), body.eventsTotal)
	}
	d.Parts = append(d.Parts, p)
	return d
}
