package catalog

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"wavedeck/handlers/present"
	"wavedeck/views"
	"wavedeck/views/legible"
	"wavedeck/views/plain"
)

func (p pipelineDetail) Plain(to views.Paths, origin string) plain.Document {
	d := plain.Document{Title: legible.Name(p.Name), Parts: []plain.Part{{Facts: p.facts()}}}
	for _, problem := range p.Problems {
		at := problem.File
		if problem.Line > 0 {
			at += ":" + strconv.Itoa(problem.Line)
		}
		d.Parts = append(d.Parts, plain.Part{Heading: "Problem", Note: at + ": " + problem.Text})
	}
	if len(p.Steps) > 0 {
		t := plain.Table{Columns: []plain.Column{{Name: "Step", Max: 40}, {Name: "Kind"}, {Name: "Persona", Max: 24}, {Name: "After", Max: 60}, {Name: "Optional"}}}
		for _, s := range p.Steps {
			optional := ""
			if s.Optional {
				optional = "yes"
			}
			t.Rows = append(t.Rows, []plain.Cell{present.CodeCell(s.ID), present.TextCell(s.Kind), present.NameCell(s.Persona), present.NamesCell(s.Dependencies), present.TextCell(optional)})
		}
		d.Parts = append(d.Parts, plain.Part{Heading: "Steps", Table: t})
	}
	d.Parts = append(d.Parts, p.Trends.parts(to, origin)...)
	if len(p.Recent) > 0 {
		d.Parts = append(d.Parts, plain.Part{Heading: "Runs", Table: present.RunTable(p.Recent, to, origin)})
	}
	return d
}

func (p pipelineDetail) facts() []plain.Fact {
	facts := []plain.Fact{{Name: "Steps", Cell: present.CountCell(int64(p.StepCount))}}
	add := func(name, text string) {
		if text != "" {
			facts = append(facts, plain.Fact{Name: name, Cell: present.TextCell(text)})
		}
	}
	add("Description", p.Description)
	add("Category", legible.Name(p.Category))
	add("File", p.File)
	add("Input", p.Input.words())
	if r := p.Record; r != nil {
		add("Record", fmt.Sprintf("%d succeeded, %d failed, %d cancelled", r.Succeeded, r.Failed, r.Cancelled))
		if r.Timed > 0 {
			add("Takes", fmt.Sprintf("%s (p50), %s (p90), n=%d", millis(&r.MedianMs), millis(&r.P90Ms), r.Timed))
		}
	}
	return facts
}

func (in inputSummary) words() string {
	var words []string
	for _, word := range []string{in.Type, in.Source, in.Description} {
		if word != "" {
			words = append(words, word)
		}
	}
	if in.Required {
		words = append(words, "required")
	}
	if in.Default != "" {
		words = append(words, "default "+in.Default)
	}
	if in.Example != "" {
		words = append(words, "e.g. "+in.Example)
	}
	if len(in.Enum) > 0 {
		words = append(words, "one of "+legible.Names(in.Enum))
	}
	return strings.Join(words, " · ")
}

// millis is a duration as JSON writes those of runs; empty: not known.
func millis(ms *int64) string {
	if ms == nil {
		return ""
	}
	return (time.Duration(*ms) * time.Millisecond).String()
}

func (t trendsSummary) parts(to views.Paths, origin string) []plain.Part {
	var parts []plain.Part
	if len(t.Failures) > 0 {
		failures := plain.Table{Columns: []plain.Column{{Name: "Count", Right: true}, {Name: "First"}, {Name: "Last"}, {Name: "Newest run", Max: 60}, {Name: "Failure", Max: 100}}}
		for _, f := range t.Failures {
			failures.Rows = append(failures.Rows, []plain.Cell{
				present.CountCell(int64(f.Count)), present.TimeCell(f.FirstSeen), present.TimeCell(f.LastSeen), present.RunCell(f.NewestRun, to, origin), present.TextCell(f.Line),
			})
		}
		parts = append(parts, plain.Part{Heading: "Failures", Table: failures, Note: fmt.Sprintf("Of the last %d runs.", t.Runs)})
	}
	if len(t.Steps) > 0 {
		steps := plain.Table{Columns: []plain.Column{
			{Name: "Step", Max: 40}, {Name: "Runs", Right: true}, {Name: "Attempts", Right: true},
			{Name: "p50", Right: true}, {Name: "p90", Right: true}, {Name: "Tokens p50", Right: true}, {Name: "Tokens p90", Right: true},
		}}
		for _, s := range t.Steps {
			steps.Rows = append(steps.Rows, []plain.Cell{
				present.CodeCell(s.StepID), present.CountCell(int64(s.Runs)), present.CountCell(int64(s.Attempts)),
				present.TextCell(millis(s.P50Ms)), present.TextCell(millis(s.P90Ms)), present.CountCell(present.ValueOr0(s.Tokens50)), present.CountCell(present.ValueOr0(s.Tokens90)),
			})
		}
		parts = append(parts, plain.Part{Heading: "Steps of past runs", Table: steps})
	}
	return parts
}
