// Package actions starts, stops, retries and resumes runs, one or many at once.
package actions

import (
	"context"
	"net/http"
	"sync"

	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/views"
)

// Handler answers for actions on one run.
type Handler struct {
	*runview.Reader
	RunHead func(ctx context.Context, r *http.Request, run string) (views.RunView, error) // of a run's pages, which changes with an action
	ids     *runIDs
	bulk    *Bulk
}

// Bulk answers for actions on many runs, and carries them out.
type Bulk struct {
	*Handler
	Wake web.Signal // there is something to do
}

// New makes a Handler. Consoles at several prefixes share wake.
func New(reader *runview.Reader, runHead func(ctx context.Context, r *http.Request, run string) (views.RunView, error), wake web.Signal) *Handler {
	h := &Handler{Reader: reader, RunHead: runHead, ids: &runIDs{reader.Kit}}
	h.bulk = &Bulk{h, wake}
	return h
}

// Run carries out actions on many runs, and answers gates whose time is over, until
// ctx ends.
func (h *Handler) Run(ctx context.Context) {
	var work sync.WaitGroup
	work.Go(func() { answers{h}.keepTime(ctx) })
	h.bulk.work(ctx)
	work.Wait()
}
