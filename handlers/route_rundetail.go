package handlers

// routeRunDetail adds the addresses of one run: its pages, its data, its files.
func (s *Server) routeRunDetail(on routing) {
	on.formsOf("/runs/{run}", formsOfRun, "run", s.hasRun, s.showRun)
	on.get("/runs/{run}/parts/why", s.showRunWhy)
	on.get("/runs/{run}/parts/{part:head|steps|outcomes|events|artifacts|family}", s.showRunPart)
	on.get("/runs/{run}/timeline", s.showRunTimeline)
	on.get("/runs/{run}/graph", s.showRunGraph)
	on.file("/runs/{run}/export", s.exportRun)
	on.get("/runs/{run}/artifacts", s.showRunArtifacts)
	on.get("/runs/{run}/artifacts/{step}/{artifact}", s.showArtifact)
	on.json("/api/runs/{run}", s.showRun)
	on.get("/api/runs/{run}/artifacts/{step}/{artifact}", s.apiArtifact)
	on.stream("/api/runs/{run}/events", s.streamRunEvents)
}
