package runs

import (
	"wavedeck/handlers/web"
)

// Routes adds the addresses of the list of runs.
func (h *Handler) Routes(on web.Router) {
	on.Negotiated("/runs", web.ListFormats, h.listRuns)
	on.Get("/favicon.svg", h.serveIcon)
	on.JSON("/api/runs", h.listRuns)
	on.Get("/api/ended", h.apiEnded)
}
