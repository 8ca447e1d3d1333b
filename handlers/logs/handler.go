// Package logs shows the log of a run: its recorded events in windows, what was searched
// in them, the log of its process, and all of it as text.
package logs

import "wavedeck/handlers/runview"

// Handler answers for the logs of runs.
type Handler struct {
	*runview.Reader
	processLogs indexes
}

// New makes a Handler.
func New(reader *runview.Reader) *Handler { return &Handler{Reader: reader} }
