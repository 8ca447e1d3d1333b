// Package attention shows which runs need a person.
package attention

import "wavedeck/handlers/runview"

// Handler answers for what needs attention.
type Handler struct {
	*runview.Reader
	marks seenMarks
}

// New makes a Handler.
func New(reader *runview.Reader) *Handler { return &Handler{Reader: reader} }
