package compare

import (
	"wavedeck/handlers/web"
)

// Routes adds the addresses of the comparison of two runs.
func (h *Handler) Routes(on web.Router) {
	on.Negotiated("/compare", web.PageFormats, h.showCompare)
	on.JSON("/api/compare", h.showCompare)
}
