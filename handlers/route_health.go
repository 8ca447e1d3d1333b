package handlers

// routeHealth adds the addresses of the health of the console.
func (s *Server) routeHealth(on routing) {
	on.get("/health", s.showHealth)
	on.get("/healthz", s.health)
	on.get("/api/health", s.showHealth)
}
