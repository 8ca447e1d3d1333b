package views

import "strconv"

// HookView is the page of where a view sends word to. Action, Remove, Test and
// Again are where forms go.
type HookView struct {
	Chrome

	View                        string // its name
	List                        string // what it lists
	Set                         bool   // it sends word
	Site                        string // where to, without what may be secret
	URL                         string // as it is filled in
	Secret                      string // that was made now; it is not shown again
	Ends                        []HookEnd
	Problem, Next               string // what was wrong with what was filled in
	Action, Remove, Test, Again string
	Refresh                     string
	Deliveries                  []HookDelivery
}

// HookEnd is something that a hook can tell.
type HookEnd struct {
	Value, State, Word string
	On                 bool
}

// HookDelivery is a message and what became of it.
type HookDelivery struct {
	ID, Type, Run string
	State         string // waiting, delivered, given up
	Attempts      int
	Status        int // of the last answer; 0: none
	Answer, Error string
	Created, Sent Stamp
	Next          Stamp // while it waits
}

// tone is the told state whose silhouette and colour a message has.
func (d HookDelivery) tone() string {
	switch {
	case d.State == "delivered":
		return "succeeded"
	case d.State == "given up":
		return "failed"
	case d.Attempts > 0:
		return "waiting"
	default:
		return "queued"
	}
}

// tries says how many attempts were made, and the status of the last answer.
func (d HookDelivery) tries() string {
	text := Plural(d.Attempts, "attempt", "attempts")
	if d.Status > 0 {
		text += ", status " + strconv.Itoa(d.Status)
	}
	return text
}
