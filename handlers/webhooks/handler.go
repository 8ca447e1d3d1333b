// Package webhooks delivers messages about the runs of a saved view to other programs, and lists them.
package webhooks

import (
	"context"
	"sync"

	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/handlers/webhook"
	"wavedeck/store/diagnose"
)

// Handler answers for the webhooks of saved views, and sends their messages.
type Handler struct {
	*runview.Reader
	Sender    *webhook.Sender
	Guard     *webhook.Guard                                      // which addresses messages may go to
	Wake      web.Signal                                          // there is a message to send
	Attention func(context.Context) ([]diagnose.Attention, error) // which runs need it
}

// Run makes the messages of what happens and sends them, until ctx ends.
func (h *Handler) Run(ctx context.Context) {
	var work sync.WaitGroup
	work.Go(func() { h.watch(ctx) })
	work.Go(func() { h.deliver(ctx) })
	work.Wait()
}
