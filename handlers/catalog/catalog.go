// Package catalog shows the pipelines and personas of a project, and how pipelines have done.
package catalog

import "wavedeck/handlers/runview"

// Handler answers for pipelines and personas.
type Handler struct{ *runview.Reader }

// New makes a Handler.
func New(reader *runview.Reader) *Handler { return &Handler{reader} }
