// Package search finds runs and events by their text, in all runs.
package search

import (
	"wavedeck/handlers/runview"
	"wavedeck/store/search"
)

// Handler answers for the search.
type Handler struct {
	*runview.Reader
	Index *search.Index // of the events; nil: their text is not searched
}

// New makes a Handler.
func New(reader *runview.Reader, index *search.Index) *Handler { return &Handler{reader, index} }
