package wave

import (
	"time"
)

// Decision is something that Wave chose on its own, and why.
type Decision struct {
	StepID    string
	Category  string // model_routing, contract, retry, or what a writer calls it
	Decision  string
	Rationale string
	Context   string // JSON as it was written; a writer may leave anything
	At        time.Time
}

// Checkpoint is a step after which a run can be taken up again.
type Checkpoint struct {
	StepID    string
	Index     int // of the step in its pipeline, from 0
	Workspace string
	Commit    string // of the workspace; empty where it is no repository
	At        time.Time
}

// Newest is the newest rows that a table has of one run, oldest first.
type Newest[T any] struct {
	Rows []T
	All  int // how many the table has, at least len(Rows)
}

// Outcome is something that a run left for others: a pull request, a deployment,
// a file.
type Outcome struct {
	StepID      string
	Type        string // file, url, pr, issue, deployment, artifact, branch, or what a writer calls it
	Label       string
	Value       string // a URL, a path or a name; anybody's text
	Description string // empty in schemas before 25
	At          time.Time
}
