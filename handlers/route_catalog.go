package handlers

// routeCatalog adds the addresses of pipelines and personas.
func (s *Server) routeCatalog(on routing) {
	on.get("/pipelines", s.listPipelines)
	on.formsOf("/pipelines/{pipeline}", formsOfOne, "pipeline", s.hasPipeline, s.showPipeline)
	on.get("/pipelines/{pipeline}/trends", s.showTrends)
	on.get("/personas", s.listPersonas)
	on.get("/personas/{persona}", s.showPersona)
	on.get("/api/pipelines", s.apiPipelines)
	on.json("/api/pipelines/{pipeline}", s.showPipeline)
	on.get("/api/personas", s.apiPersonas)
}
