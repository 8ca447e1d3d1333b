package web

import (
	"context"
	"io"
	"net/http"
	"time"
)

// piece is how much a client has to take within Budgets.Write.
const piece = 64 << 10

// writeDeadline bounds how long a client may hold an answer that it does not read: each
// piece of it has a deadline of its own, so that a large one takes as long as its
// reader does and a reader that stopped is disconnected. It may be nil.
type writeDeadline struct {
	control *http.ResponseController
	within  time.Duration
}

func (k *Kit) writeDeadline(w http.ResponseWriter, r *http.Request) *writeDeadline {
	p := &writeDeadline{control: http.NewResponseController(w), within: k.Budgets.Write}
	if r.ProtoMajor > 1 { // there the answer breaks off when its deadline passes, also while nothing is being written
		p.within += k.Budgets.Answer
	}
	return p
}

// start gives the client its time for what is written next.
func (p *writeDeadline) start() {
	if p != nil {
		_ = p.control.SetWriteDeadline(time.Now().Add(p.within)) // a writer of a test has none
	}
}

func (p *writeDeadline) write(w io.Writer, b []byte) (written int, err error) {
	if p == nil {
		return w.Write(b)
	}
	for {
		p.start()
		n, err := w.Write(b[:min(len(b), piece)])
		written += n
		if b = b[n:]; err != nil || len(b) == 0 {
			return written, err
		}
	}
}

type crowdedKey struct{}

// Crowded marks the context of a connection whose address has too many: its requests
// are answered with that, and it is closed.
func Crowded(ctx context.Context) context.Context { return context.WithValue(ctx, crowdedKey{}, true) }

// RefuseCrowded refuses what comes over a connection that is one too many.
func (k *Kit) RefuseCrowded(next http.Handler) http.Handler {
	refuse := HandlerFunc(func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Connection", "close")
		w.Header().Set("Retry-After", "5")
		return &Error{
			Status: http.StatusServiceUnavailable, Text: "too many connections are open from this address",
			Next: "Close some of them, or ask the operator of the console to allow more with --connections.",
		}
	}).Served(k)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Context().Value(crowdedKey{}) != nil {
			refuse.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
