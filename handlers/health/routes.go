package health

import (
	"wavedeck/handlers/web"
)

// Routes adds the addresses of the health of the console.
func (h *Handler) Routes(on web.Router) {
	on.Get("/health", h.showHealth)
	on.Get("/healthz", h.health)
	on.Get("/api/health", h.showHealth)
}
