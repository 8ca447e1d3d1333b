package views

import (
	"slices"
	"time"
)

// OutcomesView is what a run left for others, what was decided in it on its own,
// and where it can be taken up again.
type OutcomesView struct {
	Outcomes        []OutcomeRow
	OutcomesMore    int // older ones that are not shown
	Decisions       []DecisionRow
	DecisionsMore   int
	Checkpoints     []CheckpointRow
	CheckpointsMore int
	AllURL          string // where more of them are, for programs
}

// OutcomeRow is something that a run left.
type OutcomeRow struct {
	Kind        string // in words: pull request, file, ...
	Label       string
	Value       string
	Description string
	Step        string
	At          time.Time
	Out         string // where it leads to elsewhere: http or https, checked; else empty
	Host        string // where Out really leads
	In          string // the page of the artifact that it is
}

// DecisionRow is something that was decided, and why.
type DecisionRow struct {
	Step      string
	Category  string // in words
	Decision  string
	Rationale Account
	Context   string // JSON, indented, or what was recorded instead
	At        time.Time
}

// CheckpointRow is a step after which the run can be taken up.
type CheckpointRow struct {
	Number    int // of the step, from 1
	Step      string
	Workspace string
	Commit    string
	At        time.Time
}

// categories counts decisions by what they are about: "3 retry, 1 contract".
func categories(rows []DecisionRow) string {
	var order []string
	count := map[string]int{}
	for _, row := range rows {
		if count[row.Category]++; !slices.Contains(order, row.Category) {
			order = append(order, row.Category)
		}
	}
	if len(order) == 1 { // how many there are is said already
		return order[0]
	}
	const most = 5 // a writer may call each its own
	text := ""
	for _, category := range order[:min(len(order), most)] {
		text = join(", ", text, itoa(count[category])+" "+category)
	}
	if len(order) > most {
		text += ", …"
	}
	return text
}

// olderWords says what a table leaves out.
func olderWords(n int) string {
	return Plural(n, "older one is", "older ones are") + " not shown here."
}

// labelOr is what to call an outcome: the label, or else what it is.
func labelOr(o OutcomeRow) string {
	for _, name := range []string{o.Label, o.Value, o.Kind} {
		if name != "" {
			return name
		}
	}
	return dash
}
