package handlers

// routeCompare adds the addresses of the comparison of two runs.
func (s *Server) routeCompare(on routing) {
	on.forms("/compare", formsOfOne, s.showCompare)
	on.json("/api/compare", s.showCompare)
}
