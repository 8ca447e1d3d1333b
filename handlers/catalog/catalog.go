// Package catalog shows the pipelines and personas of a project, and how pipelines have done.
package catalog

import (
	"context"

	"wavedeck/handlers/runview"
	"wavedeck/store/manifest"
)

// Refusal is why the engine would not start a pipeline; empty when it would.
type Refusal func(context.Context, manifest.Pipeline) string

// Handler answers for pipelines and personas.
type Handler struct {
	*runview.Reader
	refusal Refusal
}

// New makes a Handler.
func New(reader *runview.Reader, refusal Refusal) *Handler { return &Handler{reader, refusal} }
