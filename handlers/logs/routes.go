package logs

import (
	"wavedeck/handlers/web"
)

// Routes adds the addresses of the log of a run.
func (h *Handler) Routes(on web.Router) {
	on.Get("/runs/{run}/log", h.showLog)
	on.Get("/runs/{run}/log/block", h.showLogBlock)
	on.Get("/runs/{run}/log/end", h.showLogEnd)
	on.File("/runs/{run}/log.txt", h.downloadLog)
}
