package handlers

// routeRuns adds the addresses of the list of runs.
func (s *Server) routeRuns(on routing) {
	on.forms("/runs", formsOfList, s.listRuns)
	on.get("/favicon.svg", s.serveIcon)
	on.json("/api/runs", s.listRuns)
	on.get("/api/ended", s.apiEnded)
}
