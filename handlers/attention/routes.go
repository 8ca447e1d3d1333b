package attention

import (
	"wavedeck/handlers/web"
)

// Routes adds the addresses of what needs attention.
func (h *Handler) Routes(on web.Router) {
	on.Get("/attention", h.showAttention)
	on.Get("/attention/count", h.showAttentionCount)
	on.Post("/attention/seen", actionSeen, h.markSeen)
	on.Get("/api/attention", h.apiAttention)
	on.Post("/api/attention/seen", actionSeen, h.markSeen)
}
