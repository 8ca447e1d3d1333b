// Package savedviews keeps lists of runs under a name.
package savedviews

import "wavedeck/handlers/runview"

// Handler answers for saved views.
type Handler struct{ *runview.Reader }

// New makes a Handler.
func New(reader *runview.Reader) *Handler { return &Handler{reader} }
