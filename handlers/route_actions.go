package handlers

// routeActions adds the addresses of starting, stopping, retrying and resuming runs.
func (s *Server) routeActions(on routing) {
	on.get("/runs/{run}/cancel", s.showCancel)
	on.post("/runs/{run}/cancel", "cancel", s.stop)
	on.get("/runs/{run}/retry", s.showRetry)
	on.ask("/runs/{run}/retry/preview", s.previewRetry)
	on.post("/runs/{run}/retry", "retry", s.retry)
	on.get("/runs/{run}/resume", s.showResume)
	on.ask("/runs/{run}/resume/preview", s.previewResume)
	on.post("/runs/{run}/resume", "resume", s.resume)
	on.ask("/runs/bulk", s.rehearseBulk)
	on.get("/bulk", s.rehearseBulk)
	on.post("/bulk", "bulk", s.startBulk)
	on.get("/bulk/{bulk}", s.showBulk)
	on.post("/bulk/{bulk}/stop", "bulk stop", s.stopBulk)
	on.get("/start", s.chooseStart)
	on.get("/pipelines/{pipeline}/start", s.showStart)
	on.ask("/pipelines/{pipeline}/start/preview", s.previewStart)
	on.post("/pipelines/{pipeline}/start", "start", s.start)
	on.post("/api/pipelines/{pipeline}/start", "start", s.start)
	on.post("/api/runs/{run}/cancel", "cancel", s.stop)
	on.post("/api/runs/{run}/retry", "retry", s.retry)
	on.post("/api/runs/{run}/resume", "resume", s.resume)
}
