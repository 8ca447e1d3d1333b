// Package runs lists runs: the page, its filter, its exports, the icon of a tab.
package runs

import "wavedeck/handlers/runview"

// Handler answers for the list of runs.
type Handler struct{ *runview.Reader }

// New makes a Handler.
func New(reader *runview.Reader) *Handler { return &Handler{reader} }
