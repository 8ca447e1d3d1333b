package web

import (
	"cmp"
	"time"
)

// Budgets are the times that the console allows itself and its clients. A zero
// field is its default. Tests raise what must not depend on the machine's speed,
// and lower what they wait for.
type Budgets struct {
	Answer    time.Duration // the work for one answer, streams excepted: 20 s
	Body      time.Duration // until a request's body has arrived: 30 s
	Write     time.Duration // one write to a client; a slower client is disconnected: 10 s
	Search    time.Duration // a search in a log or in all events, which then answers with what it has: 300 ms
	Asker     time.Duration // finding who asked a run to stop, which a page does not wait for: 50 ms
	Render    time.Duration // rendering the body of an artifact, which is shown as text then: 1.5 s
	Behind    time.Duration // since the database was last checked, until health says that pages may be behind: 5 s
	Ping      time.Duration // between two signs of life on an idle stream: 10 s
	GateTime  time.Duration // between two looks for gates whose time is over: 2 s
	SignedOut time.Duration // finding whether a session was signed out elsewhere; only sessions that began here count then: 5 s
}

// WithDefaults fills in what is zero.
func (b Budgets) WithDefaults() Budgets {
	return Budgets{
		Answer:    cmp.Or(b.Answer, 20*time.Second),
		Body:      cmp.Or(b.Body, 30*time.Second),
		Write:     cmp.Or(b.Write, 10*time.Second),
		Search:    cmp.Or(b.Search, 300*time.Millisecond),
		Asker:     cmp.Or(b.Asker, 50*time.Millisecond),
		Render:    cmp.Or(b.Render, 1500*time.Millisecond),
		Behind:    cmp.Or(b.Behind, 5*time.Second),
		Ping:      cmp.Or(b.Ping, 10*time.Second),
		GateTime:  cmp.Or(b.GateTime, 2*time.Second),
		SignedOut: cmp.Or(b.SignedOut, 5*time.Second),
	}
}
