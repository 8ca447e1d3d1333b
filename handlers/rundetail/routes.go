package rundetail

import (
	"wavedeck/handlers/web"
)

// Routes adds the addresses of one run: its pages, its data, its files.
func (h *Handler) Routes(on web.Router) {
	on.NegotiatedNamed("/runs/{run}", web.RunFormats, "run", h.hasRun, h.showRun)
	on.Get("/runs/{run}/parts/why", h.showRunWhy)
	on.Get("/runs/{run}/parts/{part:head|gates|steps|outcomes|events|artifacts|family}", h.showRunPart)
	on.Get("/runs/{run}/timeline", h.showRunTimeline)
	on.Get("/runs/{run}/graph", h.showRunGraph)
	on.File("/runs/{run}/export", h.exportRun)
	on.Get("/runs/{run}/artifacts", h.showRunArtifacts)
	on.Get("/runs/{run}/artifacts/{step}/{artifact}", h.showArtifact)
	on.JSON("/api/runs/{run}", h.showRun)
	on.Get("/api/runs/{run}/artifacts/{step}/{artifact}", h.apiArtifact)
	on.Stream("/api/runs/{run}/events", h.streamRunEvents)
}
