package views

import "time"

// BulkView is the rehearsal of an action on many runs.
type BulkView struct {
	Layout
	Do      string // cancel or retry
	Force   bool
	All     int // runs it was asked for
	More    bool
	Touched []RunRow
	Not     []Untouched
	Warned  []Untouched // those that are touched, and what will go wrong then
	Action  string      // address of the form
	Back    string
	Error   string // of the number that was typed
}

// verdict is what becomes of the runs, in a sentence.
func (v BulkView) verdict() string {
	not := 0
	for _, list := range v.Not {
		not += len(list.Rows)
	}
	text := Plural(len(v.Touched), "run", "runs") + " will be retried"
	if not == 0 {
		return text + "."
	}
	text += ", " + Number(int64(not)) + " cannot"
	for i, list := range v.Not {
		text += []string{": ", "; "}[min(i, 1)] + Number(int64(len(list.Rows))) + " – " + list.Why
	}
	return text + "."
}

// Untouched are the runs that an action leaves alone, for one reason.
type Untouched struct {
	Why  string
	Rows []RunRow
}

// BulkProgress is how far an action on many runs has come.
type BulkProgress struct {
	Layout
	Do                     string
	Waiting, Done, Refused int
	Note                   string // what it waits for
	Created, Ended         time.Time
	Stopped                bool
	Refresh                string // address of the fragment; empty: it has ended
	Stop                   string // where what is left is given up
	Rows                   []BulkRow
	Earlier, Later         string
}

// BulkRow is one of its runs.
type BulkRow struct{ Run, State, Result, NewRun string }

// bulkShown is how many of the runs that an action is about its rehearsal lists.
const bulkShown = 100

func bulkVerb(do string) string {
	if do == "retry" {
		return "Retry"
	}
	return "Stop"
}

func bulkTone(state string) string {
	switch state {
	case "done":
		return "succeeded"
	case "refused":
		return "rejected"
	default:
		return "pending"
	}
}

func (v BulkProgress) heading() string {
	all := v.Waiting + v.Done + v.Refused
	return bulkVerb(v.Do) + " " + Plural(all, "run", "runs")
}

func (v BulkProgress) word() string {
	switch {
	case v.Stopped:
		return "given up"
	case !v.Ended.IsZero():
		return "done"
	default:
		return "going on"
	}
}

// say is what is read aloud while it goes on.
func (v BulkProgress) say() string {
	return v.word() + ": " + Number(int64(v.Done)) + " done, " + Number(int64(v.Refused)) + " skipped,  " + Number(int64(v.Waiting)) + " to do"
}

func bulkWord(state string) string {
	if state == "refused" {
		return "skipped"
	}
	return state
}
