package present

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

// ChildrenWord counts the children of a run that ended and failed; empty when it has none.
func ChildrenWord(c wave.ChildCounts) string {
	if c.All == 0 {
		return ""
	}
	word := fmt.Sprintf("%d of %d ended", c.Ended, c.All)
	if c.Failed > 0 {
		word += fmt.Sprintf(", %d failed", c.Failed)
	}
	return word
}

// What text and Markdown say is made of the JSON document, so that no form knows
// more than another.

// derivedState is the derived state of a run, as its page calls it.
func (sum RunSummary) derivedState() string {
	if sum.State != "" {
		return sum.State
	}
	if sum.Status == "completed" {
		return string(wave.Succeeded)
	}
	return sum.Status
}

// StateCell is a state as a cell.
func StateCell(state string) plain.Cell {
	return plain.Cell{Text: state, Tone: state}
}

// CodeCell is a name, set as code, as a cell.
func CodeCell(name string) plain.Cell { return plain.Cell{Text: name, Code: true} }

// TextCell is a text as a cell.
func TextCell(text string) plain.Cell { return plain.Cell{Text: text} }

// NameCell is a name that is not set as code, with marks where it has what is not seen.
func NameCell(name string) plain.Cell { return plain.Cell{Text: legible.Name(name)} }

// NamesCell is some names in one cell.
func NamesCell(names []string) plain.Cell { return plain.Cell{Text: legible.Names(names)} }

// TimeCell is a time as a cell, empty when it is not known.
func TimeCell(t *time.Time) plain.Cell { return plain.Cell{Text: TimeText(t)} }

// CountCell is a number as a cell.
func CountCell(n int64) plain.Cell { return plain.Cell{Text: CountText(n)} }

// RunCell names a run and, in Markdown, leads to it.
func RunCell(id string, to views.Paths, origin string) plain.Cell {
	c := CodeCell(id)
	if origin != "" && id != "" {
		c.Href = origin + to.Run(id)
	}
	return c
}

func (c *CostSummary) text() string {
	switch {
	case c == nil:
		return ""
	case c.Amount == nil:
		return "?"
	}
	return Cost{Amount: *c.Amount, Priced: true, Unknown: c.LowerBound}.Text(c.Currency)
}

// attention is what is said of a run that needs a look.
func (sum RunSummary) attention() string {
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

func (e *EtaSummary) text() string {
	if e == nil || e.P50 == nil {
		return ""
	}
	return fmt.Sprintf("%s to %s (p50 to p90, n=%d)", TimeText(e.P50), TimeText(e.P90), e.N)
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

// RunTable is a table of runs for text and Markdown; links lead to origin.
func RunTable(sums []RunSummary, to views.Paths, origin string) plain.Table {
	t := plain.Table{Columns: runColumns}
	why := func(sum RunSummary) string { return cmp.Or(sum.Headline, sum.Reason) } // as the page says it
	some := slices.ContainsFunc(sums, func(sum RunSummary) bool { return why(sum) != "" })
	if some {
		t.Columns = slices.Insert(slices.Clone(t.Columns), 9, plain.Column{Name: "Why", Max: LineShown})
	}
	priced := slices.ContainsFunc(sums, func(sum RunSummary) bool { return sum.Cost != nil })
	if priced {
		t.Columns = slices.Insert(slices.Clone(t.Columns), 8, plain.Column{Name: "Cost", Right: true})
	}
	for _, sum := range sums {
		row := []plain.Cell{
			StateCell(sum.derivedState()), RunCell(sum.RunID, to, origin), CodeCell(sum.PipelineName), CodeCell(sum.CurrentStep), TextCell(percent(sum.Progress)),
			TimeCell(sum.StartedAt), TextCell(sum.Duration), CountCell(sum.TotalTokens), TextCell(sum.attention()), NamesCell(sum.Tags),
			TextCell(sum.Input),
		}
		if some {
			row = slices.Insert(row, 9, TextCell(why(sum)))
		}
		if priced {
			row = slices.Insert(row, 8, TextCell(sum.Cost.text()))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (a *AsOf) note() string {
	return fmt.Sprintf("As of event %d, %s. Approximate: %s.", a.Event, TimeText(a.Time), strings.Join(a.Approximate, ", "))
}

// Plain is the list of runs as text or Markdown.
func (body RunListResponse) Plain(to views.Paths, origin string) plain.Document {
	d := plain.Document{Title: "Runs"}
	if filter := address.EncodeQuery(body.Query).Encode(); filter != "" {
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
		d.Parts = append(d.Parts, plain.Part{Table: RunTable(body.Runs, to, origin)})
	}
	if body.HasMore {
		d.Parts = append(d.Parts, plain.Part{Note: "There are older ones: older=" + body.NextCursor})
	}
	return d
}

// EventsShown is how many of a run's events a page shows at once.
const EventsShown = 100

// Words is an identifier of Wave as words.
func Words(identifier string) string { return strings.ReplaceAll(identifier, "_", " ") }

// TimeText is a time as JSON has it; empty: not known.
func TimeText(t *time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// CountText is a number that JSON leaves out when it is 0.
func CountText(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}
