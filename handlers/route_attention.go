package handlers

// routeAttention adds the addresses of what needs attention.
func (s *Server) routeAttention(on routing) {
	on.get("/attention", s.showAttention)
	on.get("/attention/count", s.showAttentionCount)
	on.post("/attention/seen", actionSeen, s.markSeen)
	on.get("/api/attention", s.apiAttention)
	on.post("/api/attention/seen", actionSeen, s.markSeen)
}
