// Package compare puts two runs side by side.
package compare

import "wavedeck/handlers/runview"

// Handler answers for the comparison of two runs.
type Handler struct{ *runview.Reader }

// New makes a Handler.
func New(reader *runview.Reader) *Handler { return &Handler{reader} }
