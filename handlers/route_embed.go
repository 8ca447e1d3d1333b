package handlers

// routeEmbeds adds the addresses of what pages of other sites may show.
func (s *Server) routeEmbeds(on routing) {
	s.routeEmbed(on, "/runs", excerptRuns())
	s.routeEmbed(on, "/runs/{run}/card", excerptCard())
	s.routeEmbed(on, "/runs/{run}/timeline", excerptTimeline())
	s.routeEmbed(on, "/runs/{run}/graph", excerptGraph())
	s.routeEmbed(on, "/runs/{run}/steps", excerptSteps())
	s.routeEmbed(on, "/runs/{run}/log", excerptLog())
	s.routeEmbed(on, "/attention", excerptAttention())
	s.routeEmbed(on, "/pipelines/{pipeline}/latest", excerptLatest())
	s.routeEmbed(on, "/pipelines/{pipeline}/history", excerptHistory())
	on.get(embedRoot+"/theme.css", s.serveTheme)
	on.get("/oembed", s.oembed)
	on.get("/share", s.showShare)
	on.get("/help/embedding", s.showEmbeddingGuide)
	on.post("/api/v1/embed-tokens", actionEmbedToken, s.apiEmbedToken)
	for _, root := range []string{badgeRoot, badgeRoot + "/t/{token}"} {
		on.get(root+"/pipelines/{pipeline}.svg", s.badge)
		on.get(root+"/pipelines/{pipeline}.json", s.badge)
	}
}
