package views

import "time"

// HealthView is the page of how the console itself and what it reads fare.
type HealthView struct {
	Layout

	Refresh string // the page's own address
	State   string // the worst of all rows
	Rows    []HealthRow
}

// HealthRow is one thing that was looked at.
type HealthRow struct {
	Key   string // stable, for ids and JSON
	Name  string
	State string // ok, warning, broken, unknown
	Facts []HealthFact
	Do    string // what to do; empty: nothing
}

// HealthFact is a piece of evidence: a text or, when it is set, a moment.
type HealthFact struct {
	Name string
	Text string
	At   time.Time
}

// healthTone is the derived state whose silhouette and colour a state of health has.
func healthTone(state string) string {
	switch state {
	case "ok":
		return "succeeded"
	case "warning":
		return "waiting"
	case "broken":
		return "failed"
	default:
		return "unknown"
	}
}

// healthWords says the worst of all rows in a sentence.
func healthWords(state string) string {
	switch state {
	case "ok":
		return "All checks passed"
	case "warning":
		return "Working, with warnings"
	case "broken":
		return "A check failed"
	default:
		return "Some checks are unknown"
	}
}
