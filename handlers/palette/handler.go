// Package palette answers the command line, its completion, the palette, and the pages of keys and settings.
package palette

import "wavedeck/handlers/runview"

// Handler answers for what is typed.
type Handler struct{ *runview.Reader }

// New makes a Handler.
func New(reader *runview.Reader) *Handler { return &Handler{reader} }
