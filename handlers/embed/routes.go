package embed

import (
	"wavedeck/handlers/audit"
	"wavedeck/handlers/web"
)

// Routes adds the addresses of what pages of other sites may show.
func (h *Handler) Routes(on web.Router) {
	h.routeEmbed(on, "/runs", runsFragment())
	h.routeEmbed(on, "/runs/{run}/card", cardFragment())
	h.routeEmbed(on, "/runs/{run}/timeline", timelineFragment())
	h.routeEmbed(on, "/runs/{run}/graph", graphFragment())
	h.routeEmbed(on, "/runs/{run}/steps", stepsFragment())
	h.routeEmbed(on, "/runs/{run}/log", logFragment())
	h.routeEmbed(on, "/attention", attentionFragment())
	h.routeEmbed(on, "/pipelines/{pipeline}/latest", latestFragment())
	h.routeEmbed(on, "/pipelines/{pipeline}/history", historyFragment())
	on.Get(web.EmbedRoot+"/theme.css", h.serveTheme)
	on.Get("/oembed", h.oembed)
	on.Get("/share", h.showShare)
	on.Get("/help/embedding", h.showEmbeddingGuide)
	on.Post("/api/v1/embed-tokens", audit.ActionEmbedToken, h.apiEmbedToken)
	for _, root := range []string{web.BadgeRoot, web.BadgeRoot + "/t/{token}"} {
		on.Get(root+"/pipelines/{pipeline}.svg", h.badge)
		on.Get(root+"/pipelines/{pipeline}.json", h.badge)
	}
}
