// Package embed is what pages of other sites may show of the console, who may, and the
// pages that say how.
package embed

import (
	"context"
	"net/http"
	"net/url"
	"sync/atomic"

	"wavedeck/handlers/runview"
	"wavedeck/views"
)

// Handler answers for embeds, fragments and badges.
type Handler struct {
	*runview.Reader
	From
	keysRead atomic.Pointer[[][]byte] // the keys of tokens as they were read last
}

// From is what other features give to embeds.
type From struct {
	LogPart      func(ctx context.Context, r *http.Request, run string, asked url.Values) (view views.LogView, kept url.Values, err error)
	AddAttention func(context.Context, *views.AttentionView) error
}

// New makes a Handler.
func New(reader *runview.Reader, from From) *Handler { return &Handler{Reader: reader, From: from} }
