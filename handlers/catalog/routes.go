package catalog

import (
	"wavedeck/handlers/web"
)

// Routes adds the addresses of pipelines and personas.
func (h *Handler) Routes(on web.Router) {
	on.Get("/pipelines", h.listPipelines)
	on.NegotiatedNamed("/pipelines/{pipeline}", web.PageFormats, "pipeline", h.hasPipeline, h.showPipeline)
	on.Get("/pipelines/{pipeline}/trends", h.showTrends)
	on.Get("/personas", h.listPersonas)
	on.Get("/personas/{persona}", h.showPersona)
	on.Get("/api/pipelines", h.apiPipelines)
	on.JSON("/api/pipelines/{pipeline}", h.showPipeline)
	on.Get("/api/personas", h.apiPersonas)
}
