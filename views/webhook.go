package views

import (
	"strconv"
	"time"
)

// WebhookView is the page of where a view sends word to. Action, Remove, Test and
// Again are where forms go.
type WebhookView struct {
	Layout

	View                        string // its name
	List                        string // what it lists
	Set                         bool   // it sends word
	Site                        string // where to, without what may be secret
	URL                         string // as it is filled in
	Secret                      string // that was made now; it is not shown again
	Ends                        []WebhookEnd
	Problem, Next               string // what was wrong with what was filled in
	Action, Remove, Test, Again string
	Refresh                     string
	Deliveries                  []WebhookDelivery
}

// WebhookEnd is something that a hook can tell.
type WebhookEnd struct {
	Value, State, Word string
	On                 bool
}

// WebhookDelivery is a message and what became of it.
type WebhookDelivery struct {
	ID, Type, Run string
	State         string // waiting, delivered, given up
	Attempts      int
	Status        int // of the last answer; 0: none
	Answer, Error string
	Created, Sent time.Time
	Next          time.Time // while it waits
}

// tone is the derived state whose silhouette and colour a message has.
func (d WebhookDelivery) tone() string {
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
func (d WebhookDelivery) tries() string {
	text := Plural(d.Attempts, "attempt", "attempts")
	if d.Status > 0 {
		text += ", status " + strconv.Itoa(d.Status)
	}
	return text
}
