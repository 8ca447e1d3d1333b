package web

import (
	"context"
	"net/http"
	"sync/atomic"

	"wavedeck/views"
)

// Access is by which names and addresses the console is reached, and by whom.
type Access struct {
	Hosts   map[string]bool // names in the Host header that are answered; nil: any
	AnyIP   bool            // any address in the Host header is answered too
	Proxies Proxies         // whose X-Forwarded headers are believed
	Embed   EmbedConfig     // which other sites may show parts of it
}

// Shared is what consoles at several prefixes of one process share.
type Shared struct {
	Answers   *Answers
	Acted     atomic.Uint64           // actions so far: what was answered before them is stale
	Streams   atomic.Int64            // that are open
	OpenFiles func() (used, most int) // of this process, 0 where that is not known
}

// Frame is what a page shows of features other than its own.
type Frame struct {
	Attention func(context.Context) int // how many runs need attention
	CanRun    func() bool               // whether runs can be started and stopped here
	Banners   func() []views.Banner     // banners beside those of the state database
	Gated     bool                      // everybody is asked for a token
	// FailFragment answers with an error in the place of an embed.
	FailFragment func(w http.ResponseWriter, r *http.Request, failure *Error)
	TokenName    func(token string) string // what the log calls the token in an address; empty: it is not one of this console
}

// Signal wakes one that sleeps.
type Signal chan struct{}

// Notify wakes it; one that is awake looks once more.
func (w Signal) Notify() {
	select {
	case w <- struct{}{}:
	default: // it is awake
	}
}

func (k *Kit) version() version {
	_, priced, _ := k.Prices.Current()
	return version{state: k.Store.Version(), manifest: k.Manifest.Current().Generation, acted: k.Shared.Acted.Load(), priced: priced}
}

// Deadline ends the work of an answer that takes too long.
func (k *Kit) Deadline(h HandlerFunc) HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		ctx, cancel := context.WithTimeout(r.Context(), k.Budgets.Answer)
		defer cancel()
		return h(w, r.WithContext(ctx))
	}
}
