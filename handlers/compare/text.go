package compare

import (
	"fmt"
	"strconv"
	"strings"

	"wavedeck/handlers/present"
	"wavedeck/handlers/web"
	"wavedeck/views"
	"wavedeck/views/legible"
	"wavedeck/views/plain"
)

func (body compareResponse) Plain(to views.Paths, origin string) plain.Document {
	d := plain.Document{Title: "Compare " + legible.Name(body.Left.RunID)}
	if body.Right == nil {
		d.Parts = []plain.Part{{Facts: body.Left.Facts(to, origin)}, {Note: body.None}}
		return d
	}
	d.Title += " with " + legible.Name(body.Right.RunID)
	sides := plain.Table{Columns: []plain.Column{{Name: "Fact"}, {Name: "Left", Max: 80}, {Name: "Right", Max: 80}, {Name: "Differs"}, {Name: "Delta", Right: true}}}
	sides.Rows = append(sides.Rows,
		[]plain.Cell{present.TextCell("run"), present.RunCell(body.Left.RunID, to, origin), present.RunCell(body.Right.RunID, to, origin), {}, {}},
		[]plain.Cell{present.TextCell("started_at"), present.TimeCell(body.Left.StartedAt), present.TimeCell(body.Right.StartedAt), {}, {}},
	)
	sides.Rows = append(sides.Rows, factRowsOf(body.Facts)...)
	head := plain.Part{Table: sides}
	if body.Chosen != "" {
		head.Note = "Right is " + body.Chosen + "."
	}
	d.Parts = append(d.Parts, head, plain.Part{Heading: "First difference", Note: body.firstDifference()})
	if body.InputDiff != "" {
		d.Parts = append(d.Parts, plain.Part{Heading: "Input", Pre: body.InputDiff})
	}
	for _, step := range body.Steps {
		d.Parts = append(d.Parts, step.part())
	}
	return body.withOutputs(d)
}

func (body compareResponse) firstDifference() string {
	f := body.FirstDifference
	if f == nil {
		return "None in the steps of both runs."
	}
	at := "The runs"
	if f.StepID != "" {
		at = "Step " + legible.Name(f.StepID)
	}
	if f.Attempt > 0 {
		at += ", attempt " + strconv.Itoa(f.Attempt)
	}
	return fmt.Sprintf("%s: %s is %s on the left, %s on the right.", at, f.Fact, web.Quoted(present.Clip(f.Left, web.MaxText)), web.Quoted(present.Clip(f.Right, web.MaxText)))
}

// part is a step with its attempts: a row for each fact, the attempt named before it.
func (step comparedStep) part() plain.Part {
	t := plain.Table{Columns: []plain.Column{{Name: "Fact"}, {Name: "Left", Max: 80}, {Name: "Right", Max: 80}, {Name: "Differs"}, {Name: "Delta", Right: true}}}
	t.Rows = factRowsOf(step.Facts)
	for _, a := range step.Attempts {
		rows := factRowsOf(a.Facts)
		for i := range rows {
			rows[i][0].Text = "attempt " + strconv.Itoa(a.Attempt) + " " + rows[i][0].Text
		}
		t.Rows = append(t.Rows, rows...)
	}
	heading := "Step " + legible.Name(step.StepID)
	if step.In != "both" {
		heading += " (only " + step.In + ")"
	}
	return plain.Part{Heading: heading, Table: t}
}

func factRowsOf(facts []factSummary) [][]plain.Cell {
	var rows [][]plain.Cell
	for _, f := range facts {
		differs, delta := "", ""
		if f.Differs {
			differs = "yes"
		}
		if f.Delta != nil {
			delta = fmt.Sprintf("%+d", *f.Delta)
		}
		rows = append(rows, []plain.Cell{present.TextCell(f.Fact), valueCell(f.Fact, f.Left), valueCell(f.Fact, f.Right), present.TextCell(differs), present.TextCell(delta)})
	}
	return rows
}

// valueCell is one side of a fact, in the unit that JSON has it in.
func valueCell(fact string, value any) plain.Cell {
	if value == nil {
		return plain.Cell{}
	}
	text := fmt.Sprint(value)
	switch fact {
	case "state":
		return present.StateCell(text)
	case "branch", "tags", "pipeline", "persona", "model", "adapter":
		return present.NameCell(text)
	default:
		return present.TextCell(text)
	}
}

func (body compareResponse) withOutputs(d plain.Document) plain.Document {
	if len(body.Outputs) == 0 {
		return d
	}
	t := plain.Table{Columns: []plain.Column{
		{Name: "Step", Max: 40}, {Name: "Name", Max: 40}, {Name: "Attempt", Right: true}, {Name: "Verdict"}, {Name: "Left bytes", Right: true}, {Name: "Right bytes", Right: true},
		{Name: "Only left", Right: true}, {Name: "Only right", Right: true}, {Name: "Note", Max: 80},
	}}
	var diffs []plain.Part
	for _, o := range body.Outputs {
		t.Rows = append(t.Rows, []plain.Cell{
			present.CodeCell(o.StepID), present.CodeCell(o.Name), present.CountCell(int64(o.Attempt)), present.TextCell(o.Verdict), o.Left.size(), o.Right.size(),
			present.CountCell(int64(o.Removed)), present.CountCell(int64(o.Added)), present.NameCell(o.Note),
		})
		if o.Diff != "" {
			p := plain.Part{Heading: strings.TrimSpace(legible.Name(o.StepID) + " " + legible.Name(o.Name)), Pre: o.Diff}
			if o.DiffCutBy > 0 {
				p.Note = fmt.Sprintf("%d lines of the diff are left out.", o.DiffCutBy)
			}
			diffs = append(diffs, p)
		}
	}
	outputs := plain.Part{Heading: "Artifacts", Table: t}
	if body.OutputsNotLooked > 0 {
		outputs.Note = fmt.Sprintf("%d more were not compared.", body.OutputsNotLooked)
	}
	d.Parts = append(append(d.Parts, outputs), diffs...)
	return d
}

func (f *comparedFile) size() plain.Cell {
	switch {
	case f == nil:
		return plain.Cell{}
	case f.SizeBytes == nil:
		return present.TextCell(f.Refused)
	}
	return present.TextCell(strconv.FormatInt(*f.SizeBytes, 10))
}
