package handlers

// routeAudit adds the addresses of the audit log.
func (s *Server) routeAudit(on routing) {
	on.get("/audit", s.listAudit)
	on.get("/api/audit", s.apiAudit)
}
