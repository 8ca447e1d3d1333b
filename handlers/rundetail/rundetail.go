// Package rundetail shows one run: its pages, its data, its events as they come, its
// artifacts, and the file that holds all of it.
package rundetail

import (
	"context"

	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// Handler answers for one run.
type Handler struct {
	*runview.Reader
	From
	Limits
	loads *web.Loads[views.RunView]
}

// Limits are how much is done at once, for all clients together.
type Limits struct {
	Renderings  chan struct{} // holds one for each body of an artifact that is being rendered
	ExportBytes int           // of a run's exported file, without what is around its parts
}

// From is what the log of a run gives to its pages.
type From struct {
	PlainLog  web.HandlerFunc                                                       // a run's log as text
	ExportLog func(ctx context.Context, d wave.RunDetail, to runview.LogSink) error // into the file of a run
}

// New makes a Handler.
func New(reader *runview.Reader, from From, limits Limits) *Handler {
	return &Handler{Reader: reader, From: from, Limits: limits, loads: web.NewLoads[views.RunView]()}
}
