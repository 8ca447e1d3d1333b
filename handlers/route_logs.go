package handlers

// routeLogs adds the addresses of the log of a run.
func (s *Server) routeLogs(on routing) {
	on.get("/runs/{run}/log", s.showLog)
	on.get("/runs/{run}/log/block", s.showLogBlock)
	on.get("/runs/{run}/log/end", s.showLogEnd)
	on.file("/runs/{run}/log.txt", s.downloadLog)
}
