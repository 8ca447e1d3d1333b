package handlers

// routePalette adds the addresses of the command line, completion, the palette, and the pages of keys and settings.
func (s *Server) routePalette(on routing) {
	on.get("/cmd", s.showCommand)
	on.get("/complete", s.complete)
	on.get("/help/keys", s.showKeys)
	on.get("/settings", s.showSettings)
	on.get("/palette", s.showPalette)
	on.get("/palette/runs", s.showPaletteRuns)
}
